package h2

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"cacheproxy/cache"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// outcomes notes what was reported of requests.
type outcomes struct {
	mu   sync.Mutex
	seen []proxy.Outcome
}

func (o *outcomes) add(x *proxy.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, *x)
}

// of waits for the outcome number n of a path.
func (o *outcomes) of(t *testing.T, path string, n int) proxy.Outcome {
	t.Helper()
	var found proxy.Outcome
	require.Eventually(t, func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		left := n
		for _, x := range o.seen {
			if x.URI == path {
				if found = x; left == 0 {
					return true
				}
				left--
			}
		}
		return false
	}, 10*time.Second, time.Millisecond)
	return found
}

// cached returns a server of a cache whose origin answers /N with N bytes.
func cached(t testing.TB, observe func(*proxy.Outcome)) *Server {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Etag", `"1"`)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Long", strings.Repeat("v", 200))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		_, _ = io.Copy(w, io.LimitReader(letters{}, int64(n)))
	}))
	t.Cleanup(upstream.Close)
	o, err := origin.New(upstream.URL, origin.Options{})
	require.NoError(t, err)
	t.Cleanup(o.Close)
	store, err := cache.New[*revalidate.Resource](cache.Options{MaxCost: 64 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	f := revalidate.New(revalidate.Options{Store: store, MaxObject: 16 << 20, MaxVariants: 4})
	t.Cleanup(f.Close)
	p := proxy.New(f, &proxy.Config{
		Name: "cacheproxy", Token: "edge",
		Routes: []*proxy.Route{{Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}, observe)
	return &Server{Handler: p, Hit: p.Hit, ErrorLog: log.New(io.Discard, "", 0)}
}

// letters reads as a pattern in which bytes that are missing show.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	p = p[:min(len(p), 1000/26*26)]
	for i := range p {
		p[i] = byte('a' + i%26)
	}
	return len(p), nil
}

// TestHitsAreLikeTheHandlersAnswers for every kind of request that Hit answers.
func TestHitsAreLikeTheHandlersAnswers(t *testing.T) {
	var seen outcomes
	s := cached(t, seen.add)
	hits := 0
	lane := s.Hit
	s.Hit = func(h *proxy.Head, r *proxy.Reply) bool {
		ok := lane(h, r)
		if ok {
			hits++
		}
		return ok
	}
	plain := &Server{Handler: s.Handler}
	big := http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 24}
	c, h := connect(t, s, big), connect(t, plain, big)
	c.wrote(c.fr.WriteWindowUpdate(0, 1<<30))
	h.wrote(h.fr.WriteWindowUpdate(0, 1<<30))
	id := uint32(1)
	for _, tc := range []struct {
		name   string
		method string
		path   string
		more   []string
		hit    bool
	}{
		{"small", "GET", "/1000", nil, true},
		{"again", "GET", "/1000", nil, true},
		{"once more", "GET", "/1000", nil, true},
		{"empty", "GET", "/0", nil, true},
		{"head", "HEAD", "/1000", nil, true},
		{"not modified", "GET", "/1000", []string{"if-none-match", `"1"`}, true},
		{"several frames", "GET", "/100000", nil, true},
		{"large", "GET", "/3000000", nil, true},
		{"cookies", "GET", "/1000", []string{"cookie", "a=b", "cookie", "c=d"}, true},
		{"part", "GET", "/1000", []string{"range", "bytes=1-2"}, false},
		{"odd path", "GET", "/1000\"", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h.request(id, "GET", tc.path, true) // so that it is stored
			h.answer(id)
			before := hits
			c.request(id, tc.method, tc.path, true, tc.more...)
			fields, body := c.answer(id)
			assert.Equal(t, tc.hit, hits > before)
			h.request(id+2, tc.method, tc.path, true, tc.more...)
			want, wantBody := h.answer(id + 2)
			delete(fields, "x-request-id")
			delete(want, "x-request-id")
			delete(fields, "age")
			delete(want, "age")
			delete(fields, "cache-status") // has the time to live
			delete(want, "cache-status")
			assert.Equal(t, want, fields)
			assert.True(t, wantBody == body, "%d and %d bytes", len(wantBody), len(body))
			id += 4
		})
	}
	o := seen.of(t, "/3000000", 1)
	assert.EqualValues(t, 3000000, o.Bytes)
	assert.Equal(t, "HTTP/2.0", o.Proto)
	assert.False(t, o.Aborted)
}

// TestHitsWaitForTheWindow as other content does, and more requests are
// answered meanwhile.
func TestHitsWaitForTheWindow(t *testing.T) {
	var seen outcomes
	s := cached(t, seen.add)
	c := connect(t, s)
	c.wrote(c.fr.WriteWindowUpdate(0, 1<<30))
	c.get(1, "/200000")
	c.wrote(c.fr.WriteWindowUpdate(1, 1<<20))
	_, want := c.answer(1)
	require.Len(t, want, 200000)
	c.get(3, "/200000")
	got := ""
	for len(got) < 65535 {
		got += string(c.expect(http2.FrameData).Data)
	}
	c.get(5, "/200000")
	for n := 0; n < 65535; {
		n += len(c.expect(http2.FrameData).Data)
	}
	c.get(7, "/0")
	c.answer(7)
	c.wrote(c.fr.WriteWindowUpdate(3, 1<<20))
	_, rest := c.answer(3)
	assert.True(t, want == got+rest)
	c.wrote(c.fr.WriteRSTStream(5, http2.ErrCodeCancel))
	o := seen.of(t, "/200000", 2)
	assert.EqualValues(t, 65535, o.Bytes)
	assert.True(t, o.Aborted)
}

// TestHitsThatAreNotTaken end after the write timeout.
func TestHitsThatAreNotTaken(t *testing.T) {
	var seen outcomes
	s := cached(t, seen.add)
	s.Write = 50 * time.Millisecond
	c := connect(t, s)
	c.wrote(c.fr.WriteWindowUpdate(0, 1<<30))
	c.get(1, "/100000")
	c.wrote(c.fr.WriteWindowUpdate(1, 1<<20))
	c.answer(1)
	c.get(3, "/100000")
	g := c.expect(http2.FrameRSTStream)
	assert.EqualValues(t, 3, g.ID)
	assert.Equal(t, http2.ErrCodeCancel, g.Code)
	assert.True(t, seen.of(t, "/100000", 1).Aborted)
}

// TestManyHits in one go: they are answered in order and completely.
func TestManyHits(t *testing.T) {
	c := connect(t, cached(t, nil), http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 24})
	c.wrote(c.fr.WriteWindowUpdate(0, 1<<30))
	c.get(1, "/5000")
	_, want := c.answer(1)
	for n := range uint32(20) {
		for i := range uint32(100) {
			c.get(3+200*n+2*i, "/5000")
		}
		for i := range uint32(100) {
			_, body := c.answer(3 + 200*n + 2*i)
			require.True(t, want == body)
		}
	}
}

// TestOverTLS with a client that is as good as any, beside HEAD and uploads.
func TestOverTLS(t *testing.T) {
	s := cached(t, nil)
	upstream := httptest.NewUnstartedServer(nil) // for its certificate
	upstream.StartTLS()
	defer upstream.Close()
	config := &tls.Config{Certificates: upstream.TLS.Certificates, NextProtos: []string{"h2"}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		secure := tls.Server(conn, config)
		if secure.Handshake() == nil {
			s.ServeConn(context.Background(), secure)
		}
	}()
	tr := upstream.Client().Transport.(*http.Transport).Clone()
	tr.ForceAttemptHTTP2 = true
	client := &http.Client{Transport: tr}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			resp, err := client.Get("https://" + ln.Addr().String() + "/" + strconv.Itoa(i%3*300_000))
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.Len(t, b, i%3*300_000)
			assert.Equal(t, "HTTP/2.0", resp.Proto)
		})
	}
	wg.Wait()
	client.CloseIdleConnections()
	<-served
	ln.Close()
}

func TestStrong(t *testing.T) {
	for name, tc := range map[string]struct {
		state *tls.ConnectionState
		want  bool
	}{
		"in clear": {nil, true},
		"1.3":      {&tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256}, true},
		"1.2":      {&tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, true},
		"CBC":      {&tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}, false},
		"no ECDHE": {&tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, false},
		"1.1":      {&tls.ConnectionState{Version: tls.VersionTLS11, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}, false},
	} {
		assert.Equal(t, tc.want, strong(tc.state), name)
	}
}

// BenchmarkHit is a hit of 1 KiB with 32 requests in flight on one connection
// in clear; the client's part is to send bytes it prepared and to count those
// that come back.
func BenchmarkHit(b *testing.B) {
	s := cached(b, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go s.ServeConn(context.Background(), conn)
		}
	}()
	defer s.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(b, err)
	defer conn.Close()
	var out struct {
		bytes.Buffer
		block bytes.Buffer
	}
	fr := http2.NewFramer(&out, bufio.NewReaderSize(conn, 64<<10))
	enc := hpack.NewEncoder(&out.block)
	out.WriteString(http2.ClientPreface)
	require.NoError(b, fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30}))
	id := uint32(1)
	ask := func(n int) {
		for range n {
			out.block.Reset()
			for _, f := range []hpack.HeaderField{
				{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "127.0.0.1:8443"},
				{Name: ":path", Value: "/1024"}, {Name: "user-agent", Value: "bench"}, {Name: "accept", Value: "*/*"},
			} {
				_ = enc.WriteField(f)
			}
			_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: out.block.Bytes(), EndStream: true, EndHeaders: true})
			id += 2
		}
		_ = fr.WriteWindowUpdate(0, uint32(2048*n))
		_, _ = conn.Write(out.Bytes())
		out.Buffer.Reset()
	}
	fr.SetReuseFrames()
	answers := func(n int) {
		for n > 0 {
			f, err := fr.ReadFrame()
			if err != nil {
				b.Fatal(err)
			}
			if d, ok := f.(*http2.DataFrame); ok && d.StreamEnded() {
				n--
			}
		}
	}
	ask(1)
	answers(1)
	b.ReportAllocs()
	for n := b.N; n > 0; n -= 32 {
		ask(min(n, 32))
		answers(min(n, 32))
	}
}
