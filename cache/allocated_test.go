package cache

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a slice of bytes has room for is what it takes.
func TestAllocatedIsWhatTheAllocatorTakes(t *testing.T) {
	sizes := []int64{0, 64 << 10, 64<<10 + 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 10_000_000}
	for n := int64(1); n <= 40_000; n++ {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		require.EqualValues(t, cap(slices.Grow([]byte(nil), int(n))), Allocated(n), "%d bytes", n)
	}
}

func TestAllocatedOfNonsense(t *testing.T) {
	assert.Zero(t, Allocated(-1))
	assert.Zero(t, Allocated(math.MinInt64))
	assert.EqualValues(t, int64(math.MaxInt64), Allocated(math.MaxInt64))
}
