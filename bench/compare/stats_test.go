package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"nothing", nil, 0},
		{"one", []float64{7}, 7},
		{"odd", []float64{9, 1, 5}, 5},
		{"even", []float64{9, 1, 5, 6}, 5.5},
		{"one that is far off does not count", []float64{10, 11, 1e9}, 11},
	} {
		t.Run(tc.name, func(t *testing.T) { assert.Equal(t, tc.want, median(tc.values)) })
	}
	values := []float64{3, 1, 2}
	median(values)
	assert.Equal(t, []float64{3, 1, 2}, values, "the rounds keep their order")
}

func TestRotate(t *testing.T) {
	list := []string{"a", "b", "c"}
	assert.Equal(t, []string{"a", "b", "c"}, rotate(list, 0))
	assert.Equal(t, []string{"b", "c", "a"}, rotate(list, 1))
	assert.Equal(t, []string{"c", "a", "b"}, rotate(list, 5))
	assert.Empty(t, rotate([]string{}, 1))
}

func TestSpread(t *testing.T) {
	assert.Equal(t, "1.25–3.50", spread([]float64{2, 3.5, 1.25}, "%.2f"))
	assert.Equal(t, "2", spread([]float64{2.1, 1.9}, "%.0f"), "what looks the same is said once")
}
