package main

import (
	"fmt"
	"slices"
)

// median is the middle of the values, or the mean of the two in the middle; 0
// if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// rotate is the list begun at place n.
func rotate[T any](list []T, n int) []T {
	if len(list) == 0 {
		return nil
	}
	n %= len(list)
	return slices.Concat(list[n:], list[:n])
}

// spread is the least and the greatest of the values.
func spread(v []float64, format string) string {
	least, most := fmt.Sprintf(format, slices.Min(v)), fmt.Sprintf(format, slices.Max(v))
	if least == most {
		return least
	}
	return least + "–" + most
}

func sum(v []float64) (total float64) {
	for _, x := range v {
		total += x
	}
	return total
}
