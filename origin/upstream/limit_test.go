package upstream

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// load sends requests from so many clients, one after the other each, for a time.
func (w *world) load(u *Upstream, clients int, d time.Duration) {
	for range clients {
		go func() {
			for end := time.Now().Add(d); time.Now().Before(end); {
				if g := w.get(u); g.err != nil && g.took == 0 {
					time.Sleep(100 * ms)
				}
			}
		}()
	}
	time.Sleep(d)
}

func limit(u *Upstream) int { return u.Targets()[0].Limit }

// An origin that gets slow under load is given less at once, and more again once
// it is well.
func TestLimitFollowsLatency(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 60, QueueTime: time.Second}, "a")
		answer := func(d time.Duration) { w.host("a.test", func(arrival) string { time.Sleep(d); return ok }) }
		answer(200 * ms)
		w.load(u, 10, 10*time.Second)
		assert.Equal(w, 60, limit(u), "well, and not near the limit")
		w.load(u, 70, 5*time.Second)
		assert.Equal(w, 60, limit(u), "at the limit, and as fast as ever")
		answer(2 * time.Second)
		w.load(u, 70, 20*time.Second)
		assert.Equal(w, leastBound, limit(u), "slow at the limit; never below the least")
		answer(200 * ms)
		w.load(u, 70, 2*time.Second)
		assert.Greater(w, limit(u), leastBound)
		assert.Less(w, limit(u), 60, "step by step")
		w.load(u, 70, 5*time.Second)
		assert.Equal(w, 60, limit(u))
		time.Sleep(10 * time.Second)
		w.idle(u)
	})
}

// Slowness far from the limit is none of the limit's business.
func TestLimitIgnoresLatencyWithoutLoad(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 60}, "a")
		w.host("a.test", func(arrival) string { time.Sleep(200 * ms); return ok })
		w.load(u, 10, 5*time.Second)
		w.host("a.test", func(arrival) string { time.Sleep(2 * time.Second); return ok })
		w.load(u, 40, 20*time.Second)
		assert.Equal(w, 60, limit(u))
		time.Sleep(10 * time.Second)
	})
}

// Fast and slow requests side by side, even at the limit, are no trouble.
func TestLimitIsRobustAgainstMixedLatency(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 20}, "a")
		w.host("a.test", func(arrival) string {
			d := 20 * ms
			if rand.IntN(3) == 0 {
				d = 900 * ms
			}
			time.Sleep(d)
			return ok
		})
		for range 10 {
			w.load(u, 24, 5*time.Second)
			assert.Equal(w, 20, limit(u))
		}
		time.Sleep(10 * time.Second)
	})
}

// What lasts becomes usual: a target that is slower for good is not kept small.
func TestLimitAcceptsWhatLasts(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 40}, "a")
		w.host("a.test", func(arrival) string { time.Sleep(200 * ms); return ok })
		w.load(u, 50, 5*time.Second)
		w.host("a.test", func(arrival) string { time.Sleep(2 * time.Second); return ok })
		w.load(u, 50, 20*time.Second)
		assert.Equal(w, leastBound, limit(u))
		w.load(u, 50, 4*time.Minute)
		assert.Equal(w, 40, limit(u))
		time.Sleep(10 * time.Second)
	})
}

// Refusals and timeouts cut the limit below what was in use; a few among many
// do not.
func TestLimitFollowsRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		share  int // one in so many
		answer string
		cut    bool
	}{
		{"503", 2, status(503), true},
		{"429", 2, status(429), false},
		{"few 503", 50, status(503), false},
		{"500", 2, status(500), false},
		{"nothing but timeouts", 1, silence, true},
		{"timeouts, and answers meanwhile", 4, silence, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				o := Options{MaxRequests: 100, Retry: single, Ejection: Ejection{Failures: -1}}
				o.Origin.ResponseHeader = time.Second
				u := w.upstream(o, "a")
				w.host("a.test", func(a arrival) string {
					time.Sleep(200 * ms)
					if a.n%tc.share == 0 {
						return tc.answer
					}
					return ok
				})
				w.load(u, 40, 5*time.Second)
				if tc.cut {
					assert.Less(w, limit(u), 40)
				} else {
					assert.Equal(w, 100, limit(u))
				}
				time.Sleep(10 * time.Second)
			})
		})
	}
}

func TestFixedLimit(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 20, FixedLimit: true, Retry: single}, "a")
		w.host("a.test", func(arrival) string { time.Sleep(200 * ms); return status(503) })
		w.load(u, 30, 5*time.Second)
		assert.Equal(w, 20, limit(u))
		time.Sleep(10 * time.Second)
	})
}

// A bound that is smaller than the least stays as it is.
func TestSmallLimit(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 4, Retry: single}, "a")
		w.host("a.test", func(arrival) string { time.Sleep(200 * ms); return status(503) })
		w.load(u, 8, 5*time.Second)
		assert.Equal(w, 4, limit(u))
		synctest.Wait()
		time.Sleep(10 * time.Second)
	})
}

// Typical is the time of the lower quartile, within a quarter above.
func TestTypical(t *testing.T) {
	for range 200 {
		var w window
		quartile := time.Duration(1 + rand.Int64N(int64(time.Hour)))
		for range 10 {
			for _, d := range []time.Duration{quartile / 3, quartile, quartile * 5, quartile * 5, quartile * 100} {
				w.timed++
				w.times[quarter(max(d, 1))]++
			}
		}
		assert.GreaterOrEqual(t, w.typical(), quartile)
		assert.LessOrEqual(t, float64(w.typical()), 1.26*float64(quartile)+1)
	}
	assert.Zero(t, new(window).typical())
	for _, d := range []time.Duration{1, 2, 3, never} {
		assert.NotPanics(t, func() { new(window).times[quarter(d)]++ })
	}
}
