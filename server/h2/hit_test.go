package h2

import (
	"bufio"
	"bytes"
	"context"
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
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 64 << 20})
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

// counted counts the hits of a server.
func counted(s *Server) *int {
	hits, hit := new(int), s.Hit
	s.Hit = func(h *proxy.Head, r *proxy.Reply) bool {
		ok := hit(h, r)
		if ok {
			*hits++
		}
		return ok
	}
	return hits
}

// TestHitsAreLikeTheHandlersAnswers for every kind of request that Hit answers.
func TestHitsAreLikeTheHandlersAnswers(t *testing.T) {
	var seen outcomes
	s := cached(t, seen.add)
	hits := counted(s)
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
			before := *hits
			c.request(id, tc.method, tc.path, true, tc.more...)
			fields, body := c.answer(id)
			assert.Equal(t, tc.hit, *hits > before)
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
	s.Write = time.Second
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

// TestManyHits in one go are answered completely.
func TestManyHits(t *testing.T) {
	c := connect(t, cached(t, nil), http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 24})
	c.wrote(c.fr.WriteWindowUpdate(0, 1<<30))
	c.get(1, "/5000")
	_, want := c.answer(1)
	for n := range uint32(20) {
		for i := range uint32(100) {
			c.get(3+200*n+2*i, "/5000")
		}
		bodies := map[uint32]string{}
		for ended := 0; ended < 100; {
			g := c.expect(http2.FrameData, http2.FrameRSTStream)
			require.Equal(t, http2.FrameData, g.Type)
			bodies[g.ID] += string(g.Data)
			if g.End {
				ended++
				require.True(t, want == bodies[g.ID])
			}
		}
		require.Len(t, bodies, 100)
	}
}

// TestDownloads by a client that says of every few KiB that it has read them.
func TestDownloads(t *testing.T) {
	client := transport(t, cached(t, nil))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				resp, err := client.Get("http://example.com/200000")
				if !assert.NoError(t, err) {
					return
				}
				n, err := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if !assert.NoError(t, err) || !assert.EqualValues(t, 200000, n) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkHit is a hit of 1 KiB with 32 requests in flight on one connection
// in clear. Half of the work, and one allocation, is the client's.
func BenchmarkHit(b *testing.B) {
	s := cached(b, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer ln.Close()
	go func() {
		if conn, err := ln.Accept(); err == nil {
			s.ServeConn(context.Background(), conn)
		}
	}()
	defer s.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(b, err)
	defer conn.Close()
	l := newLoad(b, conn)
	l.ask(1)
	l.answers(1)
	b.ReportAllocs()
	for n := b.N; n > 0; n -= 32 {
		l.ask(min(n, 32))
		l.answers(min(n, 32))
	}
}

// load is a client that asks for the same again and again.
type load struct {
	b     *testing.B
	conn  net.Conn
	out   bytes.Buffer
	block bytes.Buffer
	fr    *http2.Framer
	enc   *hpack.Encoder
	id    uint32
}

func newLoad(b *testing.B, conn net.Conn) *load {
	l := &load{b: b, conn: conn, id: 1}
	l.fr = http2.NewFramer(&l.out, bufio.NewReaderSize(conn, 64<<10))
	l.fr.SetReuseFrames()
	l.enc = hpack.NewEncoder(&l.block)
	l.out.WriteString(http2.ClientPreface)
	require.NoError(b, l.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30}))
	return l
}

// ask sends n requests in one write.
func (l *load) ask(n int) {
	for range n {
		l.block.Reset()
		for _, f := range [...]hpack.HeaderField{
			{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "127.0.0.1:8443"},
			{Name: ":path", Value: "/1024"}, {Name: "user-agent", Value: "bench"}, {Name: "accept", Value: "*/*"},
		} {
			_ = l.enc.WriteField(f)
		}
		_ = l.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: l.id, BlockFragment: l.block.Bytes(), EndStream: true, EndHeaders: true})
		l.id += 2
	}
	_ = l.fr.WriteWindowUpdate(0, uint32(2048*n))
	_, _ = l.conn.Write(l.out.Bytes())
	l.out.Reset()
}

// answers reads n answers.
func (l *load) answers(n int) {
	for n > 0 {
		f, err := l.fr.ReadFrame()
		require.NoError(l.b, err)
		if d, ok := f.(*http2.DataFrame); ok && d.StreamEnded() {
			n--
		}
	}
}
