package cache

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Trap 20: Clear hides all that was written before, and the counters go on.
func TestClear(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<22)
		for round := range 3 {
			for i := range 2000 {
				s.Set(fmt.Sprint("k", i), i, 100, 0)
			}
			if round > 0 {
				s.Flush()
			}
			s.Clear()
			for i := range 2000 {
				wantMiss(t, s, fmt.Sprint("k", i))
			}
			assert.Zero(t, s.Stats().Entries)
			st := wantExact(t, s)
			assert.Zero(t, st.Cost)
			assert.Zero(t, st.Evicted, "cleared is not evicted")
			assert.EqualValues(t, 2000*(round+1), st.Sets, "counters go on")
			s.Update("k1", func(_ int, ok bool) Change[int] {
				assert.False(t, ok, "Update sees what was cleared")
				return Change[int]{}
			})
		}
		s.Set("k1", 7, 1, 0)
		wantValue(t, s, "k1", 7)
		wantExact(t, s)
		wantValue(t, s, "k1", 7)
	})
}

// Trap 20 again: nothing older than a Clear is served, whatever is written beside it.
func TestClearUnderLoad(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<22)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
						s.Set(fmt.Sprint("load", i%1000), i, 100, 0)
						runtime.Gosched()
					}
				}
			})
		}
		for i := range 20 {
			for k := range 50 {
				s.Set(fmt.Sprint("k", k), i, int64(i+1), 0)
			}
			sets := s.Stats().Sets
			s.Clear()
			for k := range 50 {
				wantMiss(t, s, fmt.Sprint("k", k))
			}
			s.Set("after", i, 1, 0)
			wantValue(t, s, "after", i)
			assert.GreaterOrEqual(t, s.Stats().Sets, sets)
		}
		close(stop)
		wg.Wait()
		wantExact(t, s)
	})
}

// Trap 24: fn of Range may call the store.
func TestRange(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		want := map[string]int{}
		for i := range 500 {
			key := fmt.Sprint("k", i)
			want[key] = i
			s.Set(key, i, int64(i+1), 0)
			if i == 250 {
				s.Flush()
			}
		}
		got := map[string]int{}
		s.Range(func(key string, v int, cost int64) bool {
			assert.EqualValues(t, v+1, cost)
			assert.NotContains(t, got, key, "seen twice")
			got[key] = v
			return true
		})
		assert.Equal(t, want, got)

		calls := 0
		s.Range(func(string, int, int64) bool { calls++; return calls < 3 })
		assert.Equal(t, 3, calls, "false stops it")

		s.Range(func(key string, v int, _ int64) bool {
			if v%2 == 0 {
				assert.True(t, s.Delete(key))
			} else {
				s.Set(key, v, 1, 0)
			}
			return true
		})
		assert.EqualValues(t, 250, wantExact(t, s).Entries)
	})
}

// An entry that is there all the time is seen exactly once, also when it is set
// again and again meanwhile, at the same cost or another.
func TestRangeMissesNothingUnderWrites(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		const keys = 300
		s := open[int](t, e, 1<<20)
		for k := range keys {
			s.Set(fmt.Sprint("k", k), 0, 1, 0)
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for g := range 2 {
			wg.Go(func() {
				for i := g; ; i += 2 {
					select {
					case <-stop:
						return
					default:
						s.Set(fmt.Sprint("k", i%keys), i, int64(1+i/keys%3), 0)
					}
				}
			})
		}
		for range 200 {
			seen := map[string]int{}
			s.Range(func(key string, _ int, _ int64) bool { seen[key]++; return true })
			if len(seen) != keys {
				t.Errorf("%d of %d keys seen", len(seen), keys)
			}
			for key, n := range seen {
				if n != 1 {
					t.Errorf("%s seen %d times", key, n)
				}
			}
		}
		close(stop)
		wg.Wait()
		wantExact(t, s)
	})
}
