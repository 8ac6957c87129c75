package cache

import (
	"hash/maphash"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// gdsf is the engine of GreedyDual-Size-Frequency: what is evicted is the entry of
// the least priority
//
//	H = L + frequency / size^exponent
//
// where L is what the last victim's priority was when the entry was last used: time,
// measured in evictions. Everything is applied when a call returns.
type gdsf[V any] struct {
	tally
	clock
	seed     maphash.Seed
	mask     uint64 // all ones; tests narrow it to make keys collide
	exponent float64
	shards   [gdsfShards]gdsfShard[V]
	age      atomic.Uint64 // L, as the bits of a float64; written with mu

	mu      sync.Mutex // all writes
	heap    heap[V]
	history history
	closed  bool

	stop      chan struct{}
	done      chan struct{} // the collector has returned
	closeOnce sync.Once
}

const gdsfShards = 64

// gdsfShard is a part of the look-up table. Its map and the values of its nodes are
// changed with both gdsf.mu and mu, so either is enough to read them.
type gdsfShard[V any] struct {
	mu    sync.RWMutex
	nodes map[uint64]*node[V]
	_     [32]byte // a shard fills a cache line of its own
}

// node is an entry. A hit changes uses and age; the rest stands, but for place.
type node[V any] struct {
	key      string
	value    V
	cost     int64
	deadline int64         // on the store's clock; 0 = never
	weight   float64       // size^-exponent
	age      atomic.Uint64 // L at the last use, as the bits of a float64
	uses     atomic.Uint32
	place    int32 // in the heap; guarded by gdsf.mu
}

// maxUses bounds the frequency of an entry: it fits the counters of the history,
// and what was in great demand can be forgotten. A hit still renews the age.
const maxUses = 255

func newGDSF[V any](o Options) *gdsf[V] {
	s := &gdsf[V]{
		clock:    clock{time.Now()},
		seed:     maphash.MakeSeed(),
		mask:     ^uint64(0),
		exponent: o.Exponent,
		history:  newHistory(o),
		stop:     make(chan struct{}),
		done:     make(chan struct{}),
	}
	s.max.Store(o.MaxCost)
	for i := range s.shards {
		s.shards[i].nodes = make(map[uint64]*node[V])
	}
	go s.collect()
	return s
}

// placeBytes is what an entry takes in the look-up table, which is between half and
// nearly full, and in the heap (measured: 43 to 66).
const placeBytes = 64

// Overhead is the node and its places.
func (s *gdsf[V]) Overhead() int64 { return placeBytes + Allocated(int64(unsafe.Sizeof(node[V]{}))) }

// hit notes a use. Of hits that race one may be lost, but none undoes another: neither
// uses nor the age ever falls.
func (n *node[V]) hit(age *atomic.Uint64) {
	if f := n.uses.Load(); f < maxUses {
		n.uses.CompareAndSwap(f, f+1)
	}
	old := n.age.Load() // before L, so that L is not older
	if l := age.Load(); l != old {
		n.age.CompareAndSwap(old, l)
	}
}

func (s *gdsf[V]) hash(key string) uint64 { return maphash.String(s.seed, key) & s.mask }

func (s *gdsf[V]) shard(h uint64) *gdsfShard[V] { return &s.shards[h>>58] }

func (s *gdsf[V]) Get(key string) (value V, ok bool) {
	n := s.find(key)
	if n == nil || s.passed(n.deadline) {
		return value, false
	}
	return n.value, true
}

func (s *gdsf[V]) GetAt(key string, now time.Time) (value V, ok bool) {
	n := s.find(key)
	if n == nil || s.passedAt(n.deadline, now) {
		return value, false
	}
	return n.value, true
}

// find returns the entry of key, which may have expired, or nil, and notes the use.
func (s *gdsf[V]) find(key string) *node[V] {
	h := s.hash(key)
	sh := s.shard(h)
	sh.mu.RLock()
	n := sh.nodes[h]
	sh.mu.RUnlock()
	if n == nil || n.key != key {
		return nil
	}
	n.hit(&s.age)
	return n
}

func (s *gdsf[V]) Update(key string, fn func(old V, ok bool) Change[V]) bool {
	h := s.hash(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	n := s.shard(h).nodes[h]
	var old V
	ok := n != nil && n.key == key && !s.passed(n.deadline)
	if ok {
		old = n.value
	}
	c := fn(old, ok)
	switch c.Op {
	case Put:
		return s.put(h, n, key, &c)
	case Remove:
		s.remove(h, n, key)
	}
	return true
}

// put replaces cur, which is what is under h, or refuses the new value.
func (s *gdsf[V]) put(h uint64, cur *node[V], key string, c *Change[V]) bool {
	s.sets.Add(1)
	if !c.fits(s.max.Load()) {
		s.rejected.Add(1)
		s.remove(h, cur, key)
		return false
	}
	n := &node[V]{
		value:    c.Value,
		cost:     c.Cost,
		deadline: s.deadline(c.TTL),
		weight:   math.Pow(float64(c.Cost), -s.exponent),
	}
	if cur != nil && cur.key == key {
		n.key = cur.key
		n.uses.Store(cur.uses.Load())
	} else {
		n.key = strings.Clone(key) // the caller's may be part of something larger
		n.uses.Store(min(1+s.history.uses(h), maxUses))
	}
	// While a Resize is at work more than max is held: n makes room for itself only.
	limit := max(s.max.Load(), s.cost.Load())
	if cur != nil { // it stays visible until n takes its place
		s.heap.remove(cur)
		s.leave(cur.cost)
	}
	for s.cost.Load() > limit-n.cost {
		s.evict()
	}
	n.age.Store(s.age.Load())
	sh := s.shard(h)
	sh.mu.Lock()
	sh.nodes[h] = n
	sh.mu.Unlock()
	s.heap.push(n)
	s.enter(n.cost)
	return true
}

func (s *gdsf[V]) remove(h uint64, cur *node[V], key string) {
	if cur != nil && cur.key == key {
		s.drop(h, cur)
	}
}

// drop takes n, which is under h, out of the store.
func (s *gdsf[V]) drop(h uint64, n *node[V]) {
	s.heap.remove(n)
	s.unlink(h, n)
}

// unlink takes n, which has left the heap, out of the table and the accounts.
func (s *gdsf[V]) unlink(h uint64, n *node[V]) {
	sh := s.shard(h)
	sh.mu.Lock()
	delete(sh.nodes, h)
	sh.mu.Unlock()
	s.leave(n.cost)
}

// evict evicts the entry of the least priority. There must be one.
func (s *gdsf[V]) evict() {
	n, priority := s.heap.pop()
	h := s.hash(n.key)
	s.unlink(h, n)
	s.evicted.Add(1)
	s.history.remember(h, n.uses.Load())
	s.setAge(priority)
}

func (s *gdsf[V]) Set(key string, v V, cost int64, ttl time.Duration) bool {
	return s.Update(key, putting(v, cost, ttl))
}

func (s *gdsf[V]) Delete(key string) (was bool) {
	s.Update(key, removing[V](&was))
	return was
}
