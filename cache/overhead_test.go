//go:build !race

// The race detector changes nothing about these figures and takes long.

package cache

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// Overhead is near what the heap says: never much too small, which would outgrow
// the memory of the machine, nor much too large, which would waste it.
func TestOverheadIsHonest(t *testing.T) {
	const doubles = shardCount * 896 // entries at which most maps of ristretto double
	for _, n := range []int{60_000, doubles * 15 / 16, doubles * 17 / 16} {
		keys := benchKeys(n)
		t.Run(fmt.Sprint(n, " entries"), func(t *testing.T) {
			eachEngine(t, func(t *testing.T, e Engine) {
				t.Run("a pointer", func(t *testing.T) { wantHonest[*int](t, e, keys) })
				t.Run("24 bytes", func(t *testing.T) { wantHonest[named](t, e, keys) })
				t.Run("32 bytes", func(t *testing.T) { wantHonest[namedAt](t, e, keys) })
			})
		})
	}
}

// Values as callers have them; their nodes and items are of different size classes.
type (
	named struct {
		_ string
		_ *int
	}
	namedAt struct {
		_ named
		_ int64
	}
)

func wantHonest[V any](t *testing.T, e Engine, keys []string) {
	s, err := New[V](Options{MaxCost: 1 << 30, Engine: e})
	require.NoError(t, err)
	defer s.Close()
	before := heapInUse()
	keyBytes := int64(0)
	var v V
	for _, key := range keys {
		keyBytes += Allocated(int64(len(key)))
		require.True(t, s.Set(key, v, 1, time.Hour))
	}
	s.Flush()
	n := int64(len(keys))
	each := (heapInUse() - before - keyBytes) / n
	t.Logf("%d bytes an entry, Overhead is %d", each, s.Overhead())
	assert.Equal(t, n, s.Stats().Entries)
	least := 0.8 // maps that have just doubled are half empty
	if e == Ristretto {
		least = 0.65 // and it has two
	}
	const others = 1 << 20 // what earlier tests leave behind, or take with them
	assert.LessOrEqual(t, float64(each), 1.05*float64(s.Overhead())+float64(others/n))
	assert.GreaterOrEqual(t, float64(each), least*float64(s.Overhead()))
	runtime.KeepAlive(keys)
}

// Trap 12: a store that is full of tiny values keeps to MaxCost, tables and all.
func TestCostIsHonest(t *testing.T) {
	const maxCost = 36 << 20
	eachEngine(t, func(t *testing.T, e Engine) {
		before := heapInUse()
		s, err := New[*[200]byte](Options{MaxCost: maxCost, Engine: e})
		require.NoError(t, err)
		defer s.Close()
		for i := 0; s.Stats().Evicted+s.Stats().Rejected == 0; i++ {
			key := objectKey(i)
			s.Set(key, new([200]byte), 208+int64(len(key))+s.Overhead(), time.Hour)
		}
		st := wantExact(t, s)
		used := heapInUse() - before
		t.Logf("%d entries, cost %d, heap %d: %.2f x MaxCost", st.Entries, st.Cost, used, float64(used)/maxCost)
		assert.Greater(t, st.Cost, int64(maxCost)*9/10, "the store is full")
		assert.LessOrEqual(t, used, int64(maxCost*5/4+(2<<20)))

		s.Clear()
		assert.Less(t, heapInUse()-before, int64(12<<20), "Clear frees the memory")
		runtime.KeepAlive(s)
	})
}
