package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hooked gives a request a hook for interim responses.
func hooked(r *http.Request, fn func(int, textproto.MIMEHeader) error) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: fn}))
}

func TestInterimResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{}, func(p *peer) {
			for p.head() != nil {
				p.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\nLink: </b>\r\n\r\n")
				time.Sleep(time.Second)
				p.say("HTTP/1.1 102 Processing\r\n\r\n" + ok)
			}
		})
		var got []string
		start := time.Now()
		r := hooked(s.request("GET", ""), func(code int, h textproto.MIMEHeader) error {
			got = append(got, fmt.Sprint(time.Since(start), code, h))
			return nil
		})
		resp, body := ask(t, o, r)
		assert.Equal(t, []string{"0s 100 map[]", "0s 103 map[Link:[</a> </b>]]", "1s 102 map[]"}, got)
		assert.Equal(t, "ok", body)
		assert.NotContains(t, resp.Header, "Link")
		_, body = ask(t, o, s.request("GET", "")) // without a hook they are passed over
		assert.Equal(t, "ok", body)
		assert.Equal(t, 1, s.connections())
	})
}

func TestTheHookEndsTheExchange(t *testing.T) {
	s, o := overTCP(t, Options{}, always("HTTP/1.1 103 Early Hints\r\n\r\n"+ok))
	enough := errors.New("more than enough")
	_, err := o.RoundTrip(hooked(s.request("GET", ""), func(int, textproto.MIMEHeader) error { return enough }))
	assert.ErrorIs(t, err, enough)
	assert.Equal(t, Invalid, Classify(err))
	ask(t, o, s.request("GET", ""))
	assert.Equal(t, 2, s.connections(), "the connection is not used again")
}

func TestInterimResponsesAreJudgedToo(t *testing.T) {
	s, o := overTCP(t, Options{}, always("HTTP/1.1 103 Early Hints\r\nA : b\r\n\r\n"+ok))
	fails(t, o, s.request("GET", ""), Invalid)
}

// After a 101 the body is the connection, which nothing of the exchange
// touches any more.
func TestSwitchingProtocols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{ResponseHeader: time.Second, Body: time.Second}, func(p *peer) {
			assert.Contains(t, strings.Join(p.head(), "\n"), "Connection: Upgrade\nUpgrade: echo")
			p.say("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello, ")
			_, _ = io.Copy(p, p.br)
		})
		ctx, cancel := context.WithCancel(t.Context())
		r := s.request("GET", "").WithContext(ctx)
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"echo"}}
		resp, err := o.RoundTrip(r)
		require.NoError(t, err)
		assert.Equal(t, 101, resp.StatusCode)
		assert.Equal(t, "echo", resp.Header.Get("Upgrade"))
		conn, ok := resp.Body.(io.ReadWriteCloser)
		require.True(t, ok)
		cancel()
		time.Sleep(time.Hour)
		_, err = io.WriteString(conn, "world")
		require.NoError(t, err)
		b := make([]byte, len("hello, world"))
		_, err = io.ReadFull(conn, b)
		require.NoError(t, err)
		assert.Equal(t, "hello, world", string(b))
		require.NoError(t, conn.Close())
	})
}

func TestSwitchedConnectionClosesOneWay(t *testing.T) {
	s, o := overTCP(t, Options{}, func(p *peer) {
		p.head()
		p.say("HTTP/1.1 101 Switching Protocols\r\n\r\n")
		b, _ := io.ReadAll(p.br)
		p.say("got " + string(b))
	})
	resp, err := o.RoundTrip(s.request("GET", ""))
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.WriteString(resp.Body.(io.Writer), "all")
	require.NoError(t, err)
	require.NoError(t, resp.Body.(interface{ CloseWrite() error }).CloseWrite())
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "got all", string(b))
}

func TestSwitchBeforeTheContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{}, func(p *peer) {
			p.head()
			p.say("HTTP/1.1 101 Switching Protocols\r\n\r\n")
			p.wait()
		})
		r := s.request("POST", "")
		r.Body, r.ContentLength = silent{}, -1
		fails(t, o, r, Invalid)
		time.Sleep(time.Minute) // until the content ends
	})
}
