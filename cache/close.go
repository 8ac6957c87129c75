package cache

import "runtime"

// Close stops the store and frees its memory. It may be called during traffic and
// more than once; afterwards every Get misses and every write is refused. The
// error is always nil.
func (s *Store[V]) Close() error {
	s.closeOnce.Do(s.close)
	return nil
}

func (s *Store[V]) close() {
	for i := range s.shards {
		s.shards[i].state.Or(closedBit)
	}
	s.queueMu.Lock()
	s.closing = true
	s.roomy.Broadcast()
	s.queueMu.Unlock()
	close(s.stop)
	<-s.done
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		sh.items = nil // writes that come later see closedBit
		sh.mu.Unlock()
		// The engine panics when it is closed beside a Get. Those that are in it
		// leave within a microsecond, and no one enters any more.
		for sh.state.Load()&readerMask != 0 {
			runtime.Gosched()
		}
	}
	s.engine.Close()
	s.entries.Store(0)
	s.cost.Store(0)
	s.pending.Store(0)
}
