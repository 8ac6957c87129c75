package upstream

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// In a storm retries are a fifth of the requests, and a few more.
func TestBudgetInAStorm(t *testing.T) {
	bubble(t, func(w *world) {
		budget := NewBudget(0, 0)
		u := w.upstream(Options{Retry: Retry{Budget: budget}}, "a")
		other := w.upstream(Options{Retry: Retry{Budget: budget}}, "b")
		w.host("a.test", always(status(502)))
		w.host("b.test", always(status(502)))
		const seconds, each = 20, 50
		for range seconds {
			for range each {
				go w.get(u)
				go w.get(other)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		requests, tries := 2*seconds*each, len(w.asked())
		bound := requests/5 + 10*seconds + 100
		assert.LessOrEqual(w, tries-requests, bound)
		assert.Greater(w, tries-requests, bound*9/10, "what may be used is")
		var counted int64
		for _, s := range append(u.Targets(), other.Targets()...) {
			counted += s.Retries
		}
		assert.EqualValues(w, tries-requests, counted)
	})
}

func TestBudget(t *testing.T) {
	for _, tc := range []struct {
		name             string
		share, perSecond float64
		atFirst          int // retries at once
		afterHundred     int // more, after 100 requests in no time
		afterSecond      int // more, after a second
	}{
		{"default", 0, 0, 100, 20, 10},
		{"share only", 0.5, -1, 10, 10, 0}, // no more is saved than ten
		{"rate only", -1, 5, 50, 0, 5},
		{"none", -1, -1, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudget(tc.share, tc.perSecond)
				all := func() (n int) {
					for b.take() {
						n++
					}
					return n
				}
				assert.Equal(t, tc.atFirst, all())
				for range 100 {
					b.request()
				}
				assert.Equal(t, tc.afterHundred, all())
				time.Sleep(time.Second)
				assert.Equal(t, tc.afterSecond, all())
				time.Sleep(time.Hour)
				assert.Equal(t, min(tc.atFirst, int(burstTime*max(b.perSecond, 0))), all(), "a quiet hour saves no more than the burst")
			})
		})
	}
}
