package report

import (
	"math"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
)

// latency makes a distribution of n values that grow up to most microseconds.
func latency(t *testing.T, n int, most int64) Latency {
	t.Helper()
	h := hdr.New(1, 60_000_000, 3)
	for i := range n {
		require.NoError(t, h.RecordValue(max(1, most*int64(i+1)/int64(n))))
	}
	l, err := NewLatency(h)
	require.NoError(t, err)
	return l
}

// sample is a run in which everything happened.
func sample(t *testing.T) *Run {
	t.Helper()
	r := &Run{
		Version: Version, Started: time.Date(2026, 11, 30, 5, 0, 0, 0, time.UTC), Target: "http://127.0.0.1:8000",
		Command: []string{"cacheproxy", "bench", "http://127.0.0.1:8000", "--html", "<x>.html"}, Workload: "objects=20000,alpha=0.9,seed=1",
		Load:        Load{Protocol: "HTTP/1.1", Connections: 32, Rate: 1000, Warmup: "3s", Checked: true, Late: 40, MostLate: 1500},
		Environment: Environment{Program: "cacheproxy 1.0", Go: "go1.26", System: "linux/amd64", CPUs: 2, Server: "nginx <b>", Via: "1.1 x"},
		Seconds:     10, Sent: 10_010, Answered: 10_000, Bytes: 100 << 20,
		Statuses: []Count{{"200", 9_500}, {"206", 300}, {"304", 200}, {"503", 10}},
		Errors:   []ErrorCount{{"status", 10, `GET /o/1-2: status 503: "<why>"`}},
		Fields:   []Count{{"Cache-Status", 9_990}, {"none", 10}},
		Results:  []Result{{"hit", 7_000, 60 << 20}, {"stale", 90, 1 << 20}, {"collapsed", 10, 1000}, {"miss", 2_890, 30 << 20}, {"unknown", 10, 0}},
		ByFields: &Ratio{0.71, 0.61},
		Origin:   &Origin{Requests: 3_003, NotModified: 100, Bytes: 40 << 20, Ratio: Ratio{0.7, 0.6}},
		All:      latency(t, 10_000, 50_000), Hits: latency(t, 7_090, 2_000), Misses: latency(t, 2_910, 50_000),
		Interval: 0.25, Driver: Usage{CPU: 9, WithOrigin: true},
		Watched: &Process{PID: 42, CPU: 8.5, FirstRSS: 20 << 20, MostRSS: 300 << 20, LastRSS: 290 << 20, Bound: Bound{"size of the cache", 256 << 20}},
	}
	for i := range 40 {
		wave := int64(100 * math.Sin(float64(i)))
		r.Series = append(r.Series, Point{
			Second: float64(i+1) / 4, Requests: 250, Saved: 175 + wave/4, Errors: int64(i % 5 / 4), Bytes: 2 << 20,
			HitP50: 800 + wave, HitP99: 1900 + wave, MissP50: 20_000 + wave, MissP99: 49_000, Origin: 75, RSS: int64(i+20) << 22, CPU: 0.2,
		})
	}
	return r
}

// bare is a run of which next to nothing is known.
func bare() *Run {
	return &Run{Version: Version, Target: "http://h", Load: Load{Protocol: "HTTP/2", Connections: 1, Warmup: "none"}}
}
