package insight

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

// windows makes sums from failures and requests by window; a longer window that
// is not named is like the next shorter one.
func windows(by map[time.Duration][2]uint64) func(time.Duration) (uint64, uint64) {
	return func(d time.Duration) (failed, requests uint64) {
		var longest time.Duration
		for span, v := range by {
			if span <= d && span >= longest {
				longest, failed, requests = span, v[0], v[1]
			}
		}
		return failed, requests
	}
}

const (
	minute = time.Minute
	day    = 24 * time.Hour
)

func TestSide(t *testing.T) {
	for _, tc := range []struct {
		name   string
		sums   map[time.Duration][2]uint64 // failed, requests
		budget float64
		burn   map[string]float64
		alert  string
	}{
		{"no requests", nil, 1, map[string]float64{}, ""},
		{"no failures", map[time.Duration][2]uint64{5 * minute: {0, 1000}}, 1, map[string]float64{"5m": 0, "3d": 0}, ""},
		{"half of the budget is used", map[time.Duration][2]uint64{5 * minute: {0, 10}, 30 * day: {50, 100_000}}, .5, map[string]float64{"5m": 0}, ""},
		{"overdrawn", map[time.Duration][2]uint64{5 * minute: {0, 10}, 30 * day: {300, 100_000}}, -2, map[string]float64{"5m": 0}, ""},
		{"all fails at once", map[time.Duration][2]uint64{5 * minute: {100, 1000}, time.Hour: {100, 5000}, 6 * time.Hour: {100, 30_000}, 3 * day: {100, 400_000}},
			.75, map[string]float64{"5m": 100, "1h": 20, "6h": 100. / 30}, "page"},
		{"slower, for hours", map[time.Duration][2]uint64{5 * minute: {8, 1000}, 30 * minute: {50, 6000}, time.Hour: {80, 12_000}, 6 * time.Hour: {500, 72_000}},
			1 - 500./72, map[string]float64{"30m": 50. / 6, "6h": 500. / 72}, "page"},
		{"slowly, for days", map[time.Duration][2]uint64{5 * minute: {1, 1000}, 6 * time.Hour: {100, 72_000}, 3 * day: {1200, 864_000}},
			1 - 1200./864, map[string]float64{"6h": 100. / 72, "3d": 1200. / 864}, "ticket"},
		{"it was, and is over", map[time.Duration][2]uint64{5 * minute: {0, 1000}, time.Hour: {400, 12_000}, 6 * time.Hour: {400, 72_000}},
			1 - 400./72, map[string]float64{"5m": 0, "1h": 400. / 12}, "ticket"},
		{"one failure of few requests in the night", map[time.Duration][2]uint64{5 * minute: {1, 3}}, 1 - 1/.003, map[string]float64{"5m": 1000. / 3}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := side(.999, windows(tc.sums))
			assert.InDelta(t, tc.budget, s.Budget, 1e-6)
			assert.Equal(t, tc.alert, s.Alert)
			require.Len(t, s.Burn, len(burnWindows))
			for _, b := range s.Burn {
				if want, ok := tc.burn[b.Window]; ok {
					require.NotNil(t, b.Rate, b.Window)
					assert.InDelta(t, want, *b.Rate, 1e-6, b.Window)
				}
			}
			assert.Equal(t, len(tc.sums) == 0, s.Availability == nil)
		})
	}
}

func TestObjectiveSetsTheBudget(t *testing.T) {
	sums := windows(map[time.Duration][2]uint64{5 * minute: {10, 1000}})
	assert.InDelta(t, 0, side(.99, sums).Budget, 1e-9)
	assert.InDelta(t, .9, side(.9, sums).Budget, 1e-9)
	assert.InDelta(t, .99, *side(.99, sums).Availability, 1e-9)
}

// counts makes sums of five minutes with a share of 4xx.
func counts(requests, errors uint64) (c Counts) {
	c.Actions[policy.Serve], c.Classes[4] = requests, errors
	return c
}

func TestSpike(t *testing.T) {
	steady := []Counts{counts(1000, 20), counts(1000, 22), counts(1000, 18), counts(1000, 20), counts(1000, 21), counts(1000, 19)}
	wild := []Counts{counts(1000, 10), counts(1000, 200), counts(1000, 20), counts(1000, 150), counts(1000, 10), counts(1000, 180)}
	for _, tc := range []struct {
		name string
		now  Counts
		past []Counts
		is   bool
		why  string
	}{
		{"as usual", counts(1000, 21), steady, false, "as usual"},
		{"a little more", counts(1000, 29), steady, false, "as usual"},
		{"a spike", counts(1000, 40), steady, true, "more than usual"},
		{"within what varies anyhow", counts(1000, 250), wild, false, "as usual"},
		{"a spike in spite of that", counts(1000, 500), wild, true, "more than usual"},
		{"few requests", counts(40, 40), steady, false, "too few requests"},
		{"few errors", counts(60, 19), steady, false, "too few requests"},
		{"no requests", counts(0, 0), steady, false, "too few requests"},
		{"nothing is known", counts(1000, 900), nil, false, "too little traffic"},
		{"too little is known", counts(1000, 900), steady[:5], false, "too little traffic"},
		{"quiet times say nothing", counts(1000, 900), append(steady[:5:5], counts(49, 0), counts(0, 0)), false, "too little traffic"},
		{"none were usual", counts(1000, 25), []Counts{counts(100, 0), counts(100, 0), counts(100, 0), counts(100, 0), counts(100, 0), counts(100, 0)}, true, "more than usual"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := spike(tc.now, tc.past)
			assert.Equal(t, tc.is, s.Is)
			assert.Contains(t, s.Reason, tc.why)
			assert.Equal(t, tc.now.Classes[4], s.Count)
		})
	}
}
