package workload

import (
	"fmt"

	"cacheproxy/config"
)

// counted is the number of objects whose sizes are added up one by one; the mean
// of so many stands for the others.
const counted = 1 << 18

// sum is the sum of the sizes of the first n popular objects.
func (s *Spec) sum(n int64) int64 {
	total := int64(0)
	some := min(n, counted)
	for id := range some {
		total += s.Sizes.of(uint64(id+1), s.Seed)
	}
	rest := float64(total) / float64(some) * float64(n-some)
	return total + int64(min(rest, 1<<62))
}

// count is the number of popular objects whose sizes add up to the footprint.
func (s *Spec) count() (int64, error) {
	total := int64(0)
	for id := range int64(counted) {
		total += s.Sizes.of(uint64(id+1), s.Seed)
		if total >= s.Footprint {
			return id + 1, nil
		}
	}
	n := float64(s.Footprint) / float64(total) * counted
	if !(n <= MaxObjects) {
		return 0, fmt.Errorf("workload: footprint=%s needs %.0f objects of these sizes; use at most %d, or larger sizes",
			config.Size(s.Footprint), n, MaxObjects)
	}
	return int64(n), nil
}
