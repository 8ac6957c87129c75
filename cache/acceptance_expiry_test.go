package cache

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// collected is longer than any engine keeps the bytes of what has expired.
const collected = 12 * time.Second

// Traps 15 and 17: expiry is exact, by the clock of package time, so that a bubble
// can test it; 0 is for ever.
func TestExpiry(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		for _, applied := range []bool{true, false} {
			t.Run(fmt.Sprint("applied ", applied), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := open[string](t, e, 1<<20)
					defer s.Close()
					release := func() {}
					if !applied {
						release = stall(s)
					}
					s.Set("ten", "v", 1, 10*time.Second)
					s.Set("ever", "v", 1, 0)
					s.Set("longer", "v", 1, 10*time.Second)
					s.Set("longer", "v", 1, 20*time.Second)
					s.Set("shorter", "v", 1, time.Hour)
					s.Set("shorter", "v", 1, 10*time.Second)
					time.Sleep(9900 * time.Millisecond)
					for _, key := range []string{"ten", "ever", "longer", "shorter"} {
						wantValue(t, s, key, "v")
					}
					time.Sleep(200 * time.Millisecond)
					wantMiss(t, s, "ten")
					wantMiss(t, s, "shorter")
					wantValue(t, s, "ever", "v")
					wantValue(t, s, "longer", "v")
					s.Update("ten", func(_ string, ok bool) Change[string] {
						assert.False(t, ok, "Update sees an expired value")
						return Change[string]{}
					})
					assert.False(t, s.Delete("shorter"), "nothing to delete")
					release()
					s.Range(func(key, _ string, _ int64) bool {
						assert.Contains(t, []string{"ever", "longer"}, key)
						return true
					})
					time.Sleep(11 * time.Second)
					wantMiss(t, s, "longer")
					time.Sleep(collected)
					st := wantExact(t, s)
					assert.EqualValues(t, 1, st.Entries, "the expired ones were collected")
					assert.EqualValues(t, 2, st.Expired, "ten and longer; shorter was deleted")
					assert.Zero(t, st.Evicted)
				})
			})
		}
	})
}

func TestSetAfterExpiry(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		synctest.Test(t, func(t *testing.T) {
			s := open[int](t, e, 1<<20)
			defer s.Close()
			for i := range 20 { // before and after the collector came
				s.Set("a", i, int64(1+i%3), 700*time.Millisecond)
				wantValue(t, s, "a", i)
				synctest.Wait()
				wantValue(t, s, "a", i)
				time.Sleep(750*time.Millisecond + time.Duration(i)*500*time.Millisecond)
				wantMiss(t, s, "a")
			}
			time.Sleep(collected)
			assert.Zero(t, wantExact(t, s).Entries)
		})
	})
}

// Trap 16: when very many expire at once no set is lost, nothing else is, and
// their bytes are free soon.
func TestMassExpiry(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		synctest.Test(t, func(t *testing.T) {
			s := open[int](t, e, 64<<20)
			defer s.Close()
			const n = 50_000
			s.Set("stays", 1, 10, 0)
			for i := range n {
				s.Set(fmt.Sprint("k", i), i, 10, 20*time.Second)
			}
			s.Flush()
			assert.EqualValues(t, n+1, s.Stats().Entries)
			time.Sleep(21 * time.Second)
			for i := range 20 { // the collector runs between these
				for k := range 100 {
					key := fmt.Sprint("n", i, "-", k)
					assert.True(t, s.Set(key, k, 10, 0))
					wantValue(t, s, key, k)
				}
				wantValue(t, s, "stays", 1)
				time.Sleep(500 * time.Millisecond)
			}
			st := wantExact(t, s)
			assert.EqualValues(t, 2001, st.Entries)
			assert.EqualValues(t, n, st.Expired)
			assert.Zero(t, st.Rejected)
		})
	})
}

// What expired while it was set again is the new value's business.
func TestCollectorSparesTheRenewed(t *testing.T) {
	eachEngine(t, func(t *testing.T, e Engine) {
		synctest.Test(t, func(t *testing.T) {
			s := open[int](t, e, 1<<20)
			defer s.Close()
			for i := range 30 {
				for k := range 100 {
					s.Set(fmt.Sprint("k", k), i, int64(1+i%2), time.Second+time.Millisecond)
				}
				time.Sleep(time.Second)
				for k := range 100 {
					wantValue(t, s, fmt.Sprint("k", k), i)
				}
			}
			assert.EqualValues(t, 100, wantExact(t, s).Entries)
			assert.Zero(t, s.Stats().Expired)
		})
	})
}
