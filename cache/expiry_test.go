package cache

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestExpiry(t *testing.T) {
	for _, applied := range []bool{true, false} {
		t.Run(fmt.Sprint("applied ", applied), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open[string](t, 1<<20)
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
				s.Range(func(key, _ string, _ int64) bool {
					assert.Contains(t, []string{"ever", "longer"}, key)
					return true
				})
				release()
				time.Sleep(11 * time.Second)
				wantMiss(t, s, "longer")
				time.Sleep(10 * time.Second)
				st := wantExact(t, s)
				assert.EqualValues(t, 1, st.Entries, "the expired ones were collected")
				assert.EqualValues(t, 2, st.Expired, "ten and longer; shorter was deleted")
				assert.Zero(t, st.Evicted)
			})
		})
	}
}

func TestSetAfterExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open[int](t, 1<<20)
		defer s.Close()
		for i := range 20 { // before and after the collector came
			s.Set("a", i, int64(i%3), 700*time.Millisecond)
			wantValue(t, s, "a", i)
			synctest.Wait()
			wantValue(t, s, "a", i)
			time.Sleep(750*time.Millisecond + time.Duration(i)*500*time.Millisecond)
			wantMiss(t, s, "a")
		}
		time.Sleep(20 * time.Second)
		assert.Zero(t, wantExact(t, s).Entries)
	})
}

func TestMassExpiryLosesNoSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open[int](t, 64<<20)
		defer s.Close()
		const n = 50_000
		for i := range n {
			s.Set(fmt.Sprint("k", i), i, 10, 20*time.Second)
		}
		s.flush()
		assert.EqualValues(t, n, s.Stats().Entries)
		time.Sleep(21 * time.Second)
		for i := range 20 { // the collector runs between these
			for k := range 100 {
				s.Set(fmt.Sprint("n", i, "-", k), k, 10, 0)
			}
			time.Sleep(500 * time.Millisecond)
		}
		st := wantExact(t, s)
		assert.EqualValues(t, 2000, st.Entries)
		assert.EqualValues(t, n, st.Expired)
		assert.Zero(t, st.Rejected)
	})
}
