package cache

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Trap 19: Close during traffic neither panics nor races.
func TestCloseDuringTraffic(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		for range 20 {
			s := open[int](t, e, 1<<16)
			var wg sync.WaitGroup
			stop, warm := make(chan struct{}), make(chan struct{}, 6)
			for g := range 6 {
				wg.Go(func() { traffic(s, g, warm, stop) })
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
	})
}

func traffic(s Store[int], g int, warm chan<- struct{}, stop <-chan struct{}) {
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
		case g < 3:
			s.Get(key)
		case g == 3 && i%50 == 0:
			s.Range(func(string, int, int64) bool { return true })
			s.Flush()
		case g == 3 && i%50 == 1:
			s.Clear()
		case g == 3 && i%50 == 2:
			s.Resize(1<<16 - int64(i%100)*100)
		case i%10 == 0:
			s.Delete(key)
		default:
			s.Set(key, i, 400, time.Minute)
		}
	}
}

func TestClosedStore(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
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
		s.Flush()
		s.Resize(1 << 10)
		st := s.Stats()
		assert.Zero(t, st.Entries)
		assert.Zero(t, st.Cost)
		assert.Zero(t, st.Pending)
		assert.EqualValues(t, 1, st.Sets)
	})
}

// What goes at Close made no room for anything.
func TestClosedIsNotEvicted(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		for i := range 1_000 {
			s.Set(fmt.Sprint("k", i), i, 100, 0)
			if i == 900 {
				s.Flush() // the rest may be pending
			}
		}
		require.NoError(t, s.Close())
		st := s.Stats()
		assert.EqualValues(t, 1_000, st.Sets)
		assert.Zero(t, st.Evicted)
		assert.Zero(t, st.Expired)
		assert.Zero(t, st.Rejected)
	})
}
