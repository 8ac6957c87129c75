package cache

import (
	"runtime/metrics"
	"sort"
)

const (
	largestClass = 32 << 10 // beyond it the allocator counts in pages
	pageBytes    = 8 << 10
)

// sizeClasses are the sizes in which the allocator gives out small memory; the
// runtime tells them as the bounds of a histogram.
var sizeClasses = readSizeClasses()

func readSizeClasses() []int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs-by-size:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	var classes []int64
	for _, bound := range sample[0].Value.Float64Histogram().Buckets {
		// A bucket begins one byte beyond the class before it.
		if bound > 1 && bound <= largestClass+1 {
			classes = append(classes, int64(bound)-1)
		}
	}
	return classes
}

// Allocated returns how much memory the allocator takes for n bytes, in bytes: n
// rounded up to a size class, or to pages when it is large; 0 for n below 1. Callers
// that want costs to mean memory count each allocation with it. (Not counted: the 8
// bytes that an object of more than 512 bytes takes on top if it holds pointers.)
func Allocated(n int64) int64 {
	if n < 1 {
		return 0
	}
	if n > largestClass {
		return max(n, (n+pageBytes-1)&^(pageBytes-1)) // n itself where the sum would overflow
	}
	i := sort.Search(len(sizeClasses), func(i int) bool { return sizeClasses[i] >= n })
	if i == len(sizeClasses) {
		return n
	}
	return sizeClasses[i]
}
