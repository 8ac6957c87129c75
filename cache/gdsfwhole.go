package cache

import (
	"math"
	"runtime"
	"time"
)

// ageLimit is where L starts anew from 0: far below it a float64 still tells the
// shares of the largest entries apart.
const ageLimit = 1 << 20

// setAge notes the priority of a victim as L.
func (s *gdsf[V]) setAge(age float64) {
	if age < ageLimit {
		// Rounding may have taken a little off a priority when L started anew.
		s.age.Store(math.Float64bits(max(age, math.Float64frombits(s.age.Load()))))
		return
	}
	// No hit may note the old L afterwards, and hits happen below a shard's lock.
	for i := range s.shards {
		s.shards[i].mu.Lock()
	}
	s.heap.shift(age)
	s.age.Store(0)
	for i := range s.shards {
		s.shards[i].mu.Unlock()
	}
}

func (s *gdsf[V]) Range(fn func(key string, v V, cost int64) bool) {
	var seen []*node[V]
	for i := range s.shards {
		sh := &s.shards[i]
		seen = seen[:0]
		sh.mu.RLock()
		for _, n := range sh.nodes {
			if !s.passed(n.deadline) {
				seen = append(seen, n)
			}
		}
		sh.mu.RUnlock()
		for _, n := range seen {
			if !fn(n.key, n.value, n.cost) {
				return
			}
		}
	}
}

func (s *gdsf[V]) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.empty(func() map[uint64]*node[V] { return make(map[uint64]*node[V]) })
}

// empty forgets everything.
func (s *gdsf[V]) empty(table func() map[uint64]*node[V]) {
	for i := range s.shards {
		s.shards[i].mu.Lock()
	}
	for i := range s.shards {
		s.shards[i].nodes = table()
	}
	s.heap = heap[V]{}
	s.age.Store(0)
	s.history.clear()
	s.entries.Store(0)
	s.cost.Store(0)
	for i := range s.shards {
		s.shards[i].mu.Unlock()
	}
}

func (s *gdsf[V]) Resize(maxCost int64) {
	if maxCost < 1 {
		return
	}
	s.mu.Lock()
	s.max.Store(maxCost)
	s.mu.Unlock()
	for s.shrink() {
		runtime.Gosched() // else this goroutine has the mutex back before who waits for it
	}
}

// shrinkStep is how many entries go before other writes have their turn: a third of
// a millisecond.
const shrinkStep = 1_000

// shrink evicts a step towards max; it reports whether more is to do.
func (s *gdsf[V]) shrink() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range shrinkStep {
		if s.cost.Load() <= s.max.Load() {
			return false
		}
		s.evict()
	}
	return true
}

// Flush has nothing to wait for.
func (s *gdsf[V]) Flush() {}

func (s *gdsf[V]) Close() error {
	s.closeOnce.Do(func() {
		close(s.stop)
		<-s.done
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closed = true
		s.empty(func() map[uint64]*node[V] { return nil })
	})
	return nil
}

// Every collectEvery a quarter of the shards is freed of what has expired.
const (
	collectEvery  = 2 * time.Second
	collectShards = gdsfShards / 4
)

// collect has a goroutine of its own, so that a store that nobody writes to gives
// memory back, and no caller pays for it.
func (s *gdsf[V]) collect() {
	defer close(s.done)
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for next := 0; ; next = (next + collectShards) % gdsfShards {
		select {
		case <-tick.C:
			for i := range collectShards {
				s.collectShard(&s.shards[next+i])
			}
		case <-s.stop:
			return
		}
	}
}

func (s *gdsf[V]) collectShard(sh *gdsfShard[V]) {
	now := s.now()
	var expired []uint64
	sh.mu.RLock()
	for h, n := range sh.nodes {
		if n.deadline != 0 && now > n.deadline {
			expired = append(expired, h)
		}
	}
	sh.mu.RUnlock()
	for _, h := range expired {
		s.mu.Lock() // for one at a time, to let writes in between
		if n := sh.nodes[h]; n != nil && s.passed(n.deadline) {
			s.drop(h, n)
			s.lapsed.Add(1)
		}
		s.mu.Unlock()
	}
}
