package cache

// Range calls fn for each entry until fn returns false; cost is what the entry
// counts in Stats.Cost. Each of the 256 shards is seen at one moment, and no lock
// is held during fn, which may call the store: an entry that is changed meanwhile
// may be seen as it was.
func (s *Store[V]) Range(fn func(key string, v V, cost int64) bool) {
	var seen []*item[V]
	for i := range s.shards {
		sh := &s.shards[i]
		seen = seen[:0]
		sh.mu.RLock()
		for _, it := range sh.items {
			if s.live(it) {
				seen = append(seen, it)
			}
		}
		sh.mu.RUnlock()
		for _, it := range seen {
			if !fn(it.key, it.value, it.cost) {
				return
			}
		}
	}
}

// Clear removes everything. What was written before the call is not served any
// more once Clear has returned, and its memory is free; what is written meanwhile
// may go too. The frequencies that admission relies on start anew.
func (s *Store[V]) Clear() {
	s.epoch.Add(1) // hides all older items at once, wherever they are
	s.do(s.sweep)
}

// sweep empties the engine, on the writer. Of the index it leaves what is still to
// be applied.
func (s *Store[V]) sweep() {
	epoch := s.epoch.Load()
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for h, it := range sh.items {
			if !it.pending || it.epoch != epoch {
				s.drop(sh, h, it)
			}
		}
		sh.mu.Unlock()
	}
	s.engine.Clear()
}

// Resize sets MaxCost; a value below 1 changes nothing. When the store shrinks,
// entries are taken in no particular order, and counted as evicted, until the
// rest fits; their memory is free on return. The frequency counters keep the size
// that New gave them.
func (s *Store[V]) Resize(maxCost int64) {
	if maxCost < 1 {
		return
	}
	s.resizeMu.Lock()
	defer s.resizeMu.Unlock()
	s.max.Store(maxCost)
	s.engine.UpdateMaxCost(maxCost)
	for i := range s.shards {
		if s.cost.Load() <= maxCost {
			break
		}
		s.shed(&s.shards[i], maxCost)
		s.flush() // shard by shard, so that tombstones stay few
	}
}

// shed removes entries of one shard while the store holds more than maxCost.
func (s *Store[V]) shed(sh *shard[V], maxCost int64) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.closed() {
		return
	}
	for h, it := range sh.items {
		if s.cost.Load() <= maxCost {
			return
		}
		if !it.gone {
			s.replace(sh, h, it, &item[V]{gone: true, cost: Overhead})
			s.evicted.Add(1)
		}
	}
}
