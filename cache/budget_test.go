package cache

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAccountsAreExact(t *testing.T) {
	s := open[int](t, 1<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		key := fmt.Sprint("k", rng.IntN(3000))
		switch rng.IntN(10) {
		case 0:
			s.Delete(key)
		case 1, 2, 3:
			s.Get(key)
		default:
			s.Set(key, i, int64(rng.IntN(1<<rng.IntN(16))), 0)
		}
		if i%4_000 == 0 {
			wantExact(t, s)
		}
	}
	st := wantExact(t, s)
	assert.Positive(t, st.Evicted)
	assert.Positive(t, st.Entries)
	for i := range 3000 {
		s.Delete(fmt.Sprint("k", i))
	}
	st = wantExact(t, s)
	assert.Zero(t, st.Cost)
	assert.Zero(t, st.Entries)
}

func TestEverySetIsAccountedFor(t *testing.T) {
	s := open[int](t, 1<<18)
	for i := range 20_000 {
		s.Set(fmt.Sprint("k", i), i, 100, 0)
	}
	st := wantExact(t, s)
	assert.EqualValues(t, 20_000, st.Sets)
	assert.Equal(t, st.Sets, uint64(st.Entries)+st.Evicted+st.Rejected, "each is held, evicted or refused")
	assert.Greater(t, st.Cost, st.MaxCost*8/10, "the store is used")
}

func TestGrowthStaysWithinMaxCost(t *testing.T) {
	s := open[int](t, 1<<20)
	for i := range 90 {
		s.Set(fmt.Sprint("k", i), i, 10_000, 0)
	}
	wantExact(t, s)
	for i := range 90 {
		s.Set(fmt.Sprint("k", i), -i, 100_000, 0)
		s.flush()
		assert.LessOrEqual(t, s.Stats().Cost, int64(1<<20))
	}
	st := wantExact(t, s)
	assert.LessOrEqual(t, st.Entries, int64(10))
	s.Range(func(key string, v int, cost int64) bool {
		assert.LessOrEqual(t, v, 0, "%s has its old value", key)
		return true
	})
}

func TestShrinkingValuesGiveTheirBytesBack(t *testing.T) {
	s := open[int](t, 1<<20)
	for i := range 100 {
		s.Set(fmt.Sprint("k", i), 1, 9_000, 0)
	}
	s.flush()
	for i := range 100 {
		s.Set(fmt.Sprint("k", i), 2, 100, 0)
	}
	st := wantExact(t, s)
	assert.EqualValues(t, 100, st.Entries)
	assert.Less(t, st.Cost, int64(50_000))
}

func TestResize(t *testing.T) {
	s := open[int](t, 1<<20)
	for i := range 2000 {
		s.Set(fmt.Sprint("k", i), i, 100, 0)
	}
	before := wantExact(t, s)
	for _, size := range []int64{1 << 18, 1 << 16, 1} {
		s.Resize(size)
		st := s.Stats()
		assert.Equal(t, size, st.MaxCost)
		assert.LessOrEqual(t, st.Cost, size, "at once")
		assert.EqualValues(t, before.Entries, st.Entries+int64(st.Evicted))
		wantExact(t, s)
	}
	assert.False(t, s.Set("a", 1, 100, 0), "larger than the store is now")
	s.Resize(0)
	s.Resize(-7)
	assert.EqualValues(t, 1, s.Stats().MaxCost, "nonsense changes nothing")

	s.Resize(2 << 20)
	for i := range 4000 {
		assert.True(t, s.Set(fmt.Sprint("k", i), i, 100, 0))
	}
	assert.EqualValues(t, 4000, wantExact(t, s).Entries, "growth is used")
}

func TestResizeKeepsWhatFits(t *testing.T) {
	s := open[int](t, 1<<20)
	for i := range 2000 {
		s.Set(fmt.Sprint("k", i), i, 100, 0)
	}
	s.flush()
	s.Resize(1 << 19)
	st := wantExact(t, s)
	assert.Greater(t, st.Cost, int64(1<<19-1000))
}

func TestClear(t *testing.T) {
	s := open[int](t, 1<<22)
	for round := range 3 {
		for i := range 2000 {
			s.Set(fmt.Sprint("k", i), i, 100, 0)
		}
		if round > 0 {
			s.flush()
		}
		s.Clear()
		for i := range 2000 {
			wantMiss(t, s, fmt.Sprint("k", i))
		}
		assert.Zero(t, s.Stats().Entries)
		assert.Zero(t, wantExact(t, s).Cost)
		assert.EqualValues(t, 2000*(round+1), s.Stats().Sets, "counters go on")
		s.Update("k1", func(_ int, ok bool) Change[int] {
			assert.False(t, ok, "Update sees what was cleared")
			return Change[int]{}
		})
	}
	s.Set("k1", 7, 1, 0)
	wantValue(t, s, "k1", 7)
	wantExact(t, s)
	wantValue(t, s, "k1", 7)
}

func TestClearHidesWhatIsPending(t *testing.T) {
	s := open[int](t, 1<<20)
	s.Set("applied", 1, 1, 0)
	for i := range 100 {
		s.Set(fmt.Sprint("quiet", i), i, 1, 0)
	}
	s.flush()
	release := stall(s)
	s.Set("applied", 2, 1, 0)
	s.Set("pending", 1, 1, 0)
	cleared := make(chan struct{})
	go func() { defer close(cleared); s.Clear() }()
	for s.epoch.Load() == 0 {
		runtime.Gosched()
	}
	wantMiss(t, s, "applied")
	wantMiss(t, s, "pending")
	for i := range 100 { // most of them in shards where nothing is pending
		wantMiss(t, s, fmt.Sprint("quiet", i))
	}
	s.Range(func(key string, _ int, _ int64) bool { t.Errorf("Range shows %s", key); return true })
	s.Set("later", 1, 1, 0)
	release()
	<-cleared
	wantMiss(t, s, "applied")
	wantMiss(t, s, "pending")
	wantExact(t, s)
	wantMiss(t, s, "applied")
}

func TestClearUnderLoad(t *testing.T) {
	s := open[int](t, 1<<22)
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
			s.Set(fmt.Sprint("k", k), i, int64(i), 0)
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
}

func TestRange(t *testing.T) {
	s := open[int](t, 1<<20)
	want := map[string]int{}
	for i := range 500 {
		key := fmt.Sprint("k", i)
		want[key] = i
		s.Set(key, i, int64(i), 0)
	}
	got := map[string]int{}
	s.Range(func(key string, v int, cost int64) bool {
		assert.EqualValues(t, v+len(key)+Overhead, cost)
		got[key] = v
		return true
	})
	assert.Equal(t, want, got)

	calls := 0
	s.Range(func(string, int, int64) bool { calls++; return calls < 3 })
	assert.Equal(t, 3, calls, "false stops it")

	s.Range(func(key string, v int, _ int64) bool { // fn may call the store
		if v%2 == 0 {
			assert.True(t, s.Delete(key))
		} else {
			s.Set(key, v, 1, 0)
		}
		return true
	})
	assert.EqualValues(t, 250, wantExact(t, s).Entries)
}
