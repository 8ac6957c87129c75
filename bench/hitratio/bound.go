package main

import (
	"cmp"
	"slices"
)

// interval is the time between two requests for an object: a policy that holds
// the object through it has a hit at its end.
type interval struct {
	size int64
	long int64 // requests
}

// bound is PFOO-U (Berger, Beckmann, Harchol-Balter, "Practical bounds on
// optimal caching with variable object sizes", 2018). An interval takes size x
// length of the cache's space and time. A cache cannot give more than its size
// times the length of the trace; whoever could spread that freely would take the
// intervals that cost least for what they bring.
func bound(t *traceFile, max int64) (ratios, error) {
	var all []interval
	var requested int64
	for i, a := range t.sequence.Accesses {
		size := t.sizes[a.Object]
		requested += size
		if t.next[i] != never && size <= max {
			all = append(all, interval{size, int64(t.next[i]) - int64(i)})
		}
	}
	budget := float64(max) * float64(t.Requests)
	hits := take(all, budget, func(v interval) float64 { return float64(v.size) * float64(v.long) },
		func(interval) float64 { return 1 })
	// What a byte costs does not depend on the size.
	bytes := take(all, budget, func(v interval) float64 { return float64(v.long) },
		func(v interval) float64 { return float64(v.size) })
	return ratios{hits / float64(t.Requests), bytes / float64(requested)}, nil
}

// take sums what the intervals bring that cost least for it, as far as the
// budget goes; of the last one, a part.
func take(all []interval, budget float64, price, brings func(interval) float64) (sum float64) {
	slices.SortFunc(all, func(a, b interval) int { return cmp.Compare(price(a), price(b)) })
	for _, v := range all {
		cost := float64(v.size) * float64(v.long)
		if cost > budget {
			return sum + brings(v)*budget/cost
		}
		budget -= cost
		sum += brings(v)
	}
	return sum
}
