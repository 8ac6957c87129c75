package cache

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Overhead is what an entry costs beside its key and value, in bytes: the item,
// its places in the index and in the maps of the engine, which are between half
// and nearly full (measured: 275 to 400). The memory test holds it to the heap.
const Overhead = 352

// item is one state of one key. Key, value, cost, deadline and epoch never
// change once it is published; the rest is guarded by the shard's mu.
type item[V any] struct {
	key      string
	value    V
	cost     int64 // value + key + Overhead
	deadline int64 // on the store's clock, nanoseconds; 0 = never
	epoch    uint32

	booked  int64 // cost that the engine may hold under this hash from an earlier item; 0 = nothing
	pending bool  // the engine does not reflect it yet
	gone    bool  // a tombstone, or a pending item that has been evicted or refused
}

const (
	shardCount = 256

	// A shard's state word: readers in the engine, pending items, closed.
	// One Add enters a reader and tells it whether the plain way is enough.
	pendingOne = uint64(1) << 32
	closedBit  = uint64(1) << 63
	readerMask = pendingOne - 1
	minusOne   = ^uint64(0)
)

type shard[V any] struct {
	state atomic.Uint64
	mu    sync.RWMutex
	items map[uint64]*item[V] // newest item of each hash
	_     [24]byte            // a shard fills a cache line of its own
}

func (sh *shard[V]) closed() bool { return sh.state.Load()&closedBit != 0 }

func (s *Store[V]) shard(h uint64) *shard[V] { return &s.shards[h>>56] }

// now is the store's clock: monotonic, and the fake one in a synctest bubble.
func (s *Store[V]) now() int64 { return int64(time.Since(s.start)) }

// deadline turns a positive TTL into a point on the store's clock.
func (s *Store[V]) deadline(ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	now := s.now()
	if int64(ttl) > math.MaxInt64-now {
		return math.MaxInt64
	}
	return now + int64(ttl)
}

func (s *Store[V]) expired(it *item[V]) bool {
	return it.deadline != 0 && s.now() > it.deadline
}

// ttl is what is left of the life of an item, at least 1 ns; 0 = no expiry.
func (s *Store[V]) ttl(it *item[V]) time.Duration {
	if it.deadline == 0 {
		return 0
	}
	return max(1, time.Duration(it.deadline-s.now()))
}

// live reports whether it holds a value that may be served. The shard is locked.
func (s *Store[V]) live(it *item[V]) bool {
	return it != nil && !it.gone && it.epoch == s.epoch.Load() && !s.expired(it)
}

// replace makes it the newest item of h, in place of cur (which may be nil), and
// hands it to the writer. The shard is locked.
func (s *Store[V]) replace(sh *shard[V], h uint64, cur, it *item[V]) {
	it.pending = true
	switch {
	case cur == nil:
		sh.state.Add(pendingOne)
		s.push(h)
	case cur.pending: // h is queued already, or the writer has it in hand and looks again
		it.booked = cur.booked
		s.pending.Add(-cur.cost)
	default:
		it.booked = cur.cost
		sh.state.Add(pendingOne)
		s.push(h)
	}
	if cur != nil && !cur.gone {
		s.discount(cur)
	}
	if !it.gone {
		s.entries.Add(1)
		s.cost.Add(it.cost)
	}
	s.pending.Add(it.cost)
	sh.items[h] = it
}

// drop takes it out of the accounts and the index, if it is still the newest
// item of h; it reports whether it was. A pending one stays as a tombstone until
// the writer is done with it. The shard is locked.
func (s *Store[V]) drop(sh *shard[V], h uint64, it *item[V]) bool {
	if sh.items[h] != it || it.gone {
		return false
	}
	s.discount(it)
	if it.pending {
		it.gone = true
	} else {
		delete(sh.items, h)
	}
	return true
}

func (s *Store[V]) discount(it *item[V]) {
	s.entries.Add(-1)
	s.cost.Add(-it.cost)
}
