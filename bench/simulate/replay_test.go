package simulate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
)

// synthetic is a sequence of n requests whose popularity falls off, with sizes
// from 1 to most.
func synthetic(n, objects int, most int64) *Sequence {
	random := rand.New(rand.NewPCG(7, 11))
	s := &Sequence{}
	for range objects {
		s.Objects = append(s.Objects, Object{Size: 1 + random.Int64N(most), Key: 10})
	}
	for range n {
		o := int(float64(objects) * math.Pow(random.Float64(), 3))
		s.Accesses = append(s.Accesses, Access{Object: uint32(o), Bytes: s.Objects[o].Size})
	}
	return s
}

func replay(t *testing.T, s *Sequence, p Policy) Result {
	t.Helper()
	r, err := Replay(context.Background(), s, p, s.Sizes(), math.MaxInt64)
	require.NoError(t, err)
	return r
}

// trail notes which requests were hits.
type trail struct {
	Policy
	hits []bool
}

func (p *trail) Get(object uint32) bool {
	p.hits = append(p.hits, p.Policy.Get(object))
	return p.hits[len(p.hits)-1]
}

// Worked out by hand: objects a to d of 1 byte and E of 3, a cache of 3 bytes.
func TestByHand(t *testing.T) {
	const order = "abcabdaEbE"
	costs := map[rune]int64{'a': 1, 'b': 1, 'c': 1, 'd': 1, 'E': 3}
	s := &Sequence{}
	for _, o := range "abcdE" {
		s.Objects = append(s.Objects, Object{Size: costs[o]})
	}
	for _, o := range order {
		s.Accesses = append(s.Accesses, Access{Object: uint32(slices.Index([]rune("abcdE"), o)), Bytes: costs[o]})
	}
	for _, tc := range []struct {
		name   string
		policy Policy
		want   string // + for a hit
	}{
		// d evicts a, a evicts b, E evicts all, b evicts E, E evicts b.
		{"fifo", NewFIFO(3), "---++-----"},
		// d evicts c, a is still there, E evicts all.
		{"lru", NewLRU(3), "---++-+---"},
		{"unlimited", Unlimited{}, "---++-+-++"},
		{"too small for E", NewLRU(2), "----------"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &trail{Policy: tc.policy}
			r := replay(t, s, p)
			var got string
			for _, hit := range p.hits {
				got += map[bool]string{true: "+", false: "-"}[hit]
			}
			assert.Equal(t, tc.want, got)
			var want Result
			for i, o := range order {
				want.Requests++
				want.Bytes += costs[o]
				if tc.want[i] == '+' {
					want.Hits++
					want.HitBytes += costs[o]
				}
			}
			assert.Equal(t, want, r)
			assert.Equal(t, want.Requests-want.Hits, r.Misses())
			assert.Equal(t, want.Bytes-want.HitBytes, r.MissBytes())
		})
	}
}

// naive keeps its objects in a slice, oldest first: slow, and nothing to get wrong.
type naive struct {
	max    int64
	recent bool
	held   []uint32
	costs  []int64
}

func (n *naive) Get(object uint32) bool {
	i := slices.Index(n.held, object)
	if i >= 0 && n.recent {
		n.held = append(slices.Delete(n.held, i, i+1), object)
	}
	return i >= 0
}

func (n *naive) Set(object uint32, cost int64) {
	if cost > n.max {
		return
	}
	n.held = append(n.held, object)
	for n.sum() > n.max {
		n.held = n.held[1:]
	}
}

func (n *naive) sum() (bytes int64) {
	for _, o := range n.held {
		bytes += n.costs[o]
	}
	return bytes
}

func TestAgainstNaive(t *testing.T) {
	s := synthetic(20_000, 2_000, 1000)
	for _, percent := range []int64{1, 5, 25, 100} {
		max := s.Footprint() * percent / 100
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			for recent, p := range map[bool]Policy{false: NewFIFO(max), true: NewLRU(max)} {
				assert.Equal(t, replay(t, s, &naive{max: max, recent: recent, costs: s.Sizes()}), replay(t, s, p), recent)
			}
		})
	}
}

// S3-FIFO must keep its bounds, and a scan must not flush what is popular.
func TestS3FIFO(t *testing.T) {
	s := synthetic(50_000, 5_000, 1000)
	max := s.Footprint() / 20
	p := NewS3FIFO(max)
	costs := s.Sizes()
	for _, a := range s.Accesses {
		if !p.Get(a.Object) {
			p.Set(a.Object, costs[a.Object])
		}
		require.LessOrEqual(t, p.small.cost+p.main.cost, max)
		require.LessOrEqual(t, p.ghost.cost, p.mainMax)
		require.Len(t, p.objects, p.small.Len()+p.main.Len()+p.ghost.Len())
	}
	assert.Greater(t, replay(t, s, NewS3FIFO(max)).Hits, replay(t, s, NewLRU(max)).Hits)

	q := NewS3FIFO(100)
	for range 4 {
		if !q.Get(1) {
			q.Set(1, 1)
		}
	}
	for scanned := range uint32(1000) {
		q.Set(1000+scanned, 1)
	}
	assert.True(t, q.Get(1), "used before it left the small queue")
	assert.False(t, q.Get(1000), "scanned")

	q.Set(5, 11)
	assert.False(t, q.Get(5), "larger than the small queue: remembered only")
	q.Set(5, 11)
	assert.True(t, q.Get(5), "it has returned")
	q.Set(6, 101)
	assert.False(t, q.Get(6), "larger than the cache")
}

func TestReplayLeavesOutWhatIsTooLarge(t *testing.T) {
	s := &Sequence{
		Objects:  []Object{{Size: 10}, {Size: 11}},
		Accesses: []Access{{0, 10}, {1, 11}, {0, 10}, {1, 11}},
	}
	r, err := Replay(context.Background(), s, Unlimited{}, s.Sizes(), 10)
	require.NoError(t, err)
	assert.Equal(t, Result{Requests: 4, Hits: 1, Bytes: 42, HitBytes: 10}, r)
	assert.InDelta(t, 0.25, r.HitRatio(), 1e-9)
	assert.InDelta(t, 10./42, r.ByteHitRatio(), 1e-9)
	assert.Zero(t, Result{}.HitRatio())
	assert.Zero(t, Result{}.ByteHitRatio())
}

func TestReplayEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Replay(ctx, synthetic(10, 5, 9), Unlimited{}, []int64{1, 1, 1, 1, 1}, 10)
	assert.ErrorIs(t, err, context.Canceled)
}

// Both engines, given room for everything, keep everything; with less they keep
// to their bounds.
func TestEngines(t *testing.T) {
	s := synthetic(30_000, 3_000, 1)
	for _, name := range cache.Engines() {
		t.Run(string(name), func(t *testing.T) {
			e, err := NewEngine(cache.Options{MaxCost: 4 * s.Footprint(), MeanCost: 1, Engine: name, Exponent: cache.DefaultExponent})
			require.NoError(t, err)
			defer e.Close()
			assert.Equal(t, replay(t, s, Unlimited{}), replay(t, s, e))
			assert.Positive(t, e.Overhead())

			max := s.Footprint() / 10
			small, err := NewEngine(cache.Options{MaxCost: max, MeanCost: 1, Engine: name, Exponent: cache.DefaultExponent})
			require.NoError(t, err)
			defer small.Close()
			r := replay(t, s, small)
			assert.LessOrEqual(t, small.store.Stats().Cost, max)
			assert.Positive(t, r.Hits)
			assert.Less(t, r.Hits, replay(t, s, Unlimited{}).Hits)
			if name == cache.GDSF { // under the race detector, ristretto counts few of the uses
				assert.Greater(t, r.Hits, replay(t, s, NewLRU(max)).Hits)
			}
		})
	}
	_, err := NewEngine(cache.Options{MaxCost: 0})
	assert.ErrorContains(t, err, "MaxCost")
}
