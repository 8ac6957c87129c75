package cache

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// TestCostIsHonest fills stores with values so small that Overhead is more than
// half of the cost, and asks the heap.
func TestCostIsHonest(t *testing.T) {
	const maxCost = 36 << 20 // 63,000 entries: the maps have just grown, the worst case
	for _, c := range []struct {
		name string
		ttl  time.Duration
	}{{"without expiry", 0}, {"with expiry", time.Hour}} {
		t.Run(c.name, func(t *testing.T) {
			before := heapInUse()
			s, err := New[*[200]byte](Options{MaxCost: maxCost})
			assert.NoError(t, err)
			defer s.Close()
			fixed := heapInUse() - before
			for i := 0; s.Stats().Evicted+s.Stats().Rejected == 0; i++ {
				s.Set(fmt.Sprintf("http://www.example.org/an/object/%08d", i), new([200]byte), 200, c.ttl)
			}
			st := wantExact(t, s)
			used := heapInUse() - before
			t.Logf("%d entries, cost %d, heap %d: %.2f x MaxCost, %d bytes an entry beside key and value; empty %d",
				st.Entries, st.Cost, used, float64(used)/maxCost, (used-fixed)/st.Entries-240, fixed)
			assert.Greater(t, st.Cost, int64(maxCost)*9/10, "the store is full")
			assert.LessOrEqual(t, used, int64(maxCost*5/4+(2<<20)))

			s.Clear()
			assert.Less(t, heapInUse()-before, int64(12<<20), "Clear frees the memory")
			runtime.KeepAlive(s)
		})
	}
}
