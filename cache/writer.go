package cache

import "github.com/dgraph-io/ristretto/v2"

// batch bounds how many keys the writer applies before it waits for the engine.
// At two commands a key it is far below the 32,768 that the engine queues, so
// that none is dropped.
const batch = 512

// write is the writer: the only goroutine that changes the engine.
func (s *Store[V]) write() {
	defer close(s.done)
	for {
		select {
		case <-s.wake:
			s.applyQueued()
		case fn := <-s.calls:
			fn()
		case <-s.stop:
			return
		}
	}
}

// push queues h for the writer. The shard of h is locked.
func (s *Store[V]) push(h uint64) {
	s.queueMu.Lock()
	s.queue = append(s.queue, h)
	s.queueMu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // the writer has not looked since the last push
	}
}

// applyQueued applies what is queued now, but not what is queued meanwhile, so
// that calls get their turn under load.
func (s *Store[V]) applyQueued() {
	s.queueMu.Lock()
	rest := s.queue
	s.queue = nil
	s.queueMu.Unlock()
	var taken [batch]*item[V]
	for len(rest) > 0 {
		n := min(batch, len(rest))
		for i, h := range rest[:n] {
			taken[i] = s.apply(h)
		}
		s.engine.Wait()
		for i, h := range rest[:n] {
			s.settle(h, taken[i])
		}
		rest = rest[n:]
		s.queueMu.Lock()
		s.roomy.Broadcast()
		s.queueMu.Unlock()
	}
}

// apply hands the newest item of h to the engine and returns it. A queued hash has
// an item: pending ones are never taken out of the index, only settle does that.
func (s *Store[V]) apply(h uint64) *item[V] {
	sh := s.shard(h)
	sh.mu.Lock()
	it := sh.items[h]
	gone, booked := it.gone, it.booked
	sh.mu.Unlock()

	if booked != 0 && (gone || booked != it.cost) {
		s.engine.Del(h)
	}
	if gone {
		return it
	}
	if !s.engine.SetWithTTL(h, it, it.cost, s.ttl(it)) {
		s.forget(h, it)
		s.rejected.Add(1)
	}
	return it
}

// settle takes the pending mark off it, which the engine has worked off, or
// sends a newer item of h round again.
func (s *Store[V]) settle(h uint64, it *item[V]) {
	sh := s.shard(h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	cur := sh.items[h]
	if cur != it {
		cur.booked = 0
		if !it.gone {
			cur.booked = it.cost
		}
		s.push(h)
		return
	}
	it.pending = false
	s.pending.Add(-it.cost)
	sh.state.Add(^(pendingOne - 1)) // minus pendingOne
	if it.gone {
		delete(sh.items, h)
	}
}

// onEvict hears of evictions and of expired items that were collected. A victim
// may be reported a second time, with no value.
func (s *Store[V]) onEvict(e *ristretto.Item[*item[V]]) {
	if e.Value == nil || !s.forget(e.Key, e.Value) {
		return
	}
	if e.Expiration.IsZero() {
		s.evicted.Add(1)
	} else {
		s.lapsed.Add(1)
	}
}

// onReject hears of items that admission refused.
func (s *Store[V]) onReject(e *ristretto.Item[*item[V]]) {
	if e.Value != nil && s.forget(e.Key, e.Value) {
		s.rejected.Add(1)
	}
}

// forget drops an item that the engine does not hold any more.
func (s *Store[V]) forget(h uint64, it *item[V]) bool {
	sh := s.shard(h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return s.drop(sh, h, it)
}

// waitRoom waits while the pending items make up an eighth of MaxCost. Then it
// lets every waiting caller in: each holds its value in memory anyway.
func (s *Store[V]) waitRoom() {
	if s.hasRoom() {
		return
	}
	s.queueMu.Lock()
	for !s.hasRoom() && !s.closing {
		s.roomy.Wait()
	}
	s.queueMu.Unlock()
}

func (s *Store[V]) hasRoom() bool { return s.pending.Load() <= s.max.Load()/8 }

// do runs fn on the writer, between two batches, and returns when it has run, or
// without running it when the store is closed.
func (s *Store[V]) do(fn func()) {
	ran := make(chan struct{})
	select {
	case s.calls <- func() { fn(); close(ran) }:
		<-ran
	case <-s.done:
	}
}

// flush returns when all that was written before the call has been applied.
func (s *Store[V]) flush() { s.do(s.applyQueued) }
