package origin

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const inChunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

func TestChunks(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 4<<10) // 64 KiB
	for _, tc := range []struct{ name, chunks, body string }{
		{"none", "0\r\n\r\n", ""},
		{"two", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"},
		{"digits of both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
		{"zeros before", "00000000000000000000005\r\nhello\r\n000\r\n\r\n", "hello"},
		{"white space after the size", "5 \t\r\nhello\r\n0  \r\n\r\n", "hello"},
		{"extensions", "5;a=b;c=\"d;e\"\r\nhello\r\n0 ; x\r\n\r\n", "hello"},
		{"content like framing", "6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", "\r\n0\r\n\r"},
		{"large", "10000\r\n" + long + "\r\n0\r\n\r\n", long},
		{"many", strings.Repeat("2\r\nab\r\n", 20000) + "0\r\n\r\n", strings.Repeat("ab", 20000)},
		{"an extension with each of many", strings.Repeat("40;signature="+strings.Repeat("x", 60)+"\r\n"+long[:64]+"\r\n", 2000) + "0\r\n\r\n", strings.Repeat(long[:64], 2000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, always(inChunks+tc.chunks))
			for range 2 {
				_, body := ask(t, o, s.request("GET", ""))
				assert.True(t, tc.body == body, "%.100q", body)
			}
			assert.Equal(t, 1, s.connections())
		})
	}
}

func TestChunksRefused(t *testing.T) {
	for _, tc := range []struct{ name, chunks, why string }{
		{"no number", "zz\r\n", "chunk size"},
		{"none at all", "\r\n", "chunk size"},
		{"an extension only", ";a\r\n", "chunk size"},
		{"negative", "-1\r\n", "chunk size"},
		{"a prefix", "0x5\r\nhello\r\n", "chunk size"},
		{"space before", " 5\r\nhello\r\n", "chunk size"},
		{"space within", "5 5\r\nhello\r\n", "chunk size"},
		{"too large", "8000000000000000\r\n", "chunk size"},
		{"far too large", "ffffffffffffffffff\r\n", "chunk size"},
		{"bare LF after the size", "5\nhello\r\n", "between chunks"},
		{"bare LF after the content", "5\r\nhello\n0\r\n\r\n", "between chunks"},
		{"bare LF after the last size", "5\r\nhello\r\n0\n\r\n", "between chunks"},
		{"CR in the size", "5\r;a\r\nhello\r\n", "between chunks"},
		{"content longer than its size", "5\r\nhello!\r\n0\r\n\r\n", "where a chunk should end"},
		{"a line without end", strings.Repeat("0", 5000), "line of over 4096 bytes"},
		{"a long extension", "5;" + strings.Repeat("x", 5000) + "\r\n", "line of over 4096 bytes"},
		{"little but extensions", strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 20), "extensions over 16384 bytes"},
		{"a bad trailer", "0\r\nA b\r\n\r\n", "field line"},
		{"a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "field line"},
		{"a trailer too large", "0\r\n" + strings.Repeat("A: "+strings.Repeat("x", 997)+"\r\n", 300), "trailer over 262144 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, func(p *peer) {
				p.head()
				p.say(inChunks + tc.chunks)
				p.wait()
			})
			want := TransferCoding
			if tc.why == "field line" { // the chunks were good
				want = Invalid
			}
			assert.Contains(t, fails(t, o, s.request("GET", ""), want).Error(), tc.why)
		})
	}
}

// What has arrived is passed on without waiting for more, and the end is seen
// together with the last bytes.
func TestChunksAsTheyCome(t *testing.T) {
	s, o := overTCP(t, Options{}, func(p *peer) {
		p.head()
		p.say(inChunks + "5\r\nhello\r\n5\r\nwo")
		p.head() // the test has read that
		p.say("rld\r\n0\r\n\r\n")
		p.wait()
	})
	resp, err := o.RoundTrip(s.request("GET", ""))
	require.NoError(t, err)
	defer resp.Body.Close()
	buf := make([]byte, 100)
	n, err := resp.Body.Read(buf)
	require.NoError(t, err)
	assert.Equal(t, "hellowo", string(buf[:n]))
	_, err = resp.Body.(*body).x.conn.Write([]byte("on\r\n\r\n"))
	require.NoError(t, err)
	n, err = resp.Body.Read(buf)
	assert.Equal(t, "rld", string(buf[:n]))
	assert.Equal(t, io.EOF, err)
}

func TestTrailers(t *testing.T) {
	for _, tc := range []struct {
		name, announced, sent string
		before, after         http.Header
	}{
		{"announced", "Trailer: x-sum, Etag\r\n", "X-Sum: 42\r\netag: \"x\"\r\n", http.Header{"X-Sum": nil, "Etag": nil}, http.Header{"X-Sum": {"42"}, "Etag": {`"x"`}}},
		{"not announced", "", "x-sum: 42\r\nX-Sum: 43\r\n", nil, http.Header{"X-Sum": {"42", "43"}}},
		{"announced only", "Trailer: X-Sum\r\n", "", http.Header{"X-Sum": nil}, http.Header{"X-Sum": nil}},
		{"none", "", "", nil, nil},
		{"forbidden", "Trailer: Content-Length, Host, x sum, Authorization\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: a\r\nSet-Cookie: a=b\r\n" +
			"Content-Type: text/html\r\nCache-Control: max-age=9\r\nIf-Match: x\r\nProxy-Status: x\r\nConnection: close\r\nAge: 1\r\n", nil, nil},
		{"among forbidden ones", "", "Content-Encoding: gzip\r\nContent-Digest: x\r\nServer-Timing: y\r\n", nil, http.Header{"Content-Digest": {"x"}, "Server-Timing": {"y"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"+tc.announced+"\r\n5\r\nhello\r\n0\r\n"+tc.sent+"\r\n"))
			for range 2 {
				resp, err := o.RoundTrip(s.request("GET", ""))
				require.NoError(t, err)
				assert.Equal(t, tc.before, resp.Trailer)
				assert.NotContains(t, resp.Header, "Trailer")
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				assert.Equal(t, tc.after, resp.Trailer)
				resp.Body.Close()
			}
			assert.Equal(t, 1, s.connections())
		})
	}
	t.Run("without chunks Trailer is a field like others", func(t *testing.T) {
		s, o := overTCP(t, Options{}, always("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok"))
		resp, _ := ask(t, o, s.request("GET", ""))
		assert.Nil(t, resp.Trailer)
		assert.Equal(t, "X-Sum", resp.Header.Get("Trailer"))
	})
}

// FuzzChunks: however chunks arrive and are read, they give the same; what is
// taken is content to net/http too, and the same.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"), 3)
	f.Add([]byte("5;a=b\r\nhello\r\n000\r\nA: b\r\n\r\nrest"), 100)
	f.Add([]byte("a \r\n0123456789\r\n1\r\nx\r\n0\r\n"), 1)
	f.Add([]byte("fffffffffffffff\r\n"), 1)
	f.Fuzz(func(t *testing.T, raw []byte, size int) {
		read := func(src io.Reader, size int) ([]byte, http.Header, error) {
			conn := newConn(&readConn{Reader: src})
			x := &exchange{client: &client{headSize: 1 << 20}, conn: conn, r: new(http.Request), ctx: t.Context(), in: input{src: conn}}
			x.over.Store(true) // there is no connection to close
			x.body = body{x: x, kind: chunked}
			var out []byte
			p := make([]byte, size)
			for {
				n, err := x.body.Read(p)
				out = append(out, p[:n]...)
				if err != nil {
					return out, x.resp.Trailer, err
				}
			}
		}
		whole, trailer, err := read(bytes.NewReader(raw), 32<<10)
		split, splitTrailer, errSplit := read(iotest.OneByteReader(bytes.NewReader(raw)), 1+size&0xff)
		require.Equal(t, err == io.EOF, errSplit == io.EOF, "%v, %v", err, errSplit)
		require.Equal(t, Classify(err), Classify(errSplit))
		require.Equal(t, string(whole), string(split))
		require.Equal(t, trailer, splitTrailer)
		if err != io.EOF || bytes.Contains(raw, []byte(";")) { // of extensions net/http takes less
			return
		}
		theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(raw)))
		if err != nil && !strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "non-data") {
			t.Errorf("net/http does not take %q: %v", raw, err)
		}
		if err == nil {
			require.Equal(t, string(theirs), string(whole))
		}
	})
}
