package cache

import "github.com/dgraph-io/ristretto/v2"

// batch bounds how many keys are applied before the engine is waited for. At two
// commands a key it is far below the 32,768 that the engine queues, so that none
// is dropped.
const batch = 512

// write is the writer: it applies what callers queue.
func (s *overlay[V]) write() {
	for {
		select {
		case <-s.wake:
			s.Flush()
		case <-s.stop:
			return
		}
	}
}

// take waits for the turn to change the engine; false means that the store is
// closed. Only who has the turn calls the engine's Set, Del and Clear, and gives it
// back when the engine has worked off all of its commands.
func (s *overlay[V]) take() bool {
	select {
	case s.turn <- struct{}{}:
		return true
	case <-s.stop:
		return false
	}
}

func (s *overlay[V]) give() { <-s.turn }

func (s *overlay[V]) Flush() {
	if !s.take() {
		return
	}
	defer s.give()
	s.applyQueued()
}

// push queues h for the writer. The shard of h is locked.
func (s *overlay[V]) push(h uint64) {
	s.queueMu.Lock()
	s.queue = append(s.queue, h)
	s.queueMu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // the writer has not looked since the last push
	}
}

// applyQueued applies what is queued now, but not what is queued meanwhile, so
// that it ends under load. The caller has the turn.
func (s *overlay[V]) applyQueued() {
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
		clear(taken[:n])
		rest = rest[n:]
		s.queueMu.Lock()
		s.roomy.Broadcast()
		s.queueMu.Unlock()
	}
}

// apply hands the newest intent of h to the engine and returns its item. A queued
// hash has an intent: only settle takes pending ones away.
func (s *overlay[V]) apply(h uint64) *item[V] {
	sh := s.shard(h)
	sh.mu.RLock()
	in := sh.pending[h]
	sh.mu.RUnlock()

	it := in.item
	if in.booked != 0 && (it == nil || in.booked != it.cost) {
		s.engine.Del(h)
	}
	if it != nil && !s.engine.Set(h, it, it.cost) && s.depart(it) {
		s.rejected.Add(1)
	}
	return it
}

// settle ends the wait of h if it, which the engine has worked off, is still its
// newest item, or sends it round again.
func (s *overlay[V]) settle(h uint64, it *item[V]) {
	sh := s.shard(h)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	in := sh.pending[h]
	if in.item == it {
		s.settled(sh, h, in)
		return
	}
	in.booked = 0
	if it != nil {
		in.booked = it.cost
	}
	sh.pending[h] = in
	s.push(h)
}

// The engine's callbacks run on its own goroutine, or in Clear under its locks:
// they only count. A victim may be reported a second time, with no value.

// onEvict hears of victims, and at Clear of everything.
func (s *overlay[V]) onEvict(e *ristretto.Item[*item[V]]) {
	if e.Value != nil && s.depart(e.Value) && !s.clearing.Load() {
		s.evicted.Add(1)
	}
}

// onReject hears of items that admission refused.
func (s *overlay[V]) onReject(e *ristretto.Item[*item[V]]) {
	if e.Value != nil && s.depart(e.Value) {
		s.rejected.Add(1)
	}
}

// waitRoom waits while the pending intents are more than there is room for. Then it
// lets every waiting caller in: each holds its value in memory anyway.
func (s *overlay[V]) waitRoom() {
	if s.hasRoom() {
		return
	}
	s.queueMu.Lock()
	for !s.hasRoom() && !s.closing {
		s.roomy.Wait()
	}
	s.queueMu.Unlock()
}

func (s *overlay[V]) hasRoom() bool { return s.pending.Load() <= s.room() }

// room is how many bytes may be pending beside what the engine holds before callers
// wait.
func (s *overlay[V]) room() int64 { return max(s.max.Load()/64, 1<<20) }
