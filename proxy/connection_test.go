package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// newProxy returns a proxy before a real origin.
func newProxy(t *testing.T, h http.HandlerFunc) *proxy.Proxy {
	t.Helper()
	return newProxyOf(t, h, func(*proxy.Config) {})
}

// newProxyOf returns one that is configured otherwise.
func newProxyOf(t *testing.T, h http.HandlerFunc, change func(*proxy.Config)) *proxy.Proxy {
	t.Helper()
	upstream := httptest.NewServer(h)
	t.Cleanup(upstream.Close)
	o, err := origin.New(upstream.URL, origin.Options{})
	require.NoError(t, err)
	t.Cleanup(o.Close)
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 8 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	f := revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 4})
	t.Cleanup(f.Close)
	c := &proxy.Config{
		Name: "cacheproxy", Token: "edge",
		Routes: []*proxy.Route{{Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}
	change(c)
	return proxy.New(f, c, nil)
}

// ask sends a request as it is and returns what comes back.
func ask(t *testing.T, conn net.Conn, request string) *bufio.Reader {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	_, err := io.WriteString(conn, request)
	require.NoError(t, err)
	return bufio.NewReader(conn)
}

// TestBrokenTransferToOldClient: where the end of the connection is the end of
// the body, a body that broke off must not end like one that is complete.
func TestBrokenTransferToOldClient(t *testing.T) {
	breaks := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/broken" {
			panic(http.ErrAbortHandler)
		}
	}
	plain := func(s *httptest.Server) (net.Conn, error) {
		s.Start()
		return net.Dial("tcp", s.Listener.Addr().String())
	}
	encrypted := func(s *httptest.Server) (net.Conn, error) {
		s.StartTLS()
		trust := s.Client().Transport.(*http.Transport).TLSClientConfig
		return tls.Dial("tcp", s.Listener.Addr().String(), trust)
	}
	for _, c := range []struct {
		name, path string
		dial       func(*httptest.Server) (net.Conn, error)
		whole      bool
	}{
		{"plain", "/broken", plain, false},
		{"plain, complete", "/whole", plain, true},
		{"TLS", "/broken", encrypted, false},
		{"TLS, complete", "/whole", encrypted, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			front := httptest.NewUnstartedServer(newProxy(t, breaks))
			defer front.Close()
			conn, err := c.dial(front)
			require.NoError(t, err)
			answer, err := io.ReadAll(ask(t, conn, "GET "+c.path+" HTTP/1.0\r\nHost: example.com\r\n\r\n"))
			if c.whole {
				require.NoError(t, err)
				assert.Contains(t, string(answer), "\r\n\r\nhello")
			} else {
				assert.Error(t, err)
			}
		})
	}
}

func TestWaitUpgrades(t *testing.T) {
	p := newProxy(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, rw)
	})
	front := httptest.NewServer(p)
	defer front.Close()
	p.WaitUpgrades(t.Context()) // nothing to wait for

	var conns []net.Conn
	for range 2 {
		conn, err := net.Dial("tcp", front.Listener.Addr().String())
		require.NoError(t, err)
		conns = append(conns, conn)
		br := ask(t, conn, "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		resp, err := http.ReadResponse(br, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	}
	for _, conn := range conns {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		p.WaitUpgrades(ctx)
		assert.Error(t, ctx.Err(), "it did not wait for a connection that is open")
		cancel()
		conn.Close()
	}
	p.WaitUpgrades(t.Context())
	p.WaitUpgrades(t.Context())
}
