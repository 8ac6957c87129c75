package cache

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever is pushed, removed and raised, pop gives the least priority of all.
func TestHeapPopsTheLeast(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var h heap[int]
	held := map[*node[int]]bool{}
	age := 0.0
	for range 20_000 {
		switch rng.IntN(4) {
		case 0, 1:
			n := &node[int]{weight: rng.Float64()}
			n.uses.Store(1)
			n.age.Store(math.Float64bits(age))
			h.push(n)
			held[n] = true
		case 2:
			for n := range held { // a hit, and now and then a removal
				n.uses.Add(1)
				n.age.Store(math.Float64bits(age))
				if rng.IntN(3) == 0 {
					h.remove(n)
					delete(held, n)
				}
				break
			}
		default:
			if len(held) == 0 {
				continue
			}
			least := math.Inf(1)
			for n := range held {
				least = min(least, n.priority())
			}
			n, p := h.pop()
			require.InDelta(t, least, p, 0)
			require.InDelta(t, least, n.priority(), 0)
			require.True(t, held[n])
			delete(held, n)
			age = p
		}
		require.Len(t, h.slots, len(held))
	}
}

// The slots of many nodes that have gone are given back, and order survives it.
func TestHeapShrinks(t *testing.T) {
	var h heap[int]
	nodes := make([]*node[int], 100_000)
	for i := range nodes {
		nodes[i] = &node[int]{weight: float64(i)}
		nodes[i].uses.Store(1)
		h.push(nodes[i])
	}
	most := cap(h.slots)
	for _, n := range nodes[:90_000] {
		h.remove(n)
	}
	assert.Less(t, cap(h.slots), most/2)
	for _, n := range nodes[90_000:] {
		least, _ := h.pop()
		require.Same(t, n, least)
	}
	assert.LessOrEqual(t, cap(h.slots), 1024)
}
