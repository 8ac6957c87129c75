package cache

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHistorySize(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want int
	}{
		{"16 for each entry of the default size", Options{MaxCost: 1 << 30}, 16 * (1 << 30) / DefaultMeanCost},
		{"16 for each entry of the given size", Options{MaxCost: 1 << 30, MeanCost: 1 << 20}, 16 << 10},
		{"rounded up", Options{MaxCost: 1<<30 + 1<<20, MeanCost: 1 << 20}, 32 << 10},
		{"a small store gets enough to be useful", Options{MaxCost: 1}, 1 << 12},
		{"counters do not eat a store of tiny values", Options{MaxCost: 1 << 30, MeanCost: 1}, 1 << 25},
		{"no overflow", Options{MaxCost: math.MaxInt64, MeanCost: math.MaxInt64 / 1000}, 16 << 10},
	} {
		assert.Len(t, newHistory(c.o).counters, c.want, c.name)
	}
}

func TestHistory(t *testing.T) {
	h := newHistory(Options{MaxCost: 1 << 20, MeanCost: 1 << 10})
	assert.Zero(t, h.uses(7), "nothing is known yet")
	h.remember(7, 5)
	h.remember(8, 1<<30)
	assert.GreaterOrEqual(t, h.uses(7), uint32(4), "at most one halving of a neighbour's counter")
	assert.LessOrEqual(t, h.uses(8), uint32(maxUses))
	h.clear()
	assert.Zero(t, h.uses(8))
}

func TestHistoryFades(t *testing.T) {
	h := newHistory(Options{MaxCost: 1 << 20, MeanCost: 1 << 10})
	h.remember(7, 200)
	before := h.uses(7)
	round := len(h.counters) / historyFade // in which every counter is halved once
	for range round {
		h.remember(0, 0)
	}
	assert.Equal(t, before/2, h.uses(7))
	for range 8 * round {
		h.remember(0, 0)
	}
	assert.Zero(t, h.uses(7))
}

// Few other entries are taken for one that is remembered.
func TestHistoryRarelyConfuses(t *testing.T) {
	o := Options{MaxCost: 1 << 24, MeanCost: 1 << 10}
	h := newHistory(o)
	n := uint64(o.fitting())
	for i := range n {
		h.remember(i<<40|i, 100)
	}
	wrong := 0
	for i := range n {
		if h.uses((n+i)<<40|(n+i)) > 0 {
			wrong++
		}
	}
	assert.Less(t, wrong, int(n)/20)
}
