package cache

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open[V any](t testing.TB, maxCost int64) *Store[V] {
	t.Helper()
	s, err := New[V](Options{MaxCost: maxCost, MeanCost: 1 << 10})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// stall keeps the writer busy until the returned function is called.
func stall[V any](s *Store[V]) (release func()) {
	gate, busy := make(chan struct{}), make(chan struct{})
	go s.do(func() { close(busy); <-gate })
	<-busy
	return func() { close(gate) }
}

func wantValue[V any](t *testing.T, s *Store[V], key string, want V) {
	t.Helper()
	v, ok := s.Get(key)
	if assert.True(t, ok, "Get(%q) misses", key) {
		assert.Equal(t, want, v, "Get(%q)", key)
	}
}

func wantMiss[V any](t *testing.T, s *Store[V], key string) {
	t.Helper()
	v, ok := s.Get(key)
	assert.False(t, ok, "Get(%q) serves %v", key, v)
}

// wantExact asserts that what is counted, what Range shows and what the engine has
// booked are the same once nothing is pending, and within MaxCost.
func wantExact[V any](t *testing.T, s *Store[V]) Stats {
	t.Helper()
	s.flush()
	var entries, cost int64
	s.Range(func(_ string, _ V, c int64) bool { entries++; cost += c; return true })
	st := s.Stats()
	assert.Equal(t, cost, st.Cost, "Stats.Cost against the sum over Range")
	assert.Equal(t, entries, st.Entries, "Stats.Entries against Range")
	assert.Equal(t, st.MaxCost-s.engine.RemainingCost(), st.Cost, "Stats.Cost against the engine")
	assert.Zero(t, st.Pending)
	assert.LessOrEqual(t, st.Cost, st.MaxCost)
	for i := range s.shards {
		assert.Zero(t, s.shards[i].state.Load(), "shard %d: readers or pending items left", i)
	}
	return st
}

func TestNewRefusesBadOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "MaxCost is 0"},
		{Options{MaxCost: -1}, "MaxCost is -1"},
		{Options{MaxCost: 1 << 20, MeanCost: -5}, "MeanCost is -5"},
	} {
		_, err := New[int](c.o)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestNumCounters(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want int64
	}{
		{"30 for each entry of the default size", Options{MaxCost: 1 << 30}, 65536 * 30},
		{"30 for each entry of the given size", Options{MaxCost: 1 << 30, MeanCost: 1 << 20}, 1024 * 30},
		{"a small store gets enough to be useful", Options{MaxCost: 1 << 10}, 1 << 14},
		{"counters do not eat a store of tiny values", Options{MaxCost: 1 << 30, MeanCost: 1}, 1 << 24},
		{"no overflow", Options{MaxCost: math.MaxInt64, MeanCost: 1}, 1 << 30},
	} {
		assert.Equal(t, c.want, numCounters(c.o), c.name)
	}
}

func TestSetIsVisibleOnReturn(t *testing.T) {
	s := open[int](t, 1<<30)
	for i := range 100_000 {
		key := fmt.Sprint("k", i)
		require.True(t, s.Set(key, i, 8, 0))
		v, ok := s.Get(key)
		if !ok || v != i {
			t.Fatalf("Get after Set %d: %d, %v", i, v, ok)
		}
	}
	st := wantExact(t, s)
	assert.EqualValues(t, 100_000, st.Entries)
	assert.EqualValues(t, 100_000, st.Sets)
}

func TestSecondSetWins(t *testing.T) {
	s := open[int](t, 64<<20)
	for i := range 10_000 {
		key := fmt.Sprint("k", i)
		s.Set(key, -1, 10, 0)
		s.Set(key, i, 100, 0)
	}
	st := wantExact(t, s)
	require.EqualValues(t, 10_000, st.Entries)
	var keys int64
	for i := range 10_000 {
		key := fmt.Sprint("k", i)
		keys += int64(len(key))
		wantValue(t, s, key, i)
	}
	assert.Equal(t, 10_000*(100+Overhead)+keys, st.Cost, "the cost of the second set counts")
}

func TestDelete(t *testing.T) {
	s := open[string](t, 1<<20)
	assert.False(t, s.Delete("a"), "nothing there yet")
	s.Set("a", "1", 1, 0)
	assert.True(t, s.Delete("a"))
	wantMiss(t, s, "a")
	assert.False(t, s.Delete("a"), "deleted already")
	s.Set("a", "2", 1, 0)
	wantValue(t, s, "a", "2")
	s.flush()
	assert.True(t, s.Delete("a"), "applied before")
	wantMiss(t, s, "a")
	assert.Zero(t, wantExact(t, s).Entries)
}

func TestDeleteIsFinalUnderWriteLoad(t *testing.T) {
	s := open[int](t, 1<<20)
	stop := make(chan struct{})
	var load sync.WaitGroup
	for g := range 2 {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					s.Set(fmt.Sprint("load", g, i%5000), i, 100, 0)
				}
			}
		})
	}
	for i := range 5_000 {
		key := fmt.Sprint("k", i)
		s.Set(key, i, 10, 0)
		s.Delete(key)
		for range 10 {
			if _, ok := s.Get(key); ok {
				t.Errorf("%s is served after Delete returned", key)
			}
		}
	}
	close(stop)
	load.Wait()
	s.flush()
	for i := range 5_000 {
		wantMiss(t, s, fmt.Sprint("k", i))
	}
	wantExact(t, s)
}

func TestUpdate(t *testing.T) {
	s := open[string](t, 1<<20)
	put := func(v string) Change[string] { return Change[string]{Op: Put, Value: v, Cost: int64(len(v))} }

	assert.True(t, s.Update("a", func(old string, ok bool) Change[string] {
		assert.False(t, ok)
		assert.Empty(t, old)
		return put("1")
	}))
	wantValue(t, s, "a", "1")
	for _, applied := range []bool{false, true} {
		if applied {
			s.flush()
		}
		assert.True(t, s.Update("a", func(old string, ok bool) Change[string] {
			assert.True(t, ok)
			assert.Equal(t, "1", old)
			return Change[string]{Op: Keep, Value: "ignored"}
		}))
		wantValue(t, s, "a", "1")
	}
	assert.True(t, s.Update("a", func(string, bool) Change[string] { return Change[string]{Op: Remove} }))
	wantMiss(t, s, "a")
	assert.True(t, s.Update("a", func(_ string, ok bool) Change[string] {
		assert.False(t, ok, "removed")
		return Change[string]{}
	}))
	assert.EqualValues(t, 1, wantExact(t, s).Sets, "only a Put counts")
}

func TestUpdateIsAtomic(t *testing.T) {
	s := open[int](t, 1<<20)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 2_000 {
				s.Update(fmt.Sprint("k", i%4), func(old int, _ bool) Change[int] {
					return Change[int]{Op: Put, Value: old + 1, Cost: int64(old % 7)}
				})
			}
		})
	}
	wg.Wait()
	for k := range 4 {
		wantValue(t, s, fmt.Sprint("k", k), 4_000)
	}
	wantExact(t, s)
}

func TestUpdateSurvivesPanic(t *testing.T) {
	s := open[int](t, 1<<20)
	s.Set("a", 1, 1, 0)
	assert.Panics(t, func() { s.Update("a", func(int, bool) Change[int] { panic("no") }) })
	wantValue(t, s, "a", 1)
	assert.True(t, s.Set("a", 2, 1, 0), "the key is not locked for ever")
}

func TestRefusedSetRemovesTheOldValue(t *testing.T) {
	const key = "key"
	fits := int64(1<<20 - len(key) - Overhead)
	for _, c := range []struct {
		name string
		cost int64
		ttl  time.Duration
		ok   bool
	}{
		{"as large as the store", fits, 0, true},
		{"one byte larger", fits + 1, 0, false},
		{"absurdly large", math.MaxInt64, 0, false},
		{"negative cost", -1, 0, false},
		{"negative ttl", 1, -time.Second, false},
		{"endless ttl", 1, math.MaxInt64, true},
	} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, old one applied %v", c.name, applied), func(t *testing.T) {
				s := open[string](t, 1<<20)
				s.Set(key, "old", 3, 0)
				if applied {
					s.flush()
				}
				assert.Equal(t, c.ok, s.Set(key, "new", c.cost, c.ttl))
				for range 2 {
					if c.ok {
						wantValue(t, s, key, "new")
					} else {
						wantMiss(t, s, key)
					}
					s.flush()
				}
				assert.Equal(t, !c.ok, wantExact(t, s).Rejected == 1)
			})
		}
	}
}

func TestCollidingHashesNeverServeAnotherKey(t *testing.T) {
	s := open[string](t, 1<<20)
	s.mask = 0
	for _, applied := range []bool{false, true} {
		s.Set("a", "A", 1, 0)
		if applied {
			s.flush()
		}
		wantMiss(t, s, "b")
		assert.False(t, s.Delete("b"))
		assert.False(t, s.Set("b", "too large", 1<<20, 0))
		wantValue(t, s, "a", "A")
		s.Update("b", func(old string, ok bool) Change[string] {
			assert.False(t, ok, "b is given %q", old)
			return Change[string]{Op: Put, Value: "B", Cost: 100}
		})
		wantMiss(t, s, "a")
		wantValue(t, s, "b", "B")
		wantExact(t, s)
		wantMiss(t, s, "a")
		wantValue(t, s, "b", "B")
		s.Delete("b")
	}
	assert.Zero(t, wantExact(t, s).Entries)
}
