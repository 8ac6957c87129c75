package telemetry

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// BenchmarkHit is a hit of the fast lane without its socket: with tracing off; on,
// but this request not sampled; and sampled.
func BenchmarkHit(b *testing.B) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = w.Write(make([]byte, 1024))
	}))
	defer backend.Close()
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer sink.Close()
	for _, bc := range []struct {
		name   string
		on     bool
		sample float64
		fields []proxy.Field
	}{
		{"off", false, 0, nil},
		{"off/traceparent", false, 0, []proxy.Field{{Name: "traceparent", Value: sampled}}},
		{"on/not-sampled", true, 0, nil},
		{"on/not-sampled/traceparent", true, 0, []proxy.Field{{Name: "traceparent", Value: sampled}}},
		{"on/sampled", true, 1, nil},
	} {
		b.Run(bc.name, func(b *testing.B) {
			o, err := origin.New(backend.URL, origin.Options{})
			require.NoError(b, err)
			defer o.Close()
			c := &proxy.Config{
				Name: "cacheproxy", Token: "me",
				Routes: []*proxy.Route{{Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
			}
			var tracing *Tracing
			if bc.on {
				tracing, err = Start(Options{Endpoint: sink.URL, Sample: bc.sample, Log: slog.New(slog.DiscardHandler), Environment: env("", "")})
				require.NoError(b, err)
				defer tracing.Close()
				c.Place = tracing.Place
			}
			store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 8 << 20})
			require.NoError(b, err)
			defer store.Close()
			f := revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 8})
			defer f.Close()
			p := proxy.New(f, c, tracing.Observe)
			first := httptest.NewRequest(http.MethodGet, "http://example.com/a", nil)
			p.ServeHTTP(httptest.NewRecorder(), first)
			h := &proxy.Head{Method: "GET", Host: "example.com", Target: "/a", Proto: "HTTP/1.1", Remote: "192.0.2.1:1234", Fields: bc.fields}
			var r proxy.Reply
			b.ReportAllocs()
			for b.Loop() {
				if !p.Hit(h, &r) {
					b.Fatal("no hit")
				}
				r.Done(1024, true)
			}
		})
	}
}
