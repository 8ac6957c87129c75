package policy

import (
	"net/http"
	"testing"
	"time"
)

// BenchmarkJudge reads the facts of a request and judges what is stored.
func BenchmarkJudge(b *testing.B) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	admitted := func(rq, resp http.Header) *Stored {
		rules := DefaultRules()
		s, why := Admit(NewRequest(http.MethodGet, rq), &Response{Status: http.StatusOK, Fields: resp}, Times{Requested: now, Received: now}, &rules)
		if s == nil {
			b.Fatal(why)
		}
		return s
	}
	cacheable := http.Header{"Cache-Control": {"max-age=60"}, "Etag": {`"a"`}}
	varying := http.Header{"Cache-Control": {"max-age=60"}, "Vary": {"Accept-Encoding"}}
	one := []*Stored{admitted(http.Header{}, cacheable)}
	two := []*Stored{
		admitted(http.Header{}, varying),
		admitted(http.Header{"Accept-Encoding": {"gzip"}}, varying),
	}
	for _, bc := range []struct {
		name    string
		request http.Header
		stored  []*Stored
		age     time.Duration
		want    Action
	}{
		{"fresh", http.Header{"Accept": {"*/*"}}, one, 10 * time.Second, Serve},
		{"variant", http.Header{"Accept-Encoding": {"gzip"}}, two, 10 * time.Second, Serve},
		{"directives", http.Header{"Cache-Control": {"max-age=30, min-fresh=10"}}, one, 10 * time.Second, Serve},
		{"stale", http.Header{}, one, time.Hour, Validate},
		{"absent", http.Header{}, nil, 0, Fetch},
	} {
		b.Run(bc.name, func(b *testing.B) {
			var rq Request
			b.ReportAllocs()
			for b.Loop() {
				rq.Read(http.MethodGet, bc.request)
				if d := Judge(&rq, bc.stored, now.Add(bc.age)); d.Action != bc.want {
					b.Fatal(d.Action, d.Reason)
				}
			}
		})
	}
}
