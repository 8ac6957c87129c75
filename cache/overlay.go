package cache

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// item is one state of one key. It never changes, but for gone.
type item[V any] struct {
	key      string
	value    V
	cost     int64
	deadline int64 // on the store's clock; 0 = never
	epoch    uint32
	gone     atomic.Bool // it has left the accounts
}

// intent is what the engine shall hold under a hash.
type intent[V any] struct {
	item   *item[V] // nil is a tombstone
	booked int64    // cost of what the engine may hold under the hash; 0 = nothing
}

// tombstoneBytes is what a tombstone counts while it is pending.
const tombstoneBytes = 64

func (in intent[V]) bytes() int64 {
	if in.item == nil {
		return tombstoneBytes
	}
	return in.item.cost
}

const (
	shardCount = 256

	// A shard's state word: readers in the engine, pending intents, closed.
	// One Add enters a reader and tells it whether the plain way is enough.
	pendingOne = uint64(1) << 32
	closedBit  = uint64(1) << 63
	readerMask = pendingOne - 1
	minusOne   = ^uint64(0)
)

type shard[V any] struct {
	state   atomic.Uint64
	mu      sync.RWMutex
	pending map[uint64]intent[V] // newest intent of each hash that is still to be applied
	peak    int                  // most that pending has held since it was made
	_       [16]byte             // a shard fills a cache line of its own
}

func (sh *shard[V]) closed() bool { return sh.state.Load()&closedBit != 0 }

func (s *overlay[V]) shard(h uint64) *shard[V] { return &s.shards[h>>56] }

// current reports whether it was neither cleared nor has expired.
func (s *overlay[V]) current(it *item[V]) bool {
	return it.epoch == s.epoch.Load() && !s.passed(it.deadline)
}

// depart takes it out of the accounts; it reports whether it was still in them.
// Whoever comes first may count why.
func (s *overlay[V]) depart(it *item[V]) bool {
	if !it.gone.CompareAndSwap(false, true) {
		return false
	}
	s.leave(it.cost)
	return true
}

// slot is what one Update found under a hash.
type slot[V any] struct {
	sh        *shard[V]
	h         uint64
	intent[V]      // pending, or made of what the engine holds
	waits     bool // the intent is pending
}

func (s *overlay[V]) Update(key string, fn func(old V, ok bool) Change[V]) bool {
	s.waitRoom()
	h := s.hash(key)
	sh := s.shard(h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed() {
		return false
	}
	in, waits := sh.pending[h]
	if !waits {
		if it := s.peek(h); it != nil {
			in = intent[V]{item: it, booked: it.cost}
		}
	}
	at := slot[V]{sh, h, in, waits}
	var old V
	ok := in.item != nil && in.item.key == key && s.current(in.item) && !in.item.gone.Load()
	if ok {
		old = in.item.value
	}
	c := fn(old, ok)
	switch c.Op {
	case Put:
		return s.put(at, key, &c)
	case Remove:
		s.remove(at, key)
	}
	return true
}

// put publishes a new value, or refuses it. The shard is locked.
func (s *overlay[V]) put(at slot[V], key string, c *Change[V]) bool {
	s.sets.Add(1)
	if !c.fits(s.max.Load()) {
		s.rejected.Add(1)
		s.remove(at, key)
		return false
	}
	s.replace(at, &item[V]{
		key:      strings.Clone(key), // the caller's may be part of something larger
		value:    c.Value,
		cost:     c.Cost,
		deadline: s.deadline(c.TTL),
		epoch:    s.epoch.Load(),
	})
	return true
}

// remove leaves a tombstone where key has an item, even one that has left the
// accounts, since a Get may still find it. Another key's item of the same hash
// stays. The shard is locked.
func (s *overlay[V]) remove(at slot[V], key string) {
	if at.item != nil && at.item.key == key {
		s.replace(at, nil)
	}
}

// replace makes it (nil: a tombstone) the newest of its hash, and hands it to the
// writer. The shard is locked.
func (s *overlay[V]) replace(at slot[V], it *item[V]) {
	next := intent[V]{item: it, booked: at.booked}
	if at.item != nil {
		s.depart(at.item)
	}
	if it != nil {
		s.enter(it.cost)
	}
	s.pending.Add(next.bytes())
	if at.waits { // queued already, or the writer has it in hand and looks again
		s.pending.Add(-at.bytes())
	} else {
		at.sh.state.Add(pendingOne)
		s.push(at.h)
	}
	if at.sh.pending == nil {
		at.sh.pending = make(map[uint64]intent[V])
	}
	at.sh.pending[at.h] = next
	at.sh.peak = max(at.sh.peak, len(at.sh.pending))
}

// settled takes the mark off a hash whose newest intent the engine reflects. The
// shard is locked.
func (s *overlay[V]) settled(sh *shard[V], h uint64, in intent[V]) {
	s.pending.Add(-in.bytes())
	sh.state.Add(^(pendingOne - 1)) // minus pendingOne
	delete(sh.pending, h)
	if len(sh.pending) == 0 && sh.peak > 64 { // maps do not shrink
		sh.pending, sh.peak = nil, 0
	}
}

func (s *overlay[V]) Set(key string, v V, cost int64, ttl time.Duration) bool {
	return s.Update(key, putting(v, cost, ttl))
}

func (s *overlay[V]) Delete(key string) (was bool) {
	s.Update(key, removing[V](&was))
	return was
}
