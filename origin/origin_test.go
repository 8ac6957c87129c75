package origin

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, base string, o Options) *Origin {
	t.Helper()
	origin, err := New(base, o)
	require.NoError(t, err)
	t.Cleanup(origin.Close)
	return origin
}

func get(t *testing.T, base string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", base+"/", nil)
	require.NoError(t, err)
	r.Header["User-Agent"] = nil
	return r
}

// speak serves connections with fn, which gets each once the request's head
// was read, and closes them.
func speak(t *testing.T, fn func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					fn(conn)
				}
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// vacant is an address that nobody listens at.
func vacant(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

func TestNewRefuses(t *testing.T) {
	for _, base := range []string{
		"", "localhost:8080", "127.0.0.1:8080", "//host", "http://", "http://:80", "ftp://host", "http://[::1", "http://a b", "unix:run/x", "unix://host/run/x",
	} {
		_, err := New(base, Options{})
		require.Error(t, err, base)
		assert.Contains(t, err.Error(), "origin \""+base+"\"", "names what is wrong")
		assert.Contains(t, err.Error(), "want ", "says what to do")
	}
}

func TestNewKeepsTheURL(t *testing.T) {
	for _, base := range []string{"http://localhost:8080", "https://www.example.org", "http://[::1]:80"} {
		assert.Equal(t, base, open(t, base, Options{}).URL().String())
	}
}

// The origin gets what the request holds, and nothing of the library's.
func TestRequestGoesOutAsItIs(t *testing.T) {
	heads := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heads <- r.Header.Clone()
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "not really gzip")
	}))
	defer server.Close()
	r := get(t, server.URL)
	r.Header.Set("X-Own", "1")
	resp, err := open(t, server.URL, Options{}).RoundTrip(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.Header{"X-Own": {"1"}}, <-heads)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "not really gzip", string(body), "a coding is left alone")
	assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("/elsewhere", http.StatusFound))
	defer server.Close()
	resp, err := open(t, server.URL, Options{}).RoundTrip(get(t, server.URL))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusFound, resp.StatusCode)
}

func TestConnectionsAreKept(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	origin := open(t, server.URL, Options{})
	ask := func() {
		resp, err := origin.RoundTrip(get(t, server.URL))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	for range 10 {
		ask()
	}
	assert.EqualValues(t, 1, connections.Load())
	origin.Close()
	ask()
	assert.EqualValues(t, 2, connections.Load(), "Close let go of the kept one")
}

func TestReachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	assert.NoError(t, open(t, server.URL, Options{}).Reachable(t.Context()), "whatever it would answer")
	err := open(t, vacant(t), Options{}).Reachable(t.Context())
	assert.Equal(t, Refused, Classify(err))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, Canceled, Classify(open(t, server.URL, Options{}).Reachable(ctx)))
}

func TestReachableKnowsThePort(t *testing.T) {
	for base, want := range map[string]string{
		"http://a.test": "a.test:80", "https://a.test": "a.test:443", "https://a.test:8443": "a.test:8443",
		"http://[::1]": "[::1]:80", "http://[::1]:81": "[::1]:81",
	} {
		var dialed string
		origin := open(t, base, Options{Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
			dialed = addr
			a, b := net.Pipe()
			return a, b.Close()
		}})
		err := origin.Reachable(t.Context())
		assert.Equal(t, strings.HasPrefix(base, "https"), err != nil, "no TLS is spoken there: %v", err)
		assert.Equal(t, want, dialed, base)
	}
}

func TestDefaults(t *testing.T) {
	o := Options{Idle: time.Minute}.withDefaults()
	assert.Equal(t, 5*time.Second, o.Connect)
	assert.Equal(t, time.Minute, o.ResponseHeader)
	assert.Equal(t, time.Minute, o.Idle, "what is given counts")
	assert.Equal(t, 512, o.MaxIdle)
	assert.EqualValues(t, 256<<10, o.MaxHeaderBytes)
	assert.Equal(t, 30*time.Second, o.Resolve)
	assert.Zero(t, o.Total, "there is none")
}

func FuzzNew(f *testing.F) {
	f.Add("http://host:80")
	f.Add("http://[::1%25eth0]:80/path")
	f.Fuzz(func(t *testing.T, base string) {
		origin, err := New(base, Options{})
		if err != nil {
			return
		}
		u := *origin.URL()
		if strings.HasPrefix(u.Host, "/") { // a socket
			u.Host = "localhost"
		}
		if _, err := url.Parse(u.String()); err != nil || u.Hostname() == "" {
			t.Errorf("%q was taken: %v", base, err)
		}
	})
}
