package cache

import (
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/dgraph-io/ristretto/v2"
)

// overlay is the ristretto engine behind a map of what is still to be applied to
// it; the package comment says why and how.
type overlay[V any] struct {
	tally
	clock
	engine *ristretto.Cache[uint64, *item[V]]
	seed   maphash.Seed
	mask   uint64        // all ones; tests narrow it to make keys collide
	epoch  atomic.Uint32 // items of an earlier epoch were cleared

	shards [shardCount]shard[V]

	queueMu sync.Mutex
	queue   []uint64   // hashes that have pending intents
	roomy   *sync.Cond // on queueMu: pending has shrunk, or the store is closed
	closing bool       // guarded by queueMu

	turn     chan struct{} // holds one token while somebody changes the engine, or reads it whole
	clearing atomic.Bool   // what leaves the engine is cleared, not evicted
	wake     chan struct{}
	stop     chan struct{}
	working  sync.WaitGroup // the writer and the sweeper

	closeOnce sync.Once
}

func newOverlay[V any](o Options) (*overlay[V], error) {
	s := &overlay[V]{
		clock: clock{time.Now()},
		seed:  maphash.MakeSeed(),
		mask:  ^uint64(0),
		turn:  make(chan struct{}, 1),
		wake:  make(chan struct{}, 1),
		stop:  make(chan struct{}),
	}
	s.roomy = sync.NewCond(&s.queueMu)
	s.max.Store(o.MaxCost)
	engine, err := ristretto.NewCache(&ristretto.Config[uint64, *item[V]]{
		NumCounters:            numCounters(o),
		MaxCost:                o.MaxCost,
		BufferItems:            64,
		IgnoreInternalCost:     true,          // Overhead counts it
		TtlTickerDurationInSec: 7 * 24 * 3600, // its own expiry is not used
		// Items are compared by their whole key, which is more than a second hash.
		KeyToHash: func(h uint64) (uint64, uint64) { return h, 0 },
		OnEvict:   s.onEvict,
		OnReject:  s.onReject,
	})
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	s.engine = engine
	s.working.Go(s.write)
	s.working.Go(s.sweep)
	return s, nil
}

// numCounters gives 30 counters for each entry that is expected to fit: fewer
// cost hit ratio, more gain little. A counter takes 3 to 6 bytes, so that
// counters never take more than a tenth of a large store.
func numCounters(o Options) int64 {
	n := min(o.fitting(), 1<<30) * 30
	return min(max(min(n, o.MaxCost/64), 1<<14), 1<<30)
}

// mapBytes is what an entry takes in the two maps of ristretto, which are between
// half and nearly full (measured: 105 to 180).
const mapBytes = 176

// Overhead is the item and its places in the maps.
func (s *overlay[V]) Overhead() int64 { return mapBytes + Allocated(int64(unsafe.Sizeof(item[V]{}))) }

func (s *overlay[V]) hash(key string) uint64 { return maphash.String(s.seed, key) & s.mask }

func (s *overlay[V]) Get(key string) (value V, ok bool) {
	it := s.find(key)
	if it == nil || s.passed(it.deadline) {
		return value, false
	}
	return it.value, true
}

func (s *overlay[V]) GetAt(key string, now time.Time) (value V, ok bool) {
	it := s.find(key)
	if it == nil || s.passedAt(it.deadline, now) {
		return value, false
	}
	return it.value, true
}

// find returns the newest item of key, which may have expired, or nil.
func (s *overlay[V]) find(key string) *item[V] {
	h := s.hash(key)
	sh := s.shard(h)
	if sh.state.Add(1) >= pendingOne {
		return s.findBusy(sh, h, key)
	}
	it, ok := s.engine.Get(h)
	sh.state.Add(minusOne)
	if !ok || it.key != key || it.epoch != s.epoch.Load() {
		return nil
	}
	return it
}

// findBusy is find in a shard that has pending intents or is closed.
func (s *overlay[V]) findBusy(sh *shard[V], h uint64, key string) *item[V] {
	defer sh.state.Add(minusOne)
	if sh.closed() {
		return nil
	}
	sh.mu.RLock()
	in, hidden := sh.pending[h]
	sh.mu.RUnlock()
	it, _ := s.engine.Get(h) // also where nothing is asked of it: it counts the look-up
	if hidden {
		it = in.item
	}
	if it == nil || it.key != key || it.epoch != s.epoch.Load() || hidden && it.gone.Load() {
		return nil
	}
	return it
}

// peek returns what the engine holds under h, whatever it is, or nil. Unlike a
// plain Get it does not count a look-up of what is not there, so that a miss and
// the Set after it are one use.
func (s *overlay[V]) peek(h uint64) *item[V] {
	if _, ok := s.engine.GetTTL(h); !ok {
		return nil
	}
	it, _ := s.engine.Get(h)
	return it
}
