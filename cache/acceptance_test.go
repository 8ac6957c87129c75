package cache

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// The acceptance suite is what any engine must pass. It is spread over the files
// acceptance*_test.go; what only one engine has is tested in files of its name.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func eachEngine(t *testing.T, test func(t *testing.T, e Engine)) {
	t.Helper()
	for _, e := range Engines() {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

func open[V any](t testing.TB, e Engine, maxCost int64) Store[V] {
	t.Helper()
	s, err := New[V](Options{MaxCost: maxCost, MeanCost: 1 << 10, Engine: e, Exponent: DefaultExponent})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// stall keeps whatever the store does in the background waiting until the returned
// function is called. There is nothing to stall in gdsf.
func stall[V any](s Store[V]) (release func()) {
	o, ok := s.(*overlay[V])
	if !ok {
		return func() {}
	}
	o.take()
	return o.give
}

// collide gives all keys the same hash.
func collide[V any](s Store[V]) {
	switch s := s.(type) {
	case *overlay[V]:
		s.mask = 0
	case *gdsf[V]:
		s.mask = 0
	}
}

func wantValue[V any](t *testing.T, s Store[V], key string, want V) {
	t.Helper()
	v, ok := s.Get(key)
	if assert.True(t, ok, "Get(%q) misses", key) {
		assert.Equal(t, want, v, "Get(%q)", key)
	}
}

func wantMiss[V any](t *testing.T, s Store[V], key string) {
	t.Helper()
	v, ok := s.Get(key)
	assert.False(t, ok, "Get(%q) serves %v", key, v)
}

// wantExact asserts that what is counted, what Range shows and what the engine has
// booked are the same once nothing is pending, and within MaxCost.
func wantExact[V any](t *testing.T, s Store[V]) Stats {
	t.Helper()
	s.Flush()
	var entries, cost int64
	s.Range(func(_ string, _ V, c int64) bool { entries++; cost += c; return true })
	st := s.Stats()
	assert.Equal(t, cost, st.Cost, "Stats.Cost against the sum over Range")
	assert.Equal(t, entries, st.Entries, "Stats.Entries against Range")
	assert.Zero(t, st.Pending)
	assert.LessOrEqual(t, st.Cost, st.MaxCost)
	switch s := s.(type) {
	case *overlay[V]:
		wantOverlayQuiet(t, s)
	case *gdsf[V]:
		wantHeapSound(t, s)
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
		{Options{MaxCost: 1 << 20, Engine: "lru"}, `Engine is "lru": choose one of ["ristretto" "gdsf"]`},
		{Options{MaxCost: 1 << 20, Engine: GDSF, Exponent: 1.01}, "Exponent is 1.01"},
		{Options{MaxCost: 1 << 20, Engine: GDSF, Exponent: -0.1}, "Exponent is -0.1"},
		{Options{MaxCost: 1 << 20, Engine: GDSF, Exponent: math.NaN()}, "Exponent is NaN"},
	} {
		_, err := New[int](c.o)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestDefaultEngine(t *testing.T) {
	assert.IsType(t, open[int](t, Ristretto, 1<<20), open[int](t, "", 1<<20))
	assert.Equal(t, Ristretto, Engines()[0], "the default comes first")
}

// Trap 3: a new key is visible before the engine has worked off its queue.
func TestSetIsVisibleOnReturn(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<30)
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
	})
}

// Trap 4: of two quick Sets of a new key the second wins, with its cost.
func TestSecondSetWins(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 64<<20)
		for i := range 10_000 {
			key := fmt.Sprint("k", i)
			s.Set(key, -1, 10, 0)
			s.Set(key, i, 100, 0)
		}
		st := wantExact(t, s)
		require.EqualValues(t, 10_000, st.Entries)
		for i := range 10_000 {
			wantValue(t, s, fmt.Sprint("k", i), i)
		}
		assert.EqualValues(t, 10_000*100, st.Cost, "the cost of the second set counts")
	})
}

func TestDelete(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[string](t, e, 1<<20)
		assert.False(t, s.Delete("a"), "nothing there yet")
		s.Set("a", "1", 1, 0)
		assert.True(t, s.Delete("a"))
		wantMiss(t, s, "a")
		assert.False(t, s.Delete("a"), "deleted already")
		s.Set("a", "2", 1, 0)
		wantValue(t, s, "a", "2")
		s.Flush()
		assert.True(t, s.Delete("a"), "applied before")
		wantMiss(t, s, "a")
		assert.Zero(t, wantExact(t, s).Entries)
	})
}

// Trap 6: a deleted value is not served again, however many writes are queued.
func TestDeleteIsFinalUnderWriteLoad(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		stop := make(chan struct{})
		var load sync.WaitGroup
		for g := range 2 {
			load.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
						s.Set(fmt.Sprint("load", g, i%5000), i, 400, 0)
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
		s.Flush()
		for i := range 5_000 {
			wantMiss(t, s, fmt.Sprint("k", i))
		}
		wantExact(t, s)
	})
}

func TestUpdate(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[string](t, e, 1<<20)
		assert.True(t, s.Update("a", func(old string, ok bool) Change[string] {
			assert.False(t, ok)
			assert.Empty(t, old)
			return Change[string]{Op: Put, Value: "1", Cost: 1}
		}))
		wantValue(t, s, "a", "1")
		for _, applied := range []bool{false, true} {
			if applied {
				s.Flush()
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
	})
}

func TestUpdateIsAtomic(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 2_000 {
					s.Update(fmt.Sprint("k", i%4), func(old int, _ bool) Change[int] {
						return Change[int]{Op: Put, Value: old + 1, Cost: int64(1 + old%7)}
					})
				}
			})
		}
		wg.Wait()
		for k := range 4 {
			wantValue(t, s, fmt.Sprint("k", k), 4_000)
		}
		wantExact(t, s)
	})
}

func TestUpdateSurvivesPanic(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		s.Set("a", 1, 1, 0)
		assert.Panics(t, func() { s.Update("a", func(int, bool) Change[int] { panic("no") }) })
		wantValue(t, s, "a", 1)
		assert.True(t, s.Set("a", 2, 1, 0), "the key is not locked for ever")
		wantExact(t, s)
	})
}

// Traps 2, 5 and 15: what is refused says so, and does not leave a superseded value.
func TestRefusedSetRemovesTheOldValue(t *testing.T) {
	for _, c := range []struct {
		name string
		cost int64
		ttl  time.Duration
		ok   bool
	}{
		{"as large as the store", 1 << 20, 0, true},
		{"one byte larger", 1<<20 + 1, 0, false},
		{"absurdly large", math.MaxInt64, 0, false},
		{"no cost", 0, 0, false},
		{"negative cost", -1, 0, false},
		{"absurdly negative cost", math.MinInt64, 0, false},
		{"negative ttl", 1, -time.Second, false},
		{"endless ttl", 1, math.MaxInt64, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, e Engine) {
				for _, applied := range []bool{false, true} {
					s := open[string](t, e, 1<<20)
					s.Set("key", "old", 3, 0)
					if applied {
						s.Flush()
					}
					assert.Equal(t, c.ok, s.Set("key", "new", c.cost, c.ttl))
					for range 2 {
						if c.ok {
							wantValue(t, s, "key", "new")
						} else {
							wantMiss(t, s, "key")
						}
						s.Flush()
					}
					assert.Equal(t, !c.ok, wantExact(t, s).Rejected == 1)
				}
			})
		})
	}
}

// Trap 18: keys are compared, not only their hashes.
func TestCollidingHashesNeverServeAnotherKey(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[string](t, e, 1<<20)
		collide(s)
		for _, applied := range []bool{false, true} {
			s.Set("a", "A", 1, 0)
			if applied {
				s.Flush()
			}
			wantMiss(t, s, "b")
			assert.False(t, s.Delete("b"))
			assert.False(t, s.Set("b", "too large", 1<<20+1, 0))
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
	})
}

// Trap 14: a value that a reader holds is not touched when the key is set again.
func TestReadersKeepTheirValue(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[[]byte](t, e, 1<<20)
		s.Set("a", []byte("00"), 2, 0)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 5_000 {
				v := fmt.Sprintf("%02d", i%100)
				s.Set("a", append([]byte(v), v...)[:2:2], 2, 0)
			}
		})
		for range 5_000 {
			v, ok := s.Get("a")
			if ok && len(append(v, 'x')) != 3 {
				t.Errorf("got %q", v)
			}
		}
		wg.Wait()
		wantValue(t, s, "a", []byte("99"))
	})
}

// The key may be a part of a large request, which must not be kept alive.
func TestKeyIsCopied(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		large := strings.Repeat("x", 1<<10)
		s.Set(large[:5], 1, 1, 0)
		s.Range(func(key string, _ int, _ int64) bool {
			assert.NotSame(t, unsafe.StringData(large), unsafe.StringData(key))
			return true
		})
	})
}
