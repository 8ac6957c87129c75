package cache

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// model is what one key may show. Versions rise; a delete is a version too, one
// that is never served.
type model struct {
	mu    sync.Mutex // one write at a time
	begun atomic.Int64
	done  atomic.Int64
}

// write runs op with the next version and notes when it began and returned.
func (m *model) write(op func(version int64)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.begun.Load() + 1
	m.begun.Store(v)
	op(v)
	m.done.Store(v)
}

// TestGetsTheLatestOrNothing lets many goroutines loose on few keys of a store that
// is too small for them: a Get that begins after version n was written (or n was a
// delete) must not show anything older than n, nor anything never written.
func TestGetsTheLatestOrNothing(t *testing.T) {
	const keys, writers, readers, rounds = 24, 6, 3, 8_000
	s := open[int64](t, 40_000)
	var models [keys]model
	var removed [keys]sync.Map
	check := func(k int, floor, v int64) {
		m := &models[k]
		if v < floor || v > m.begun.Load() {
			t.Errorf("key %d: got %d, but %d was done", k, v, floor)
		}
		if _, gone := removed[k].Load(v); gone {
			t.Errorf("key %d: version %d was a delete", k, v)
		}
	}
	var wg, reading sync.WaitGroup
	stop := make(chan struct{})
	for g := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 7))
			for range rounds {
				k := rng.IntN(keys)
				key := fmt.Sprint("key", k)
				m := &models[k]
				m.write(func(v int64) {
					switch rng.IntN(8) {
					case 0:
						removed[k].Store(v, true)
						s.Delete(key)
					case 1:
						removed[k].Store(v, true)
						s.Set(key, -1, 1<<40, 0)
					case 2:
						s.Update(key, func(old int64, ok bool) Change[int64] {
							if ok {
								check(k, v-1, old)
							}
							return Change[int64]{Op: Put, Value: v, Cost: 100}
						})
					case 3:
						s.Set(key, v, int64(rng.IntN(5_000)), time.Hour)
					default:
						s.Set(key, v, 100, 0)
					}
				})
			}
		})
	}
	for g := range readers {
		reading.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 9))
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				k := rng.IntN(keys)
				floor := models[k].done.Load()
				if v, ok := s.Get(fmt.Sprint("key", k)); ok {
					check(k, floor, v)
				}
				if i%1_000 == 0 {
					s.Range(func(string, int64, int64) bool { return true })
				}
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
	close(stop)
	reading.Wait()
	st := wantExact(t, s)
	if st.Evicted+st.Rejected == 0 || st.Entries == 0 {
		t.Errorf("the store was not under pressure: %+v", st)
	}
}

// TestEverythingAtOnce mixes all methods; the race detector and the accounts judge.
func TestEverythingAtOnce(t *testing.T) {
	s := open[[]byte](t, 1<<20)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 3))
			for i := range 3_000 {
				key := fmt.Sprint("k", rng.IntN(2_000))
				switch n := rng.IntN(1_000); {
				case n == 0:
					s.Clear()
				case n == 1:
					s.Resize(int64(1<<18 + rng.IntN(1<<20)))
				case n < 5:
					s.Range(func(key string, _ []byte, _ int64) bool { return !s.Delete(key) })
				case n < 100:
					s.Delete(key)
				case n < 500:
					if v, ok := s.Get(key); ok && string(v) != key {
						t.Errorf("%s has the value of %s", key, v)
					}
				default:
					s.Set(key, []byte(key), int64(rng.IntN(20_000)), time.Duration(i%2)*time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	s.flush()
	for i := range 2_000 { // what has expired is not in Range but still counted
		s.Delete(fmt.Sprint("k", i))
	}
	wantExact(t, s)
}
