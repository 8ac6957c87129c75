package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// broken answers as its paths say, on real sockets.
func broken(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go breakOff(conn)
		}
	}()
	return "http://" + ln.Addr().String()
}

func breakOff(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	switch r.URL.Path {
	case "/reset":
		_ = conn.(*net.TCPConn).SetLinger(0)
	case "/closed":
	case "/short":
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
	case "/chunks":
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort")
	case "/garbage":
		fmt.Fprint(conn, "SSH-2.0-OpenSSH\r\n\r\n")
	case "/header":
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nno colon\r\n\r\n")
	case "/silent", "/stuck":
		if r.URL.Path == "/stuck" {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
		}
		var one [1]byte
		_, _ = conn.Read(one[:]) // until the client leaves
	case "/error":
		fmt.Fprint(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	default:
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
	}
}

func TestFailuresByKind(t *testing.T) {
	base := broken(t)
	for path, want := range map[string]string{
		"/reset": "reset", "/closed": "reset", "/short": "short body", "/chunks": "short body", "/garbage": "protocol",
		"/header": "protocol", "/silent": "timeout", "/stuck": "timeout", "/error": "status",
	} {
		t.Run(path, func(t *testing.T) {
			r, err := Run(t.Context(), Options{
				Target: target(base), Source: &list{[]string{path, "/fine", path}}, Connections: 1,
				Timeout: 500 * time.Millisecond, Measured: Part{Requests: 10},
			})
			require.NoError(t, err)
			require.Len(t, r.Errors, 1)
			assert.Equal(t, want, r.Errors[0].Kind)
			assert.Equal(t, int64(2), r.Errors[0].Requests)
			assert.NotEmpty(t, r.Errors[0].Example)
			assert.Equal(t, int64(1), r.Answered, "the fine one")
			assert.Equal(t, int64(1), r.All.Count, "failures are not in the latencies")
			assert.Equal(t, int64(3), r.Sent)
		})
	}
}

func TestFailureToConnect(t *testing.T) {
	base := broken(t)
	var dials atomic.Int64
	r, err := Run(t.Context(), Options{
		Target: target(base), Source: always("/fine"), Connections: 1, Timeout: time.Second, Measured: Part{Requests: 3},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) == 3 { // after the look whether anybody is there, and a first request
				addr = "127.0.0.1:1"
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	})
	require.NoError(t, err)
	require.Len(t, r.Errors, 1)
	assert.Equal(t, "connect", r.Errors[0].Kind)
	assert.Equal(t, int64(2), r.Answered)
	assert.Equal(t, int64(2), r.Sent, "the third did not leave")
}

func TestTargetsThatCannotBeReached(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = quiet()
	secure.StartTLS()
	t.Cleanup(secure.Close)
	trusting := &tls.Config{InsecureSkipVerify: true}
	for _, tc := range []struct {
		name, target string
		tls          *tls.Config
		http2        bool
		want         string
	}{
		{"nobody there", "http://127.0.0.1:1", nil, false, "connection refused"},
		{"a certificate that nobody knows", secure.URL, nil, false, "certificate"},
		{"no TLS", strings.Replace(plain.URL, "http", "https", 1), trusting, false, "tls"},
		{"no HTTP/2", secure.URL, trusting, true, "does not speak HTTP/2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Run(t.Context(), Options{
				Target: target(tc.target), Source: always("/"), Connections: 1, Timeout: 5 * time.Second,
				TLS: tc.tls, HTTP2: tc.http2, Measured: Part{Requests: 1},
			})
			assert.ErrorContains(t, err, tc.want)
			assert.ErrorContains(t, err, "target "+tc.target)
		})
	}
}
