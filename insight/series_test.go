package insight

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

func failed() *proxy.Outcome {
	return with(miss(), func(o *proxy.Outcome) { o.Status, o.FwdStatus = 503, 503 })
}

func TestAnOutcomeIsSeenAtOnce(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		in.Observe(hit())
		in.Observe(miss())
		o := in.Overview()
		for _, window := range []string{"5m", "1h", "24h", "total"} {
			assert.EqualValues(t, 2, o.Windows[window].Requests, window)
			assert.Equal(t, .5, *o.Windows[window].HitRatio, window)
		}
		assert.Equal(t, []StatusCount{{200, 2}}, o.Statuses)
	})
}

func TestNothingIsSaidOfNothing(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		o := in.Overview()
		assert.Nil(t, o.Windows["5m"].HitRatio)
		assert.Nil(t, o.Windows["5m"].ByteRatio)
		assert.Nil(t, o.Levels.Client.Availability)
		assert.Equal(t, 1., o.Levels.Client.Budget)
		assert.Empty(t, o.Reasons)
		assert.Empty(t, o.Latency["hit"])
	})
}

// Each window forgets when its time has come, and not before.
func TestWindows(t *testing.T) {
	hasten(t, Options{}, 30*time.Second, func(t *testing.T, f *fast) {
		for range 10 {
			f.Observe(hit())
		}
		requests := func(window string) uint64 { return f.look().Windows[window].Requests }
		f.pass(4 * time.Minute)
		assert.EqualValues(t, 10, requests("5m"))
		f.pass(2 * time.Minute)
		assert.Zero(t, requests("5m"))
		assert.EqualValues(t, 10, requests("1h"))
		f.pass(56 * time.Minute)
		assert.Zero(t, requests("1h"))
		assert.EqualValues(t, 10, requests("24h"))
		f.pass(23*time.Hour + 2*time.Minute)
		assert.Zero(t, requests("24h"))
		assert.EqualValues(t, 10, requests("total"))
	})
}

func TestReasonsAreOfTheLastHour(t *testing.T) {
	hasten(t, Options{}, 30*time.Second, func(t *testing.T, f *fast) {
		f.Observe(with(miss(), func(o *proxy.Outcome) { o.Refused = policy.Private }))
		f.pass(50 * time.Minute)
		f.Observe(hit())
		o := f.look()
		assert.Len(t, o.Reasons, 2)
		require.Len(t, o.Refused, 1)
		assert.Equal(t, ReasonCount{"private", 1, policy.Private.Info().Text, "refuse"}, o.Refused[0])
		assert.InDelta(t, 80, o.Latency["miss"]["p50"], 10)
		f.pass(12 * time.Minute)
		o = f.look()
		require.Len(t, o.Reasons, 1)
		assert.Equal(t, "fresh", o.Reasons[0].Reason)
		assert.Empty(t, o.Refused)
		assert.Empty(t, o.Latency["miss"])
		assert.WithinDuration(t, f.now.Add(-time.Hour), o.Since, 2*time.Minute)
	})
}

func TestSeries(t *testing.T) {
	stats := func() cache.Stats { return cache.Stats{Entries: 3, Cost: 4000, MaxCost: 9000, Evicted: 2} }
	bubble(t, Options{Store: stats}, func(t *testing.T, in *Insight) {
		time.Sleep(500 * time.Millisecond)
		for range 6 {
			in.Observe(hit())
		}
		in.Observe(miss())
		in.Observe(failed())
		wait(500 * time.Millisecond)
		wait(time.Second)
		s, ok := in.Series("5m")
		require.True(t, ok)
		assert.Equal(t, 1., s.Step)
		for name, want := range map[string]float64{
			"serve": 6, "fetch": 2, "pass": 0, "2xx": 7, "5xx": 1, "hit_ratio": .75, "bytes_cache": 6 * 1024, "bytes_origin": 2048,
			"store_entries": 3, "store_bytes": 4000, "store_limit": 9000, "store_evicted": 2,
		} {
			require.Len(t, s.Columns[name], 2, name)
			assert.Equal(t, want, *s.Columns[name][0], name)
		}
		assert.InEpsilon(t, .075, *s.Columns["hit_p99"][0], .13, "milliseconds")
		assert.InEpsilon(t, 60, *s.Columns["origin_p50"][0], .13)
		assert.Nil(t, s.Columns["hit_p99"][1], "there was no hit in that second")
		assert.Nil(t, s.Columns["hit_ratio"][1])
		now := in.Overview().Now
		assert.Len(t, now, len(s.Columns))
		assert.Equal(t, *s.Columns["time"][1], *now["time"])
		_, ok = in.Series("1y")
		assert.False(t, ok)
	})
}

func TestSeriesAreBounded(t *testing.T) {
	hasten(t, Options{}, 10*time.Second, func(t *testing.T, f *fast) {
		f.Observe(hit())
		f.pass(25 * time.Hour)
		f.step = time.Second
		f.pass(10 * time.Minute)
		for span, most := range map[string]int{"5m": 300, "1h": 60, "24h": 1440, "30d": 25} {
			s, _ := f.series(f.now, span)
			n := len(s.Columns["time"])
			assert.LessOrEqual(t, n, most, span)
			assert.GreaterOrEqual(t, n, most-1, span)
			for i := 1; i < n; i++ {
				require.InDelta(t, s.Step, *s.Columns["time"][i]-*s.Columns["time"][i-1], 1e-3, span)
			}
		}
		s, _ := f.series(f.now, "30d")
		assert.Equal(t, 1/3600., *s.Columns["serve"][0])
		assert.Nil(t, s.Columns["hit_p99"][0], "hours have no latencies")
		assert.Len(t, f.history.seconds.points, seconds)
		assert.Len(t, f.history.minutes.points, minutes)
	})
}

// An hour of failures, then none: what the budget and the burn rates say as time passes.
func TestLevelsOverTime(t *testing.T) {
	hasten(t, Options{Objective: .99}, time.Minute, func(t *testing.T, f *fast) {
		each := func(d time.Duration, one func() *proxy.Outcome) {
			for end := f.now.Add(d); f.now.Before(end); f.pass(time.Minute) {
				f.Observe(one())
			}
		}
		each(time.Hour, failed)
		l := f.look().Levels
		assert.Equal(t, "page", l.Client.Alert)
		assert.Equal(t, "page", l.Origin.Alert)
		assert.InDelta(t, 100, *l.Client.Burn[2].Rate, 1e-9)
		assert.InDelta(t, -99, l.Client.Budget, 1e-9)

		each(2*time.Hour, hit)
		l = f.look().Levels
		assert.Equal(t, 0., *l.Client.Burn[0].Rate, "the last 5 minutes are well")
		assert.Equal(t, 0., *l.Client.Burn[2].Rate, "and so is the last hour")
		assert.InDelta(t, 100./3, *l.Client.Burn[3].Rate, 1e-6)
		assert.Nil(t, l.Origin.Burn[0].Rate, "the origin was not asked")
		assert.InDelta(t, 2./3, *l.Client.Availability, 1e-9)

		each(80*time.Hour, hit)
		l = f.look().Levels
		assert.Equal(t, 0., *l.Client.Burn[4].Rate, "what was 3 days ago does not burn")
		assert.InDelta(t, 82./83, *l.Client.Availability, 1e-9, "but it counts for 30 days")
		assert.Empty(t, l.Client.Alert)
	})
}

func TestHiddenFailures(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		for range 20 {
			in.Observe(with(hit(), func(o *proxy.Outcome) { o.Action, o.Reason, o.FwdStatus = policy.ServeStale, policy.StaleIfError, 503 }))
		}
		l := in.Overview().Levels
		assert.EqualValues(t, 20, l.Hidden)
		assert.Equal(t, 1., *l.Client.Availability)
		assert.Equal(t, 0., *l.Origin.Availability)
		assert.Empty(t, l.Client.Alert)
		assert.Equal(t, "page", l.Origin.Alert)
	})
}

func TestSpikeAfterAQuietHour(t *testing.T) {
	hasten(t, Options{}, time.Minute, func(t *testing.T, f *fast) {
		missing := with(miss(), func(o *proxy.Outcome) { o.Status, o.FwdStatus = 404, 404 })
		for range 48 {
			for i := range 100 {
				if i < 2 {
					f.Observe(missing)
				} else {
					f.Observe(miss())
				}
			}
			f.pass(time.Minute)
		}
		assert.False(t, f.look().Levels.Spike.Is)
		for range 100 {
			f.Observe(missing)
		}
		s := f.look().Levels.Spike
		assert.True(t, s.Is, s.Reason)
		assert.InDelta(t, .02, *s.Usual, 1e-9)
	})
}

// Saved time is told from what each route's origin takes.
func TestSavedTime(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		for i, ms := range []int{10, 100} {
			route := func(o *proxy.Outcome) { o.Route, o.OriginTime = fmt.Sprint(i), 0 }
			in.Observe(with(with(miss(), route), func(o *proxy.Outcome) { o.OriginTime = time.Duration(ms) * time.Millisecond }))
			for range 5 {
				in.Observe(with(hit(), route))
			}
		}
		o := in.Overview().Windows["total"]
		assert.EqualValues(t, 10, o.Saved)
		assert.InDelta(t, 5*.010+5*.100, o.SavedTime, 1e-9)
		wait(2 * time.Second)
		assert.InDelta(t, .55, in.Overview().Windows["total"].SavedTime, 1e-9)
	})
}
