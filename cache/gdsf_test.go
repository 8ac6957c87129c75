package cache

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func openGDSF[V any](t testing.TB, maxCost int64) *gdsf[V] {
	return open[V](t, GDSF, maxCost).(*gdsf[V])
}

func wantHeapSound[V any](t *testing.T, s *gdsf[V]) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	nodes := 0
	for i := range s.shards {
		nodes += len(s.shards[i].nodes)
	}
	require.Len(t, s.heap.slots, nodes, "heap against table")
	for i, slot := range s.heap.slots {
		require.EqualValues(t, i, slot.node.place)
		require.Same(t, slot.node, s.shard(s.hash(slot.node.key)).nodes[s.hash(slot.node.key)])
		if i > 0 {
			require.LessOrEqual(t, s.heap.slots[(i-1)/2].bound, slot.bound, "heap order at %d", i)
		}
	}
}

// textbook is GreedyDual-Size-Frequency as it is written down: every priority is set
// at once, and the least of all is looked for.
type textbook struct {
	max, used int64
	exponent  float64
	age       float64
	entries   map[string]*textbookEntry
	history   history
	hash      func(string) uint64
}

type textbookEntry struct {
	cost int64
	uses uint32
	h    float64
}

func (b *textbook) raise(e *textbookEntry) {
	e.h = b.age + float64(e.uses)*math.Pow(float64(e.cost), -b.exponent)
}

func (b *textbook) get(key string) bool {
	e, ok := b.entries[key]
	if ok {
		e.uses = min(e.uses+1, maxUses)
		b.raise(e)
	}
	return ok
}

func (b *textbook) set(key string, cost int64) {
	e, ok := b.entries[key]
	if ok {
		b.used -= e.cost
		delete(b.entries, key)
	} else {
		e = &textbookEntry{uses: min(1+b.history.uses(b.hash(key)), maxUses)}
	}
	for b.used+cost > b.max {
		least, victim := "", &textbookEntry{h: math.Inf(1)}
		for k, e := range b.entries {
			if e.h < victim.h {
				least, victim = k, e
			}
		}
		b.used -= victim.cost
		b.age = victim.h
		b.history.remember(b.hash(least), victim.uses)
		delete(b.entries, least)
	}
	e.cost = cost
	b.used += cost
	b.raise(e)
	b.entries[key] = e
}

// The lazy heap changes nothing: hit by hit the store is the textbook's.
func TestGDSFIsTextbook(t *testing.T) {
	for _, exponent := range []float64{0.25, 0.5, 1} {
		t.Run(fmt.Sprint("exponent ", exponent), func(t *testing.T) {
			o := Options{MaxCost: 100_000, MeanCost: 1_000, Engine: GDSF, Exponent: exponent}
			store, err := New[int](o)
			require.NoError(t, err)
			defer store.Close()
			s := store.(*gdsf[int])
			b := &textbook{max: o.MaxCost, exponent: exponent, entries: map[string]*textbookEntry{}, history: newHistory(o), hash: s.hash}
			rng := rand.New(rand.NewPCG(3, 4))
			zipf := rand.NewZipf(rng, 1.1, 5, 1_500)
			hits := 0
			for i := range 30_000 {
				n := int64(zipf.Uint64())
				key := fmt.Sprint("k", n)
				_, ok := s.Get(key)
				require.Equal(t, b.get(key), ok, "request %d, for %s", i, key)
				if ok {
					hits++
				}
				if !ok || i%50 == 0 { // costs of their own, so that no two priorities are alike
					cost := 1 + n + 2_000*(n*7919%5) + int64(i%50)
					s.Set(key, i, cost, 0)
					b.set(key, cost)
				}
			}
			assert.Equal(t, b.used, s.Stats().Cost)
			assert.Positive(t, hits)
			assert.Positive(t, s.Stats().Evicted)
			wantExact(t, store)
		})
	}
}

// L starts anew at times, which must not show; here between every few evictions.
func TestGDSFAgeStartsAnew(t *testing.T) {
	a, b := openGDSF[int](t, 100_000), openGDSF[int](t, 100_000)
	b.seed = a.seed
	rng := rand.New(rand.NewPCG(5, 6))
	zipf := rand.NewZipf(rng, 1.1, 5, 1_500)
	for i := range 20_000 {
		n := int64(zipf.Uint64())
		key := fmt.Sprint("k", n)
		_, ok := a.Get(key)
		_, same := b.Get(key)
		require.Equal(t, ok, same, "request %d", i)
		if !ok {
			a.Set(key, i, 1+n*7919%5_000, 0)
			b.Set(key, i, 1+n*7919%5_000, 0)
		}
		if i%500 == 0 {
			b.mu.Lock()
			by := ageLimit - 1e-3 - math.Float64frombits(b.age.Load())
			b.setAge(ageLimit - 1e-3) // the next victim lifts it over the limit
			b.heap.shift(-by)
			b.mu.Unlock()
		}
	}
	assert.Less(t, math.Float64frombits(b.age.Load()), 1_000.0)
	wantExact[int](t, b)
}

// Hits that note L while it starts anew must not keep the old one.
func TestGDSFAgeStartsAnewUnderHits(t *testing.T) {
	s := openGDSF[int](t, 100_000)
	for i := range 100 {
		s.Set(fmt.Sprint("k", i), i, 1_000, 0)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					s.Get(fmt.Sprint("k", i%100))
				}
			}
		})
	}
	for range 1_000 {
		s.mu.Lock()
		s.age.Store(math.Float64bits(ageLimit - 1))
		s.setAge(ageLimit)
		s.mu.Unlock()
	}
	close(stop)
	wg.Wait()
	for _, slot := range s.heap.slots {
		assert.Less(t, slot.node.priority(), float64(ageLimit))
	}
}

func TestGDSFUsesAreBounded(t *testing.T) {
	s := openGDSF[int](t, 1<<20)
	s.Set("a", 1, 1, 0)
	for range 2 * maxUses {
		s.Get("a")
	}
	h := s.hash("a")
	assert.EqualValues(t, maxUses, s.shard(h).nodes[h].uses.Load())
}

func TestGDSFPrefersSmallAndOftenUsed(t *testing.T) {
	s := openGDSF[int](t, 100_000)
	s.Set("large", 1, 50_000, 0)
	s.Set("small", 1, 100, 0)
	s.Set("used", 1, 40_000, 0)
	for range 50 {
		s.Get("used")
	}
	s.Set("next", 1, 30_000, 0)
	wantMiss(t, s, "large")
	wantValue(t, s, "small", 1)
	wantValue(t, s, "used", 1)
	wantValue(t, s, "next", 1)
}

// An entry that returns starts from its past frequency.
func TestGDSFRemembers(t *testing.T) {
	s := openGDSF[int](t, 1_000)
	s.Set("a", 1, 1_000, 0)
	for range 9 {
		s.Get("a")
	}
	s.Set("b", 1, 1_000, 0)
	wantMiss(t, s, "a")
	s.Set("a", 1, 1_000, 0)
	h := s.hash("a")
	assert.EqualValues(t, 11, s.shard(h).nodes[h].uses.Load())
	s.Clear()
	s.Set("a", 1, 1_000, 0)
	assert.EqualValues(t, 1, s.shard(h).nodes[h].uses.Load(), "Clear forgets")
}

// Hits that race, while L rises, never undo one another; the heap relies on it.
func TestGDSFHitsNeverLowerThePriority(t *testing.T) {
	const racers = 2
	nodes := make([]node[int], 5_000)
	var age, arrived atomic.Uint64
	var wg sync.WaitGroup
	for range racers {
		wg.Go(func() {
			for i := range nodes {
				n := &nodes[i]
				arrived.Add(1)
				for arrived.Load() < racers*uint64(i+1) { // all hit the same one
					runtime.Gosched()
				}
				uses, last := n.uses.Load(), n.age.Load()
				for range maxUses {
					age.Add(1) // bits of numbers above 0 are in the order of the numbers
					n.hit(&age)
					u, l := n.uses.Load(), n.age.Load()
					if u < uses || l < last {
						t.Errorf("%d uses and age %d after %d and %d", u, l, uses, last)
					}
					uses, last = u, l
				}
			}
		})
	}
	wg.Wait()
	nodes[0].hit(&age)
	assert.Equal(t, age.Load(), nodes[0].age.Load(), "the next hit renews the age")
}
