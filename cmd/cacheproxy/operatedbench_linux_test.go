package main

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/admin"
	"cacheproxy/cache"
	"cacheproxy/insight"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
	"cacheproxy/telemetry"
)

// operated says what is on beside the hit.
type operated struct {
	metrics, insight, listens, traced bool
	log                               string // mode; empty = off
	sample                            float64
}

// BenchmarkHitOperated is a hit of the fast lane, without its socket and over one, bare
// and with what shows an operator what the proxy does. bench/results/operated.md has the results.
func BenchmarkHitOperated(b *testing.B) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = w.Write(make([]byte, 1024))
	}))
	defer backend.Close()
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer sink.Close()
	for _, bc := range []struct {
		name string
		on   operated
	}{
		{"bare", operated{}},
		{"metrics", operated{metrics: true}},
		{"insight", operated{metrics: true, insight: true}},
		{"dashboard", operated{metrics: true, insight: true, listens: true}},
		{"log-sampled", operated{metrics: true, insight: true, log: "sampled"}},
		{"log-full", operated{metrics: true, insight: true, log: "full"}},
		{"tracing-1%", operated{metrics: true, insight: true, traced: true, sample: .01}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			c := &proxy.Config{Name: "cacheproxy", Token: "me"}
			p := proxyOperated(b, c, backend.URL, bc.on.observer(b, c, sink.URL))
			p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://example.com/a", nil))
			b.Run("lane", func(b *testing.B) { hitLane(b, p) })
			b.Run("tcp", func(b *testing.B) { hitTCP(b, p) })
		})
	}
}

// settled measures hit after some time of it: how many hits are looked at closer rests
// on those of the second before. On a shared machine the time of a hit is also that of
// others; the CPU time of the process is less so.
func settled(b *testing.B, hit func()) {
	for end := time.Now().Add(2100 * time.Millisecond); time.Now().Before(end); {
		hit()
	}
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		hit()
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hitLane makes answers of heads, but for what it takes to read and write.
func hitLane(b *testing.B, p *proxy.Proxy) {
	h := &proxy.Head{
		Method: "GET", Host: "example.com", Target: "/a", Proto: "HTTP/1.1", Remote: "192.0.2.1:1234",
		Fields: []proxy.Field{{Name: "User-Agent", Value: "bench"}, {Name: "Accept", Value: "*/*"}},
	}
	var r proxy.Reply
	var out []byte
	settled(b, func() {
		if !p.Hit(h, &r) {
			b.Fatal("no hit")
		}
		out = r.AppendHead(out[:0], false)
		r.Done(1024, true)
	})
	require.NotEmpty(b, out)
}

// hitTCP asks over a connection, one request after the other. The client's part is in it.
func hitTCP(b *testing.B, p *proxy.Proxy) {
	s, err := server.Listen("127.0.0.1:0", server.Options{
		Handler: p, Hit: p.Hit, Refuse: p.Refuse, ReadHeader: time.Minute, Idle: time.Minute, Write: time.Minute,
	})
	require.NoError(b, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve() }()
	defer func() { s.Close(); <-served }()
	nc, err := net.Dial("tcp", s.Addr().String())
	require.NoError(b, err)
	defer nc.Close()
	head := []byte("GET /a HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	room := make([]byte, 8192)
	settled(b, func() {
		if _, err := nc.Write(head); err != nil {
			b.Fatal(err)
		}
		for n, end := 0, -1; end < 0 || n < end+4+1024; {
			got, err := nc.Read(room[n:])
			if err != nil {
				b.Fatal(err)
			}
			n += got
			end = bytes.Index(room[:n], []byte("\r\n\r\n"))
		}
	})
	require.Contains(b, string(room[:500]), "; hit")
}

// proxyOperated is a proxy before an origin. It ends with the benchmark.
func proxyOperated(b *testing.B, c *proxy.Config, url string, observe func(*proxy.Outcome)) *proxy.Proxy {
	o, err := origin.New(url, origin.Options{})
	require.NoError(b, err)
	b.Cleanup(o.Close)
	c.Routes = []*proxy.Route{{Name: "/", Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}}
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 8 << 20})
	require.NoError(b, err)
	b.Cleanup(func() { store.Close() })
	f := revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 8})
	b.Cleanup(f.Close)
	return proxy.New(f, c, observe)
}

// observer is what hears of outcomes, as app.observe does.
func (on operated) observer(b *testing.B, c *proxy.Config, collector string) func(*proxy.Outcome) {
	var all []func(*proxy.Outcome)
	if on.metrics {
		all = append(all, admin.NewMetrics(admin.Sources{Store: func() cache.Stats { return cache.Stats{} }}).Observe)
	}
	if on.insight {
		in := insight.New(insight.Options{})
		b.Cleanup(in.Close)
		all = append(all, in.Observe)
		if on.listens {
			listen(b, in)
		}
	}
	if on.log != "" {
		log, err := admin.NewLog(admin.LogOptions{Mode: on.log, Format: "json", Sample: 100, Output: io.Discard})
		require.NoError(b, err)
		b.Cleanup(func() { log.Close() })
		all = append(all, log.Observe)
	}
	if on.traced {
		tracing, err := telemetry.Start(telemetry.Options{
			Endpoint: collector, Sample: on.sample, Log: slog.New(slog.DiscardHandler),
			Environment: func(string) (string, bool) { return "", false },
		})
		require.NoError(b, err)
		b.Cleanup(tracing.Close)
		c.Place = tracing.Place
		all = append(all, tracing.Observe)
	}
	return func(o *proxy.Outcome) {
		for _, observe := range all {
			observe(o)
		}
	}
}

// listen reads the events as a page does, which must come.
func listen(b *testing.B, in *insight.Insight) {
	side := httptest.NewServer((&insight.API{Insight: in}).Handler())
	resp, err := http.Get(side.URL + "/api/events")
	require.NoError(b, err)
	var lines atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := bufio.NewScanner(resp.Body)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			lines.Add(1)
		}
	}()
	b.Cleanup(func() {
		in.Close() // ends the stream
		<-done
		resp.Body.Close()
		side.Close()
		require.Positive(b, lines.Load())
	})
}
