package cache

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stressTime names the variable that makes the stress tests run for a time, such as
// 5m, each; without it they do a fixed number of operations.
const stressTime = "STRESS_TIME"

// limit returns a function that says whether a worker may go on: for n calls of each
// worker, or as long as stressTime says.
func limit(t *testing.T, n int) func(done int) bool {
	t.Helper()
	value := os.Getenv(stressTime)
	if value == "" {
		return func(done int) bool { return done < n }
	}
	d, err := time.ParseDuration(value)
	require.NoError(t, err, stressTime)
	end := time.Now().Add(d)
	return func(done int) bool { return done%64 != 0 || time.Now().Before(end) }
}

// versions is what one key may show. Versions rise; a delete is a version too, one
// that is never served.
type versions struct {
	mu    sync.Mutex // one write at a time
	begun atomic.Int64
	done  atomic.Int64
}

// removal marks the versions that are never served.
func removal(v int64) bool { return v%5 == 0 }

// write runs op with the next version and notes when it began and returned.
func (m *versions) write(op func(version int64)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.begun.Load() + 1
	m.begun.Store(v)
	op(v)
	m.done.Store(v)
}

// stressed is a store that is too small for its few keys, and what they may show.
type stressed struct {
	t      *testing.T
	store  Store[int64]
	models [24]versions
}

func (w *stressed) check(k int, floor, v int64) {
	if last := w.models[k].begun.Load(); v < floor || v > last || removal(v) {
		w.t.Errorf("key %d: got %d, but %d was done and %d begun", k, v, floor, last)
	}
}

func (w *stressed) write(rng *rand.Rand) {
	k := rng.IntN(len(w.models))
	key := fmt.Sprint("key", k)
	w.models[k].write(func(v int64) {
		switch n := rng.IntN(8); {
		case removal(v) && n < 4:
			w.store.Delete(key)
		case removal(v):
			assert.False(w.t, w.store.Set(key, v, 1<<40, 0))
		case n == 0:
			w.store.Update(key, func(old int64, ok bool) Change[int64] {
				if ok {
					w.check(k, v-1, old)
				}
				return Change[int64]{Op: Put, Value: v, Cost: 100}
			})
		case n == 1:
			w.store.Set(key, v, int64(1+rng.IntN(5_000)), time.Hour)
		default:
			w.store.Set(key, v, 500, 0)
		}
	})
}

func (w *stressed) read(rng *rand.Rand, i int) {
	k := rng.IntN(len(w.models))
	floor := w.models[k].done.Load()
	if v, ok := w.store.Get(fmt.Sprint("key", k)); ok {
		w.check(k, floor, v)
	}
	if i%1_000 == 0 {
		w.store.Range(func(string, int64, int64) bool { return true })
	}
	runtime.Gosched()
}

// A Get that begins after version n was written (or n was a delete) must not show
// anything older than n, nor anything that was never written.
func TestGetsTheLatestOrNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		w := &stressed{t: t, store: open[int64](t, e, 10_000)}
		more := limit(t, 8_000)
		var wg, reading sync.WaitGroup
		stop := make(chan struct{})
		for g := range uint64(6) {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(g, 7))
				for i := 0; more(i); i++ {
					w.write(rng)
				}
			})
		}
		for g := range uint64(3) {
			reading.Go(func() {
				rng := rand.New(rand.NewPCG(g, 9))
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
						w.read(rng, i)
					}
				}
			})
		}
		wg.Wait()
		close(stop)
		reading.Wait()
		st := wantExact(t, w.store)
		assert.Positive(t, st.Evicted+st.Rejected, "the store was not under pressure")
		assert.Positive(t, st.Entries)
	})
}

// All methods at once; the race detector and the accounts judge.
func TestEverythingAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[[]byte](t, e, 1<<20)
		more := limit(t, 3_000)
		var wg sync.WaitGroup
		for g := range uint64(6) {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(g, 3))
				for i := 0; more(i); i++ {
					anything(t, s, rng)
				}
			})
		}
		wg.Wait()
		s.Flush()
		for i := range 2_000 { // what has expired is not in Range but still counted
			s.Delete(fmt.Sprint("k", i))
		}
		wantExact(t, s)
	})
}

func anything(t *testing.T, s Store[[]byte], rng *rand.Rand) {
	key := fmt.Sprint("k", rng.IntN(2_000))
	switch n := rng.IntN(1_000); {
	case n == 0:
		s.Clear()
	case n == 1:
		s.Resize(int64(1<<18 + rng.IntN(1<<20)))
	case n == 2:
		s.Flush()
	case n < 5:
		s.Range(func(key string, _ []byte, _ int64) bool { return !s.Delete(key) })
	case n < 100:
		s.Delete(key)
	case n < 500:
		if v, ok := s.Get(key); ok && string(v) != key {
			t.Errorf("%s has the value of %s", key, v)
		}
	default:
		s.Set(key, []byte(key), int64(1+rng.IntN(20_000)), time.Duration(rng.IntN(2))*time.Millisecond)
	}
}

// The same with Close in the middle, again and again.
func TestCloseBesideEverything(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		more := limit(t, 10*64)
		for round := uint64(0); more(int(round)*64) && !t.Failed(); round++ {
			s := open[[]byte](t, e, 1<<18)
			var wg sync.WaitGroup
			for g := range uint64(4) {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(g, round))
					for range 300 {
						anything(t, s, rng)
					}
				})
			}
			runtime.Gosched()
			assert.NoError(t, s.Close())
			wg.Wait()
			st := s.Stats()
			assert.Zero(t, st.Entries+st.Cost+st.Pending)
		}
	})
}
