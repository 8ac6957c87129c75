package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNextUses(t *testing.T) {
	tr := readText(t, "1 5\n2 5\n1 5\n1 5\n3 5\n")
	assert.Equal(t, []int32{2, never, 3, never, never}, tr.next)
}

// Worked out by hand. Requests a b a b, both of 2 bytes: two intervals of length
// 2, which take 4 each. A cache of 1 byte has no room for either; one of 2 has
// 2 x 4 = 8 in space and time, enough for both, though no cache could do it.
func TestBoundByHand(t *testing.T) {
	tr := readText(t, "1 2\n2 2\n1 2\n2 2\n")
	for max, want := range map[int64]ratios{1: {0, 0}, 2: {0.5, 0.5}} {
		got, err := bound(tr, max)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	// a b c a b c of 2, 2 and 3 bytes: intervals of 6, 6 and 9; a cache of 3 has 18,
	// for two of them and two thirds of the last.
	tr = readText(t, "1 2\n2 2\n3 3\n1 2\n2 2\n3 3\n")
	got, err := bound(tr, 3)
	require.NoError(t, err)
	assert.InDelta(t, (2+2./3)/6, got.Object, 1e-9)
	assert.InDelta(t, 6./14, got.Byte, 1e-9)
}

// Nothing is above the bound, and hindsight beats the rest in requests.
func TestBoundHolds(t *testing.T) {
	tr := readText(t, popular(20_000, 3_000))
	for _, percent := range percents {
		max := tr.Footprint * int64(percent) / 100
		best, err := bound(tr, max)
		require.NoError(t, err)
		var hindsight float64
		for _, p := range policies {
			got, err := p.run(tr, max)
			require.NoError(t, err)
			assert.LessOrEqual(t, got.Object, best.Object, p.name)
			assert.LessOrEqual(t, got.Byte, best.Byte, p.name)
			assert.Positive(t, got.Object, p.name)
			if p.name == "belady-size" {
				hindsight = got.Object
			}
		}
		for _, p := range policies[:6] {
			got, err := p.run(tr, max)
			require.NoError(t, err)
			assert.Less(t, got.Object, hindsight, p.name)
		}
	}
}

// The policies that are exact give the same digits each time.
func TestDeterministic(t *testing.T) {
	tr := readText(t, popular(5_000, 1_000))
	for _, p := range policies {
		switch p.name {
		case "ristretto", "gdsf", "otter":
			continue
		}
		first, err := p.run(tr, tr.Footprint/20)
		require.NoError(t, err)
		again, err := p.run(tr, tr.Footprint/20)
		require.NoError(t, err)
		assert.Equal(t, first, again, p.name)
	}
}

// Belady keeps its books: what it holds never exceeds its bytes.
func TestBeladyBounds(t *testing.T) {
	tr := readText(t, popular(5_000, 1_000))
	max := tr.Footprint / 10
	p, err := newBelady(tr, max)
	require.NoError(t, err)
	b := p.(*belady)
	for _, a := range tr.sequence.Accesses {
		if !b.Get(a.Object) {
			b.Set(a.Object, tr.sizes[a.Object])
		}
		require.LessOrEqual(t, b.cost, max)
		require.Len(t, b.place, len(b.held))
	}
	var sum int64
	for _, o := range b.held {
		sum += tr.sizes[o]
	}
	assert.Equal(t, b.cost, sum)
}
