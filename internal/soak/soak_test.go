//go:build linux

package soak

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	shortTime = 20 * time.Second // where SOAK_TIME says nothing
	leastTime = 15 * time.Second // below that the windows have too few samples

	// How much more than at 30 % of the time there may be at the end.
	//
	// In a pause nothing is under way, and what is left is the same each time but for
	// what the runtime and the operator's side have just finished.
	calmMargin = 2
	// Under load the median differs by what clients do at the moment: each has a
	// connection, and a request that may have one to the origin.
	busyMargin = clients
	// A heap may grow by 32 MiB between collections, and the median of a window is
	// somewhere between. What leaks 50 bytes with each of the requests of ten minutes
	// (some 500,000) is beyond this margin.
	memoryMargin = 24 << 20
)

func TestSoak(t *testing.T) {
	d := soakTime(t)
	over, stop := context.WithCancel(t.Context())
	defer stop()
	w := newWorld(t, over)
	start := time.Now()
	var wg sync.WaitGroup
	for n, way := range w.ways {
		for m := range way.clients {
			c := &client{world: w, way: way, Rand: rand.New(rand.NewPCG(uint64(n), uint64(m)))}
			wg.Go(c.run)
		}
	}
	var samples []sample
	wg.Go(func() { samples = w.watch(over, start) })

	w.until(start.Add(d * 3 / 10))
	first := w.pause(start, 6*time.Second)
	w.until(start.Add(d))
	stop()
	wg.Wait()
	last := w.pause(start, 7*time.Second)

	r := w.result(start, first, last, samples)
	t.Logf("\n%s", r.markdown())
	r.write(t)
	r.judge(t)
	assert.Zero(t, w.site.torn.Load(), "contents that came to the origin as complete, and were not what the client sent")
	code, err := w.proxy.Stop()
	assert.NoError(t, err)
	assert.Zero(t, code, "exit code of cacheproxy")
}

func soakTime(t *testing.T) time.Duration {
	text := os.Getenv("SOAK_TIME")
	if text == "" {
		return shortTime
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "SOAK_TIME")
	require.GreaterOrEqual(t, d, leastTime, "SOAK_TIME")
	return d
}

// judge holds a result to what was promised.
func (r *result) judge(t *testing.T) {
	assert.Zero(t, r.All.Failed, "requests that failed, and not by the origin")
	assert.Zero(t, r.All.Wrong, "wrong bodies")
	for _, k := range r.Kinds {
		assert.Positive(t, k.Good+k.Left, "%s: none was answered", k.Kind)
	}
	for _, way := range r.Ways {
		assert.Positive(t, way.Good, "%s: none was answered", way.Way)
	}
	assert.Positive(t, r.All.Stored, "nothing was answered from the store")
	assert.Positive(t, r.All.Origin, "the origins' failures were seen")
	for _, n := range []int{r.Weather.Restarts, r.Weather.Spells, r.Weather.Signals, r.Weather.Changes, r.Weather.Refusals} {
		assert.Positive(t, n, "all of the weather came: %+v", r.Weather)
	}
	compare := func(name string, a, b sample, margin int) {
		assert.LessOrEqual(t, b.Goroutines, a.Goroutines+margin, "goroutines, %s", name)
		assert.LessOrEqual(t, b.Files, a.Files+margin, "files, %s", name)
		assert.LessOrEqual(t, b.RSS, a.RSS+memoryMargin, "resident memory, %s", name)
	}
	compare("in a pause", r.CalmFirst, r.CalmLast, calmMargin)
	compare("under load", r.BusyFirst, r.BusyLast, busyMargin)
	if t.Failed() {
		t.Logf("goroutines at the end:\n%s", r.CalmLast.stacks)
	}
}
