package load

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/report"
	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/workload"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// web is a source with everything in it: variants, ranges, conditions, HEAD, POST.
func web(t *testing.T) Source {
	spec, err := workload.Parse("objects=300,sizes=uniform:0-20000,once=0.1,head=0.1,post=0.1,ranges=0.2,current=0.2,expired=0.1,vary-encoding=0.5,vary-language=0.5")
	require.NoError(t, err)
	source, err := workload.New(spec)
	require.NoError(t, err)
	return source
}

func TestEverythingThatTheOriginSendsIsRight(t *testing.T) {
	origin, err := testorigin.Listen("127.0.0.1:0", testorigin.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { origin.Close() })
	for _, tc := range []struct {
		name   string
		http2  bool
		origin Origin
	}{
		{"HTTP/1.1", false, Local{Origin: origin.Origin}},
		{"HTTP/2", true, Local{Origin: origin.Origin}},
		{"asked from afar", false, Remote(origin.URL())},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Run(t.Context(), Options{
				Target: target(origin.URL()), Source: web(t), Connections: 40, HTTP2: tc.http2, Timeout: 20 * time.Second,
				Warmup: Part{Requests: 100}, Measured: Part{Requests: 600}, Origin: tc.origin, Check: true,
			})
			require.NoError(t, err)
			require.Empty(t, r.Errors)
			assert.Equal(t, int64(600), r.Answered)
			require.NotNil(t, r.Origin)
			assert.Equal(t, r.Answered, r.Origin.Requests, "the warm-up is not in it")
			assert.Equal(t, r.Bytes, r.Origin.Bytes)
			assert.Zero(t, r.Origin.Ratio)
			assert.Nil(t, r.ByFields, "no cache, no field")
			assert.Equal(t, []report.Count{{Name: "none", Requests: 600}}, r.Fields)
			var statuses int64
			for _, s := range r.Statuses {
				statuses += s.Requests
				assert.Contains(t, []string{"200", "206", "304"}, s.Name)
			}
			assert.Equal(t, r.Answered, statuses)
			var inSeries int64
			for _, p := range r.Series {
				inSeries += p.Requests
			}
			assert.Equal(t, r.Answered, inSeries, "each is in one interval")
		})
	}
}

func TestTLS(t *testing.T) {
	origin, err := testorigin.New(testorigin.Options{})
	require.NoError(t, err)
	for _, http2 := range []bool{false, true} {
		var wrong atomic.Int64
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if (r.ProtoMajor == 2) != http2 {
				wrong.Add(1)
			}
			origin.ServeHTTP(w, r)
		}))
		s.EnableHTTP2, s.Config.ErrorLog = true, quiet()
		s.StartTLS()
		t.Cleanup(s.Close)
		r, err := Run(t.Context(), Options{
			Target: target(s.URL), Source: web(t), Connections: 40, HTTP2: http2, TLS: &tls.Config{InsecureSkipVerify: true},
			Timeout: 20 * time.Second, Measured: Part{Requests: 200}, Origin: Local{Origin: origin}, Check: true,
		})
		require.NoError(t, err)
		assert.Empty(t, r.Errors)
		assert.Equal(t, int64(200), r.Answered)
		assert.Zero(t, wrong.Load(), "requests in the other protocol")
	}
}

func TestWarmupIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		o := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if n++; n <= 10 {
				time.Sleep(time.Second)
			}
			time.Sleep(time.Millisecond)
			w.Header().Set("X-Cache", "HIT")
		})
		o.Warmup, o.Measured = Part{Requests: 10}, Part{Duration: time.Second}
		r, err := Run(t.Context(), o)
		require.NoError(t, err)
		assert.Less(t, r.All.At(100), int64(2000), "microseconds")
		assert.Equal(t, "10 requests", r.Load.Warmup)
		assert.Equal(t, 1.0, r.ByFields.Requests)
		assert.Equal(t, r.Answered, r.Hits.Count)
		assert.InDelta(t, 1, r.Seconds, 0.01)
	})
}

func TestStopEndsARunWithAReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) })
		stop := make(chan struct{})
		o.Stop, o.Connections, o.Measured = stop, 3, Part{Duration: time.Hour}
		time.AfterFunc(90*time.Second/4, func() { close(stop) })
		r, err := Run(t.Context(), o)
		require.NoError(t, err)
		assert.True(t, r.Stopped)
		assert.Equal(t, int64(3*23), r.Answered, "what was on its way is waited for")
		assert.Zero(t, r.Failed())
	})
}

func TestStopInTheWarmupLeavesNothingToReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := serve(t, func(http.ResponseWriter, *http.Request) {})
		stop := make(chan struct{})
		close(stop)
		o.Stop, o.Warmup, o.Measured = stop, Part{Duration: time.Minute}, Part{Duration: time.Hour}
		_, err := Run(t.Context(), o)
		assert.ErrorContains(t, err, "warm-up")
	})
}

// forgetful is an origin that cannot be asked any more once it was reset.
type forgetful struct{ reset bool }

func (f *forgetful) Counts(context.Context) (report.Origin, error) {
	if f.reset {
		return report.Origin{}, errors.New("it has gone")
	}
	return report.Origin{}, nil
}

func (f *forgetful) Reset(context.Context) error {
	f.reset = true
	return nil
}

func TestLossOfTheOriginLeavesTheReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Cache", "HIT") })
		o.Measured, o.Origin = Part{Requests: 20}, new(forgetful)
		r, err := Run(t.Context(), o)
		assert.ErrorContains(t, err, "it has gone")
		require.NotNil(t, r)
		assert.Equal(t, int64(20), r.Answered)
		assert.Equal(t, 1.0, r.ByFields.Requests)
		assert.Nil(t, r.Origin)
	})
}

// slow is an origin that takes its time to tell its counters.
type slow struct{}

func (slow) Counts(context.Context) (report.Origin, error) {
	time.Sleep(900 * time.Millisecond)
	return report.Origin{}, nil
}

func (slow) Reset(context.Context) error { return nil }

func TestSlowOriginDelaysNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := serve(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil { // it never stands still, and never ends
				_, _ = w.Write([]byte("x"))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		})
		o.Timeout, o.Measured, o.Origin = 100*time.Millisecond, Part{Duration: 5 * time.Second}, slow{}
		r, err := Run(t.Context(), o)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, r.Failed(), int64(o.Measured.Duration/(o.Timeout+beat)))
	})
}

func TestEndOfTheContextEndsARunAtOnce(t *testing.T) {
	for _, rate := range []float64{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			o := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			o.Timeout, o.Connections, o.Rate, o.Measured = time.Hour, 5, rate, Part{Duration: time.Hour}
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Minute, func() { cancel(errors.New("enough")) })
			start := time.Now()
			_, err := Run(ctx, o)
			assert.ErrorContains(t, err, "enough")
			assert.Less(t, time.Since(start), 62*time.Second)
		})
	}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(10 * time.Millisecond)
			w.Header().Set("X-Cache", "MISS")
		})
		var all []Progress
		o.Warmup, o.Measured = Part{Duration: time.Second}, Part{Duration: 4 * time.Second}
		o.Progress = func(p Progress) { all = append(all, p) }
		_, err := Run(t.Context(), o)
		require.NoError(t, err)
		require.NotEmpty(t, all)
		assert.Equal(t, "warm-up", all[0].Part)
		last := all[len(all)-1]
		assert.Equal(t, "measured", last.Part)
		assert.InDelta(t, 0.97, last.Done, 0.06)
		assert.InDelta(t, 100, last.PerSec, 3)
		assert.Zero(t, last.Ratio)
		assert.Zero(t, last.Errors)
	})
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	good := Options{Target: target("http://127.0.0.1:1"), Source: always("/"), Connections: 1, Timeout: time.Second, Measured: Part{Requests: 1}}
	require.NoError(t, good.Validate())
	for _, tc := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.Target = nil }, "target: want http://host"},
		{func(o *Options) { o.Target = target("ftp://host") }, "target: want http://host"},
		{func(o *Options) { o.Target = target("http://host/path") }, "no path"},
		{func(o *Options) { o.Connections = 0 }, "connections: 0"},
		{func(o *Options) { o.Connections = 10_001 }, "connections: 10001"},
		{func(o *Options) { o.Rate = -1 }, "rate: -1"},
		{func(o *Options) { o.Rate = 2e6 }, "rate: 2e+06"},
		{func(o *Options) { o.Timeout = 0 }, "timeout: 0s"},
		{func(o *Options) { o.Measured = Part{} }, "how long to measure"},
		{func(o *Options) { o.Warmup.Duration = -1 }, "warm-up"},
	} {
		o := good
		tc.change(&o)
		_, err := Run(t.Context(), o)
		assert.ErrorContains(t, err, tc.want)
		assert.False(t, strings.Contains(err.Error(), "\n"), "one mistake, one line")
	}
}
