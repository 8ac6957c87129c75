package cache

import "runtime"

func (s *overlay[V]) Close() error {
	s.closeOnce.Do(s.close)
	return nil
}

func (s *overlay[V]) close() {
	for i := range s.shards {
		s.shards[i].state.Or(closedBit)
	}
	s.queueMu.Lock()
	s.closing = true
	s.roomy.Broadcast()
	s.queueMu.Unlock()
	close(s.stop)
	s.working.Wait()
	s.turn <- struct{}{} // nobody gets it any more
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock() // an Update that has not seen closedBit may be in the engine
		sh.pending = nil
		sh.mu.Unlock()
		// The engine panics when it is closed beside a Get. Those that are in it
		// leave within a microsecond, and no one enters any more.
		for sh.state.Load()&readerMask != 0 {
			runtime.Gosched()
		}
	}
	s.clearing.Store(true)
	s.engine.Close()
	s.entries.Store(0)
	s.cost.Store(0)
	s.pending.Store(0)
}
