package cache

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPendingAnswersFirst(t *testing.T) {
	s := open[string](t, 1<<20)
	s.Set("applied", "old", 3, 0)
	s.Set("deleted", "old", 3, 0)
	s.Set("untouched", "u", 1, 0)
	s.flush()
	release := stall(s)
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
		got := map[string]string{}
		s.Range(func(key, v string, _ int64) bool { got[key] = v; return true })
		assert.Equal(t, map[string]string{"untouched": "u", "new": "2", "applied": "new", "again": "2"}, got)
		assert.EqualValues(t, 4, s.Stats().Entries)
	}
	check("while the writer is held up")
	assert.Positive(t, s.Stats().Pending)
	release()
	check("while the writer works")
	wantExact(t, s)
	check("afterwards")
}

func TestPendingIsBounded(t *testing.T) {
	const maxCost, value, callers = 1 << 20, 10_000, 8
	synctest.Test(t, func(t *testing.T) {
		s := open[int](t, maxCost)
		defer s.Close()
		release := stall(s)
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
		assert.Greater(t, st.Pending, int64(maxCost/8))
		assert.LessOrEqual(t, st.Pending, int64(maxCost/8+callers*(value+Overhead+10)))
		release()
		wg.Wait()
		assert.EqualValues(t, 50*callers, s.Stats().Sets)
		wantExact(t, s)
	})
}

func TestPendingHasRoomForTheLargest(t *testing.T) {
	s := open[int](t, 1<<20)
	s.Set("a", 1, 1<<20-Overhead-1, 0)
	wantValue(t, s, "a", 1)
	assert.EqualValues(t, 1<<20, wantExact(t, s).Cost)
	wantValue(t, s, "a", 1)
}

func TestIdleStoreDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open[int](t, 1<<20)
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

func TestCloseReleasesCallersThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open[int](t, 1<<16)
		release := stall(s)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; s.Set(fmt.Sprint(i), i, 1000, 0); i++ {
			}
		})
		wg.Go(func() { s.Clear() })
		synctest.Wait()
		wg.Go(func() { assert.NoError(t, s.Close()) })
		synctest.Wait()
		release()
		wg.Wait()
	})
}

func TestCloseDuringTraffic(t *testing.T) {
	for range 20 {
		s, err := New[int](Options{MaxCost: 1 << 16})
		require.NoError(t, err)
		var wg sync.WaitGroup
		stop, warm := make(chan struct{}), make(chan struct{}, 6)
		for g := range 6 {
			wg.Go(func() {
				for i := 0; ; i++ {
					if i == 100 {
						warm <- struct{}{}
					}
					select {
					case <-stop:
						return
					default:
						runtime.Gosched()
					}
					key := fmt.Sprint(i % 100)
					switch {
					case g < 4:
						s.Get(key)
					case i%10 == 0:
						s.Delete(key)
					default:
						s.Set(key, i, 100, time.Minute)
					}
				}
			})
		}
		for range 6 {
			<-warm
		}
		wg.Go(func() { assert.NoError(t, s.Close()) })
		require.NoError(t, s.Close())
		wantMiss(t, s, "1")
		assert.False(t, s.Set("1", 1, 1, 0))
		wantMiss(t, s, "1")
		close(stop)
		wg.Wait()
	}
}

func TestCloseWaitsForReaders(t *testing.T) {
	s := open[int](t, 1<<16)
	sh := &s.shards[7]
	sh.state.Add(1) // a Get that is in the engine
	closed := make(chan struct{})
	go func() { defer close(closed); assert.NoError(t, s.Close()) }()
	<-s.done
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

func TestClosedStore(t *testing.T) {
	s := open[int](t, 1<<20)
	s.Set("a", 1, 1, 0)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	wantMiss(t, s, "a")
	assert.False(t, s.Set("b", 1, 1, 0))
	assert.False(t, s.Delete("a"))
	assert.False(t, s.Update("a", func(int, bool) Change[int] {
		t.Error("fn is called on a closed store")
		return Change[int]{}
	}))
	s.Range(func(string, int, int64) bool { t.Error("Range shows an entry of a closed store"); return true })
	s.Clear()
	s.Resize(1 << 10)
	st := s.Stats()
	assert.Zero(t, st.Entries)
	assert.Zero(t, st.Cost)
	assert.EqualValues(t, 1, st.Sets)
}
