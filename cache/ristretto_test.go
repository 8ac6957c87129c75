package cache

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func openOverlay[V any](t testing.TB, maxCost int64) *overlay[V] {
	return open[V](t, Ristretto, maxCost).(*overlay[V])
}

func wantOverlayQuiet[V any](t *testing.T, s *overlay[V]) {
	t.Helper()
	assert.Equal(t, s.max.Load()-s.engine.RemainingCost(), s.cost.Load(), "Stats.Cost against the engine")
	for i := range s.shards {
		assert.Zero(t, s.shards[i].state.Load(), "shard %d: readers or pending intents left", i)
		assert.Empty(t, s.shards[i].pending, "shard %d", i)
	}
}

func TestNumCounters(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want int64
	}{
		{"30 for each entry of the default size", Options{MaxCost: 1 << 30}, (1 << 30) / DefaultMeanCost * 30},
		{"30 for each entry of the given size", Options{MaxCost: 1 << 30, MeanCost: 1 << 20}, 1024 * 30},
		{"a small store gets enough to be useful", Options{MaxCost: 1 << 10}, 1 << 14},
		{"counters do not eat a store of tiny values", Options{MaxCost: 1 << 30, MeanCost: 1}, 1 << 24},
		{"no overflow", Options{MaxCost: math.MaxInt64, MeanCost: 1}, 1 << 30},
	} {
		assert.Equal(t, c.want, numCounters(c.o), c.name)
	}
}

func TestPendingAnswersFirst(t *testing.T) {
	s := openOverlay[string](t, 1<<20)
	s.Set("applied", "old", 3, 0)
	s.Set("deleted", "old", 3, 0)
	s.Set("untouched", "u", 1, 0)
	s.Flush()
	release := stall[string](s)
	s.Set("new", "1", 1, 0)
	s.Set("new", "2", 2, 0)
	s.Set("applied", "new", 30, 0)
	s.Delete("deleted")
	s.Set("brief", "b", 1, 0)
	s.Delete("brief")
	s.Set("again", "1", 1, 0)
	s.Delete("again")
	s.Set("again", "2", 1, 0)
	check := func(when string) {
		t.Helper()
		t.Log(when)
		wantValue(t, s, "untouched", "u")
		wantValue(t, s, "new", "2")
		wantValue(t, s, "applied", "new")
		wantMiss(t, s, "deleted")
		wantMiss(t, s, "brief")
		wantValue(t, s, "again", "2")
		wantMiss(t, s, "never there")
		assert.EqualValues(t, 4, s.Stats().Entries)
		assert.EqualValues(t, 34, s.Stats().Cost)
	}
	check("while the writer is held up")
	assert.Positive(t, s.Stats().Pending)
	release()
	check("while the writer works")
	wantExact(t, s)
	check("afterwards")
}

// Range hides what pending intents supersede, and shows them.
func TestRangeSeesPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openOverlay[string](t, 1<<20)
		defer s.Close()
		for _, key := range []string{"kept", "replaced", "deleted", "refused"} {
			s.Set(key, "old", 1, 0)
		}
		s.Flush()
		release := stall[string](s)
		got := map[string]string{}
		var wg sync.WaitGroup
		wg.Go(func() { s.Range(func(key, v string, _ int64) bool { got[key] = v; return true }) })
		synctest.Wait() // Range waits for its turn
		s.Set("replaced", "new", 1, 0)
		s.Delete("deleted")
		s.Set("refused", "new", 0, 0)
		s.Set("new", "new", 1, 0)
		release()
		wg.Wait()
		assert.Equal(t, map[string]string{"kept": "old", "replaced": "new", "new": "new"}, got)
	})
}

// Trap 13: what waits for the engine is bounded; callers wait instead.
func TestPendingIsBounded(t *testing.T) {
	const maxCost, value, callers = 1 << 20, 10_000, 8
	synctest.Test(t, func(t *testing.T) {
		s := openOverlay[int](t, maxCost)
		defer s.Close()
		release := stall[int](s)
		var wg sync.WaitGroup
		done := 0
		var mu sync.Mutex
		for g := range callers {
			wg.Go(func() {
				for i := range 50 {
					s.Set(fmt.Sprint(g, "-", i), i, value, 0)
					mu.Lock()
					done++
					mu.Unlock()
				}
			})
		}
		synctest.Wait() // every caller is blocked
		mu.Lock()
		assert.Less(t, done, 50*callers, "callers must wait for the writer")
		assert.Positive(t, done)
		mu.Unlock()
		st := s.Stats()
		assert.Greater(t, st.Pending, s.room())
		assert.LessOrEqual(t, st.Pending, s.room()+int64(callers*value))
		release()
		wg.Wait()
		assert.EqualValues(t, 50*callers, s.Stats().Sets)
		wantExact(t, s)
	})
}

func TestPendingHasRoomForTheLargest(t *testing.T) {
	s := openOverlay[int](t, 1<<20)
	s.Set("a", 1, 1<<20, 0)
	wantValue(t, s, "a", 1)
	assert.EqualValues(t, 1<<20, wantExact(t, s).Cost)
	wantValue(t, s, "a", 1)
}

// Costs may be in any unit, so a tombstone may be more than the store.
func TestTinyStore(t *testing.T) {
	s := openOverlay[int](t, 3)
	for i := range 100 {
		assert.True(t, s.Set("a", i, 1, 0))
		s.Delete("a") // there may be nothing, if admission has refused it
		wantMiss(t, s, "a")
		s.Set(fmt.Sprint(i), i, 2, 0)
	}
	assert.LessOrEqual(t, wantExact(t, s).Cost, int64(3))
}

func TestIdleStoreDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openOverlay[int](t, 1<<20)
		defer s.Close()
		for i := range 1000 {
			s.Set(fmt.Sprint(i), i, 10, 0)
			s.Delete(fmt.Sprint(i - 3))
		}
		synctest.Wait()
		st := s.Stats()
		assert.Zero(t, st.Pending)
		assert.EqualValues(t, 3, st.Entries)
	})
}

// A burst does not leave large maps behind.
func TestPendingMapsShrink(t *testing.T) {
	s := openOverlay[int](t, 64<<20)
	release := stall[int](s)
	const n = 100 * shardCount
	for i := range n {
		s.Set(fmt.Sprint(i), i, 10, 0)
	}
	release()
	assert.EqualValues(t, n, wantExact(t, s).Entries, "none is lost")
	for i := range s.shards {
		assert.LessOrEqual(t, s.shards[i].peak, 64)
	}
}

// The sweep looks without the turn: what was set again and applied before it gets
// the turn is not what it saw.
func TestSweepSparesWhatWasSetMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openOverlay[int](t, 1<<20)
		defer s.Close()
		s.Set("again", 1, 1, time.Second)
		s.Set("gone", 1, 1, time.Second)
		s.Flush()
		release := stall[int](s)
		time.Sleep(sweepEvery + time.Second)
		synctest.Wait() // the sweep has seen both and waits
		s.Set("again", 2, 1, 0)
		s.applyQueued()
		release()
		synctest.Wait()
		wantValue(t, s, "again", 2)
		st := wantExact(t, s)
		assert.EqualValues(t, 1, st.Entries)
		assert.EqualValues(t, 1, st.Expired)
	})
}

func TestClearHidesWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openOverlay[int](t, 1<<20)
		defer s.Close()
		s.Set("applied", 1, 1, 0)
		for i := range 100 {
			s.Set(fmt.Sprint("quiet", i), i, 1, 0)
		}
		s.Flush()
		release := stall[int](s)
		s.Set("applied", 2, 1, 0)
		s.Set("pending", 1, 1, 0)
		var wg sync.WaitGroup
		wg.Go(s.Clear)
		synctest.Wait()
		hidden := func() {
			t.Helper()
			wantMiss(t, s, "applied")
			wantMiss(t, s, "pending")
			for i := range 100 { // most of them in shards where nothing is pending
				wantMiss(t, s, fmt.Sprint("quiet", i))
			}
		}
		hidden()
		s.Set("later", 1, 1, 0)
		wantValue(t, s, "later", 1)
		release()
		wg.Wait()
		hidden()
		assert.LessOrEqual(t, wantExact(t, s).Entries, int64(1))
		hidden()
	})
}

func TestCloseReleasesCallersThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openOverlay[int](t, 1<<16)
		release := stall[int](s)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; s.Set(fmt.Sprint(i), i, 1000, 0); i++ {
			}
		})
		wg.Go(s.Clear)
		wg.Go(s.Flush)
		wg.Go(func() { s.Resize(1 << 15) })
		wg.Go(func() { s.Range(func(string, int, int64) bool { return true }) })
		synctest.Wait()
		wg.Go(func() { assert.NoError(t, s.Close()) })
		synctest.Wait()
		release()
		wg.Wait()
	})
}

func TestCloseWaitsForReaders(t *testing.T) {
	s := openOverlay[int](t, 1<<16)
	sh := &s.shards[7]
	sh.state.Add(1) // a Get that is in the engine
	closed := make(chan struct{})
	go func() { defer close(closed); assert.NoError(t, s.Close()) }()
	s.working.Wait()
	for range 1000 {
		runtime.Gosched()
		select {
		case <-closed:
			t.Fatal("closed beside a Get")
		default:
		}
	}
	sh.state.Add(minusOne)
	<-closed
}
