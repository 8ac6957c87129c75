package revalidate

import (
	"runtime/metrics"
	"sort"
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
		if size := int64(bound) - 1; bound > 1 && bound <= large+1 {
			classes = append(classes, size)
		}
	}
	return classes
}

// allocated returns how much memory the allocator takes for n bytes.
func allocated(n int64) int64 {
	if n > large {
		return (n + page - 1) &^ (page - 1)
	}
	i := sort.Search(len(sizeClasses), func(i int) bool { return sizeClasses[i] >= n })
	if n == 0 || i == len(sizeClasses) {
		return n
	}
	return sizeClasses[i]
}
