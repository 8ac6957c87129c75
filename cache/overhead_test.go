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
			eachEngine(t, func(t *testing.T, e Engine) { wantHonest(t, e, keys) })
		})
	}
}

func wantHonest(t *testing.T, e Engine, keys []string) {
	s, err := New[*int](Options{MaxCost: 1 << 30, Engine: e})
	require.NoError(t, err)
	defer s.Close()
	before := heapInUse()
	keyBytes := int64(0)
	for _, key := range keys {
		keyBytes += int64(len(key))
		require.True(t, s.Set(key, nil, 1, time.Hour))
	}
	s.Flush()
	n := int64(len(keys))
	each := (heapInUse() - before - keyBytes) / n
	t.Logf("%d bytes an entry, Overhead is %d", each, s.Overhead())
	assert.Equal(t, n, s.Stats().Entries)
	assert.LessOrEqual(t, each, s.Overhead()*5/4)
	assert.GreaterOrEqual(t, each, s.Overhead()/2)
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
