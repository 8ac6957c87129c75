package origin

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(s string) func(net.Conn) {
	return func(conn net.Conn) { _, _ = io.WriteString(conn, s) }
}

func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0) // closing sends a RST
}

func stall(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 1)) // until the other side gives up
}

// deaf is an address where connections come about and nobody says anything.
func deaf(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	return "https://" + ln.Addr().String()
}

// TestClassify makes each failure happen on a real connection.
func TestClassify(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.TLS = &tls.Config{}
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	noSuchHost := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "a.test", IsNotFound: true}}
	}
	short := Options{ResponseHeader: 50 * time.Millisecond}
	for _, tc := range []struct {
		name    string
		base    string
		options Options
		want    Failure
	}{
		{"refused", vacant(t), Options{}, Refused},
		{"no such host", "http://a.test", Options{Dial: noSuchHost}, DNS},
		{"a name that cannot be", "http://" + strings.Repeat("a", 64) + ".invalid", Options{}, DNS},
		{"reset before the head", speak(t, reset), Options{}, Terminated},
		{"closed before the head", speak(t, func(net.Conn) {}), Options{}, Terminated},
		{"closed amid the head", speak(t, write("HTTP/1.1 200 OK\r\nA: b\r\n")), Options{}, Terminated},
		{"no head in time", speak(t, stall), short, Timeout},
		{"half a head in time", speak(t, func(c net.Conn) { write("HTTP/1.1 200 OK\r\nA: b\r\n")(c); stall(c) }), short, Timeout},
		{"no handshake in time", deaf(t), Options{Connect: 50 * time.Millisecond}, ConnectTimeout},
		{"not HTTP", speak(t, write("SSH-2.0-OpenSSH\r\n\r\n")), Options{}, Invalid},
		{"a status that is none", speak(t, write("HTTP/1.1 OK\r\n\r\n")), Options{}, Invalid},
		{"a field that is none", speak(t, write("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")), Options{}, Invalid},
		{"two lengths", speak(t, write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")), Options{}, Invalid},
		{"a head too large", speak(t, write("HTTP/1.1 200 OK\r\nA: "+strings.Repeat("x", 5000)+"\r\n\r\n")), Options{MaxHeaderBytes: 4000}, HeadTooLarge},
		{"TLS to a plain port", strings.Replace(plain.URL, "http:", "https:", 1), Options{}, TLSProtocol},
		{"a certificate nobody knows", secure.URL, Options{}, TLSCertificate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := open(t, tc.base, tc.options).RoundTrip(get(t, tc.base))
			require.Error(t, err)
			assert.Equal(t, tc.want, Classify(err), "%v", err)
			assert.Equal(t, tc.want, Classify(fmt.Errorf("wrapped: %w", err)))
		})
	}
}

func TestClassifyBodies(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	for _, tc := range []struct {
		name   string
		answer func(net.Conn)
		want   Failure
	}{
		{"complete", write(head + "Content-Length: 2\r\n\r\nok"), None},
		{"shorter than announced", write(head + "Content-Length: 5\r\n\r\nok"), Incomplete},
		{"no last chunk", write(head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), Incomplete},
		{"a chunk that is none", write(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n"), TransferCoding},
		{"reset", func(c net.Conn) { write(head + "Content-Length: 5\r\n\r\nok")(c); reset(c) }, Incomplete},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base := speak(t, tc.answer)
			resp, err := open(t, base, Options{}).RoundTrip(get(t, base))
			if err == nil {
				defer resp.Body.Close()
				_, err = io.ReadAll(resp.Body)
			}
			assert.Equal(t, tc.want, Classify(err), "%v", err)
		})
	}
}

func TestClassifyOurOwnEnd(t *testing.T) {
	base := speak(t, stall)
	origin := open(t, base, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := origin.RoundTrip(get(t, base).WithContext(ctx))
	assert.Equal(t, Canceled, Classify(err), "%v", err)

	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = origin.RoundTrip(get(t, base).WithContext(ctx))
	assert.Equal(t, Timeout, Classify(err), "%v", err)
}
