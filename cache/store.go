package cache

import (
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"
)

// Options sizes a Store.
type Options struct {
	// MaxCost bounds the sum of all costs, in bytes; at least 1.
	MaxCost int64
	// MeanCost is the expected mean cost of an entry, in bytes. It sizes the
	// frequency counters (100 to 200 bytes for each entry that fits); 0 = 16 KiB.
	MeanCost int64
}

// Store keeps values of type V within a budget of bytes. All its methods may be
// called from any goroutine. A value must not be changed after it was given.
type Store[V any] struct {
	engine *ristretto.Cache[uint64, *item[V]]
	seed   maphash.Seed
	mask   uint64 // all ones; tests narrow it to make keys collide
	start  time.Time
	epoch  atomic.Uint32 // items of an earlier epoch were cleared
	max    atomic.Int64

	shards [shardCount]shard[V]

	entries, cost, pending          atomic.Int64
	sets, rejected, evicted, lapsed atomic.Uint64

	queueMu sync.Mutex
	queue   []uint64   // hashes that have pending items
	roomy   *sync.Cond // on queueMu: pending has shrunk, or the store is closed
	closing bool       // guarded by queueMu

	wake  chan struct{}
	calls chan func() // run by the writer, between batches
	stop  chan struct{}
	done  chan struct{} // the writer has returned

	resizeMu  sync.Mutex
	closeOnce sync.Once
}

// New starts a store; Close stops it. It returns an error that names the option
// which is out of range.
func New[V any](o Options) (*Store[V], error) {
	if o.MaxCost < 1 {
		return nil, fmt.Errorf("cache: MaxCost is %d: give a size of at least 1 byte", o.MaxCost)
	}
	if o.MeanCost < 0 {
		return nil, fmt.Errorf("cache: MeanCost is %d: give a size in bytes, or 0 for the default", o.MeanCost)
	}
	s := &Store[V]{
		seed:  maphash.MakeSeed(),
		mask:  ^uint64(0),
		start: time.Now(),
		wake:  make(chan struct{}, 1),
		calls: make(chan func()),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	s.roomy = sync.NewCond(&s.queueMu)
	s.max.Store(o.MaxCost)
	for i := range s.shards {
		s.shards[i].items = make(map[uint64]*item[V])
	}
	engine, err := ristretto.NewCache(&ristretto.Config[uint64, *item[V]]{
		NumCounters:        numCounters(o),
		MaxCost:            o.MaxCost,
		BufferItems:        64,
		IgnoreInternalCost: true, // Overhead counts it
		// Items are compared by their whole key, which is more than a second hash.
		KeyToHash: func(h uint64) (uint64, uint64) { return h, 0 },
		OnEvict:   s.onEvict,
		OnReject:  s.onReject,
	})
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	s.engine = engine
	go s.write()
	return s, nil
}

// numCounters gives 30 counters for each entry that is expected to fit: fewer
// cost hit ratio, more gain little. A counter takes 3 to 6 bytes, so that
// counters never take more than a tenth of a large store.
func numCounters(o Options) int64 {
	mean := o.MeanCost
	if mean == 0 {
		mean = 16 << 10
	}
	n := o.MaxCost / mean
	n = min(n, 1<<30) * 30
	return min(max(min(n, o.MaxCost/64), 1<<14), 1<<30)
}

func (s *Store[V]) hash(key string) uint64 { return maphash.String(s.seed, key) & s.mask }

// Get returns what the last Update, Set or Delete of key left, unless it was
// evicted or has expired. It does not allocate.
func (s *Store[V]) Get(key string) (V, bool) {
	h := s.hash(key)
	sh := s.shard(h)
	if sh.state.Add(1) >= pendingOne {
		return s.getBusy(sh, h, key)
	}
	it, ok := s.engine.Get(h)
	sh.state.Add(minusOne)
	if !ok || it.key != key || it.epoch != s.epoch.Load() {
		var none V
		return none, false
	}
	return it.value, true
}

// getBusy is Get in a shard that has pending items or is closed.
func (s *Store[V]) getBusy(sh *shard[V], h uint64, key string) (value V, ok bool) {
	defer sh.state.Add(minusOne)
	if sh.closed() {
		return value, false
	}
	sh.mu.RLock()
	it := sh.items[h]
	hidden := it != nil && it.pending
	ok = hidden && s.live(it) && it.key == key
	sh.mu.RUnlock()
	applied, found := s.engine.Get(h) // also where nothing is asked of it: it counts the look-up
	if !hidden {
		it, ok = applied, found && applied.key == key && applied.epoch == s.epoch.Load()
	}
	if ok {
		value = it.value
	}
	return value, ok
}

// Op says what an Update does to its key.
type Op uint8

const (
	Keep   Op = iota // leave it as it is
	Put              // replace the value
	Remove           // remove the value
)

// Change is the outcome of an Update; Value, Cost and TTL belong to a Put.
type Change[V any] struct {
	Op    Op
	Value V
	Cost  int64         // bytes of the value, not negative; the store adds len(key) and Overhead
	TTL   time.Duration // 0 = no expiry; negative is refused
}

// Update reads, decides and writes in one step: no other write of the same key
// comes between. fn runs once, under a lock that writes of other keys share: it
// must be quick and must not call the store. What it put is visible when Update
// returns.
//
// It returns false if a Put was refused, because the cost is negative or with
// key and Overhead more than MaxCost, or the TTL is negative; then the old value
// is gone too, for it has been superseded. On a closed store it returns false
// and does not call fn. It waits while too many bytes are pending.
func (s *Store[V]) Update(key string, fn func(old V, ok bool) Change[V]) bool {
	s.waitRoom()
	h := s.hash(key)
	sh := s.shard(h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed() {
		return false
	}
	cur := sh.items[h]
	var old V
	ok := s.live(cur) && cur.key == key
	if ok {
		old = cur.value
	}
	c := fn(old, ok)
	switch c.Op {
	case Put:
		return s.put(sh, h, cur, key, c)
	case Remove:
		s.remove(sh, h, cur, key)
	}
	return true
}

// put publishes a new value, or refuses it. The shard is locked.
func (s *Store[V]) put(sh *shard[V], h uint64, cur *item[V], key string, c Change[V]) bool {
	s.sets.Add(1)
	around := int64(len(key)) + Overhead
	if c.Cost < 0 || c.Cost > s.max.Load()-around || c.TTL < 0 {
		s.rejected.Add(1)
		s.remove(sh, h, cur, key)
		return false
	}
	s.replace(sh, h, cur, &item[V]{
		key:      strings.Clone(key), // the caller's may be part of something larger
		value:    c.Value,
		cost:     c.Cost + around,
		deadline: s.deadline(c.TTL),
		epoch:    s.epoch.Load(),
	})
	return true
}

// remove leaves a tombstone where key has an item, and another key's item of the
// same hash alone. The shard is locked.
func (s *Store[V]) remove(sh *shard[V], h uint64, cur *item[V], key string) {
	if cur != nil && !cur.gone && cur.key == key {
		s.replace(sh, h, cur, &item[V]{gone: true, cost: Overhead})
	}
}

// Set puts a value of the given cost in bytes (not counting key and Overhead).
// It is visible on return, or Set returns false and the old value is gone too;
// see Update. A ttl of 0 means that it does not expire.
func (s *Store[V]) Set(key string, v V, cost int64, ttl time.Duration) bool {
	return s.Update(key, func(V, bool) Change[V] {
		return Change[V]{Op: Put, Value: v, Cost: cost, TTL: ttl}
	})
}

// Delete removes the value of key, which is not served any more once Delete has
// returned. It reports whether there was one.
func (s *Store[V]) Delete(key string) bool {
	was := false
	s.Update(key, func(_ V, ok bool) Change[V] {
		was = ok
		return Change[V]{Op: Remove}
	})
	return was
}
