package upstream

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// checks are the health checks among what was asked.
func (w *world) checks() (list []arrival) {
	for _, a := range w.asked() {
		if a.uri == "/healthz?full" {
			list = append(list, a)
		}
	}
	return list
}

// A target is up until enough checks in a row say otherwise, and again when enough
// say so.
func TestHealth(t *testing.T) {
	bubble(t, func(w *world) {
		w.host("a.test", always(status(500)))
		u := w.upstream(Options{Health: &Health{Path: "/healthz?full", Host: "check.test"}}, "a")
		synctest.Wait()
		for i := range 3 {
			assert.Equal(w, Up, condition(u, 0), "after %d checks", i)
			time.Sleep(time.Duration(1-min(i, 1)) * ms) // within the interval
			if i > 0 {
				time.Sleep(5 * time.Second)
			}
			synctest.Wait()
		}
		assert.Equal(w, Down, condition(u, 0))
		log := w.checks()
		assert.Len(w, log, 3)
		assert.Equal(w, 10*time.Second, log[2].at)
		assert.Equal(w, "check.test", log[0].name)
		assert.Equal(w, "GET", log[0].method)
		s := u.Targets()[0]
		assert.EqualValues(w, 3, s.ChecksFailed)
		assert.Equal(w, "http://a.test: health check answered with status 500", s.LastError)
		assert.Zero(w, s.Requests, "a check is no request")

		g := w.get(u)
		require.Equal(w, origin.Unavailable, g.failure())
		assert.Equal(w, 5*time.Second, g.err.RetryAfter)
		w.host("a.test", always(ok))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(w, Down, condition(u, 0), "one good check is not enough")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(w, Up, condition(u, 0))
		assert.Equal(w, 200, w.get(u).status)
	})
}

func TestWhatAHealthCheckTakesForGood(t *testing.T) {
	for _, tc := range []struct {
		name, answer string
		statuses     []Statuses
		up           bool
	}{
		{"200", ok, nil, true},
		{"301", status(301), nil, true},
		{"404", status(404), nil, false},
		{"404 by choice", status(404), []Statuses{{200, 200}, {404, 404}}, true},
		{"204 not by choice", status(201), []Statuses{{200, 200}}, false},
		{"too slow", silence, nil, false},
		{"lost", "", nil, false},
		{"refused", refuse, nil, false},
		{"not HTTP", "?", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(w *world) {
				w.host("a.test", always(tc.answer))
				if tc.answer == refuse {
					w.refuse("a.test", refused)
				}
				u := w.upstream(Options{Health: &Health{Path: "/", Fall: 1, Statuses: tc.statuses}}, "a")
				time.Sleep(3 * time.Second)
				assert.Equal(w, tc.up, condition(u, 0) == Up)
			})
		})
	}
}

// One bad check among good ones, or one good one among bad ones, turns nothing.
func TestHealthDoesNotFlap(t *testing.T) {
	bubble(t, func(w *world) {
		w.host("a.test", func(a arrival) string {
			if a.n%3 == 0 {
				return ok
			}
			return status(500)
		})
		u := w.upstream(Options{Health: &Health{Path: "/"}}, "a")
		for range 20 {
			time.Sleep(5 * time.Second)
			assert.Equal(w, Up, condition(u, 0))
		}
	})
}

// Checks are spread over the interval, and end with Close.
func TestChecksAreSpreadAndEnd(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Health: &Health{Path: "/healthz?full", Interval: 3 * time.Second}}, "a", "b", "c")
		time.Sleep(3*time.Second - ms)
		at := map[string]time.Duration{}
		for _, a := range w.checks() {
			at[a.host] = a.at
		}
		assert.Equal(w, map[string]time.Duration{"a.test": 0, "b.test": time.Second, "c.test": 2 * time.Second}, at)
		w.host("a.test", always(silence))
		time.Sleep(time.Second) // amid a check
		w.checks()
		u.Close()
		time.Sleep(time.Minute)
		assert.Empty(w, w.checks())
	})
}

// A target that goes down tells those who wait for it.
func TestGoingDownReleasesTheQueue(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 1, QueueTime: time.Minute, Health: &Health{Path: "/healthz?full", Fall: 1}}, "a")
		w.host("a.test", func(a arrival) string {
			if a.uri == "/" {
				time.Sleep(30 * time.Second)
				return ok
			}
			if a.at > 0 {
				return status(500)
			}
			return ok
		})
		go w.get(u)
		synctest.Wait()
		g := w.get(u)
		require.Equal(w, origin.Unavailable, g.failure())
		assert.Equal(w, 5*time.Second, g.took)
	})
}
