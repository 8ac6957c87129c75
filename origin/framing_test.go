package origin

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readConn is a connection that is only read from.
type readConn struct {
	net.Conn
	io.Reader
}

func (c *readConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// TestFraming: what of an answer is its body, and whether the connection is
// good for another request.
func TestFraming(t *testing.T) {
	const v1, v0 = "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n"
	const chunks = "2\r\nok\r\n0\r\n\r\n"
	for _, tc := range []struct {
		name   string
		method string
		answer string
		body   string
		length int64
		kept   bool
		fields string // Content-Length and Transfer-Encoding of the header
		coded  bool
	}{
		{"length", "GET", v1 + "Content-Length: 2\r\n\r\nok", "ok", 2, true, "2", false},
		{"length of none", "GET", v1 + "Content-Length: 0\r\n\r\n", "", 0, true, "0", false},
		{"same length twice", "GET", v1 + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "ok", 2, true, "2", false},
		{"same length in a list", "GET", v1 + "Content-Length: 2, 02\r\n\r\nok", "ok", 2, true, "2", false},
		{"more than the length", "GET", v1 + "Content-Length: 2\r\n\r\nok!", "ok", 2, false, "2", false},
		{"close", "GET", v1 + "Connection: x, Close\r\nContent-Length: 2\r\n\r\nok", "ok", 2, false, "2", false},
		{"chunks", "GET", v1 + "Transfer-Encoding: Chunked\r\n\r\n" + chunks, "ok", -1, true, "", true},
		{"more than the chunks", "GET", v1 + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "x", "ok", -1, false, "", true},
		{"chunks and a length", "GET", v1 + "Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n" + chunks, "ok", -1, false, "", true},
		{"to the end", "GET", v1 + "\r\nok", "ok", -1, false, "", false},
		{"old to the end", "GET", v0 + "\r\nok", "ok", -1, false, "", false},
		{"old", "GET", v0 + "Content-Length: 2\r\n\r\nok", "ok", 2, false, "2", false},
		{"old but kept", "GET", v0 + "Connection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", "ok", 2, true, "2", false},
		{"old, kept and closed", "GET", v0 + "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok", 2, false, "2", false},
		{"HEAD", "HEAD", v1 + "Content-Length: 7\r\n\r\n", "", 7, true, "7", false},
		{"HEAD of chunks", "HEAD", v1 + "Transfer-Encoding: chunked\r\n\r\n", "", -1, true, "", true},
		{"HEAD without a length", "HEAD", v1 + "\r\n", "", -1, true, "", false},
		{"HEAD with content all the same", "HEAD", v1 + "Content-Length: 2\r\n\r\nok", "", 2, false, "2", false},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "", 0, true, "7", false},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", 0, true, "", false},
		{"204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", "", 0, false, "7", false},
		{"204 in chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "", 0, false, "", true},
		{"205 has framing", "GET", "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", "", 0, true, "0", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, func(p *peer) {
				for p.head() != nil {
					p.say(tc.answer)
					if tc.length < 0 && !tc.coded && tc.method != "HEAD" {
						return // the end of the connection is that of the body
					}
				}
			})
			for range 2 {
				resp, body := ask(t, o, s.request(tc.method, ""))
				assert.Equal(t, tc.body, body)
				assert.Equal(t, tc.length, resp.ContentLength)
				assert.Equal(t, tc.fields, strings.Join(append(resp.Header["Content-Length"], resp.Header["Transfer-Encoding"]...), "; "))
				assert.Equal(t, tc.coded, len(resp.TransferEncoding) == 1)
				assert.Equal(t, tc.method, resp.Request.Method)
			}
			assert.Equal(t, map[bool]int{true: 1, false: 2}[tc.kept], s.connections())
		})
	}
}

func TestFramingRefused(t *testing.T) {
	for field, why := range map[string]string{
		"Content-Length: 12x":                                      `invalid Content-Length "12x"`,
		"Content-Length: -1":                                       `invalid Content-Length "-1"`,
		"Content-Length: +1":                                       `invalid Content-Length "+1"`,
		"Content-Length: 1 2":                                      `invalid Content-Length "1 2"`,
		"Content-Length:":                                          `invalid Content-Length ""`,
		"Content-Length: 1,":                                       `invalid Content-Length "1,"`,
		"Content-Length: 9223372036854775808":                      `invalid Content-Length "9223372036854775808"`,
		"Content-Length: 1\r\nContent-Length: 2":                   `invalid Content-Length "1, 2"`,
		"Content-Length: 1, 2":                                     `invalid Content-Length "1, 2"`,
		"Transfer-Encoding: gzip":                                  `Transfer-Encoding "gzip" is not supported`,
		"Transfer-Encoding: gzip, chunked":                         `Transfer-Encoding "gzip, chunked" is not supported`,
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked": `Transfer-Encoding "chunked, chunked" is not supported`,
		"Transfer-Encoding: chunked;a=b":                           `Transfer-Encoding "chunked;a=b" is not supported`,
		"Transfer-Encoding: identity":                              `Transfer-Encoding "identity" is not supported`,
		"Transfer-Encoding:":                                       `Transfer-Encoding "" is not supported`,
		"Transfer-Encoding: chunked\r\nContent-Length: x":          `invalid Content-Length "x"`,
	} {
		s, o := overTCP(t, Options{}, always("HTTP/1.1 200 OK\r\n"+field+"\r\n\r\n0\r\n\r\n"))
		want := Invalid
		if strings.HasPrefix(why, "Transfer-Encoding") {
			want = TransferCoding
		}
		assert.EqualError(t, fails(t, o, s.request("GET", ""), want), why)
	}
	s, o := overTCP(t, Options{}, always("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	assert.EqualError(t, fails(t, o, s.request("GET", ""), TransferCoding), "Transfer-Encoding in a response of HTTP/1.0")
}

// A body that ends early says so, however it is framed; to the end of the
// connection it can only be broken by its loss.
func TestEarlyEnd(t *testing.T) {
	for name, answer := range map[string]string{
		"length":          "Content-Length: 10\r\n\r\nhello",
		"length, nothing": "Content-Length: 10\r\n\r\n",
		"chunk size":      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5",
		"chunk":           "Transfer-Encoding: chunked\r\n\r\n10\r\nhello",
		"chunk end":       "Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
		"last chunk":      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"trailer":         "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, func(p *peer) {
				p.head()
				p.say("HTTP/1.1 200 OK\r\n" + answer)
			})
			resp, err := o.RoundTrip(s.request("GET", ""))
			require.NoError(t, err)
			defer resp.Body.Close()
			for range 2 { // and goes on to say so
				_, err = io.ReadAll(resp.Body)
				assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			}
		})
	}
}

func TestReadAfterTheEnd(t *testing.T) {
	s, o := overTCP(t, Options{}, always(ok))
	resp, err := o.RoundTrip(s.request("GET", ""))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	n, err := resp.Body.Read(make([]byte, 10))
	assert.Equal(t, 0, n)
	assert.Equal(t, io.EOF, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, resp.Body.Close())
	_, err = resp.Body.Read(make([]byte, 10))
	assert.Equal(t, http.ErrBodyReadAfterClose, err)
	_, err = resp.Body.(io.WriterTo).WriteTo(io.Discard)
	assert.Equal(t, http.ErrBodyReadAfterClose, err)
}
