package cache

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Trap 21: a store that shrinks evicts at once.
func TestResize(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		for i := range 2000 {
			s.Set(fmt.Sprint("k", i), i, 500, 0)
		}
		before := wantExact(t, s)
		for _, size := range []int64{1 << 18, 1 << 16, 1} {
			s.Resize(size)
			st := s.Stats()
			assert.Equal(t, size, st.MaxCost)
			assert.LessOrEqual(t, st.Cost, size, "at once")
			assert.Greater(t, st.Cost, size-500, "what fits is kept")
			assert.EqualValues(t, before.Entries, st.Entries+int64(st.Evicted))
			wantExact(t, s)
		}
		assert.False(t, s.Set("a", 1, 100, 0), "larger than the store is now")
		s.Resize(0)
		s.Resize(-7)
		assert.EqualValues(t, 1, s.Stats().MaxCost, "nonsense changes nothing")

		s.Resize(2 << 20)
		for i := range 4000 {
			assert.True(t, s.Set(fmt.Sprint("k", i), i, 500, 0))
		}
		assert.EqualValues(t, 4000, wantExact(t, s).Entries, "growth is used")
	})
}

func TestResizeBesideUpdates(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		for round := range 20 {
			for i := range 1000 {
				s.Set(fmt.Sprint("k", i), round, 1_000, 0)
			}
			s.Flush()
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := range 1000 {
					s.Set(fmt.Sprint("k", i), -round, 1_000, 0)
				}
			}()
			s.Resize(100_000)
			<-done
			st := wantExact(t, s)
			assert.LessOrEqual(t, st.Cost, int64(100_000))
			s.Resize(1 << 20)
		}
	})
}

// Writes get through while a store shrinks. Whether one meets it at work is for the
// scheduler to say, so there are some attempts.
func TestResizeLetsWritesThrough(t *testing.T) {
	const (
		entries       = 100_000
		before, after = 64 << 20, 10 << 20
		enough        = 2 // one may get in ahead of it in any case
		attempts      = 50
	)
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, before)
		through := 0
		for n := 0; through < enough && n < attempts; n++ {
			s.Clear()
			s.Resize(before)
			for i := range entries {
				s.Set(fmt.Sprint("k", i), i, 400, 0)
			}
			s.Flush()
			through = writesDuringResize(s, after, enough)
			wantExact(t, s)
		}
		assert.GreaterOrEqual(t, through, enough, "writes that began and returned during a Resize")
	})
}

// writesDuringResize counts the writes that begin and return while more is held than
// the store shall have, up to enough. Each is more than may be pending, so that the
// next one waits until it has been applied.
func writesDuringResize(s Store[int], maxCost int64, enough int) (through int) {
	const cost = 1<<20 + 1
	atWork := func() bool {
		st := s.Stats()
		return st.MaxCost == maxCost && st.Cost-st.Pending > maxCost
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for i := 0; through < enough; i++ {
			select {
			case <-done:
				return
			default:
			}
			began := atWork()
			if s.Set(fmt.Sprint("w", i%3), i, cost, 0) && began && atWork() {
				through++
			}
		}
	})
	s.Resize(maxCost)
	close(done)
	wg.Wait()
	return through
}
