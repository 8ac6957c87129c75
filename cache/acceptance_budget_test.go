package cache

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Trap 10: victims that are reported twice, or without a value, are counted once.
func TestAccountsAreExact(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range 20_000 {
			key := fmt.Sprint("k", rng.IntN(3000))
			switch rng.IntN(10) {
			case 0:
				s.Delete(key)
			case 1, 2, 3:
				s.Get(key)
			default:
				s.Set(key, i, int64(1+rng.IntN(1<<rng.IntN(16))), 0)
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
	})
}

// Traps 1 and 2: no Set is lost without a count.
func TestEverySetIsAccountedFor(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<18)
		for i := range 20_000 {
			assert.True(t, s.Set(fmt.Sprint("k", i), i, 100, 0))
		}
		st := wantExact(t, s)
		assert.EqualValues(t, 20_000, st.Sets)
		assert.Equal(t, st.Sets, uint64(st.Entries)+st.Evicted+st.Rejected, "each is held, evicted or refused")
		assert.Greater(t, st.Cost, st.MaxCost*9/10, "the store is used")
	})
}

// Trap 2: a large value that is seen for the first time may be refused a moment
// after it was taken. It is right or a miss, and nothing but a miss afterwards.
func TestLargeNewcomer(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		for i := range 2_000 {
			key := fmt.Sprint("k", i%90)
			if _, ok := s.Get(key); !ok {
				s.Set(key, i%90, 10_000, 0)
			}
		}
		assert.True(t, s.Set("large", -1, 500_000, 0))
		wantValue(t, s, "large", -1)
		st := wantExact(t, s)
		if v, ok := s.Get("large"); ok {
			assert.Equal(t, -1, v)
		} else {
			assert.EqualValues(t, 1, st.Rejected)
		}
	})
}

// Nothing is evicted for what is refused.
func TestRefusedSetEvictsNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		for i := range 100 {
			s.Set(fmt.Sprint("k", i), i, 10_000, 0)
		}
		before := wantExact(t, s)
		assert.False(t, s.Set("large", -1, 1<<20+1, 0))
		after := wantExact(t, s)
		assert.Equal(t, before.Entries, after.Entries)
		assert.Equal(t, before.Evicted, after.Evicted)
	})
}

// Trap 5: values that grow evict others, or go themselves.
func TestGrowthStaysWithinMaxCost(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		for i := range 90 {
			s.Set(fmt.Sprint("k", i), i, 10_000, 0)
		}
		wantExact(t, s)
		for i := range 90 {
			s.Set(fmt.Sprint("k", i), -i, 100_000, 0)
			s.Flush()
			assert.LessOrEqual(t, s.Stats().Cost, int64(1<<20))
		}
		st := wantExact(t, s)
		assert.LessOrEqual(t, st.Entries, int64(10))
		s.Range(func(key string, v int, cost int64) bool {
			assert.LessOrEqual(t, v, 0, "%s has its old value", key)
			return true
		})
	})
}

func TestShrinkingValuesGiveTheirBytesBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		s := open[int](t, e, 1<<20)
		for i := range 100 {
			s.Set(fmt.Sprint("k", i), 1, 9_000, 0)
		}
		s.Flush()
		for i := range 100 {
			s.Set(fmt.Sprint("k", i), 2, 100, 0)
		}
		st := wantExact(t, s)
		assert.EqualValues(t, 100, st.Entries)
		assert.EqualValues(t, 100*100, st.Cost)
	})
}
