package cache

// Range lists all entries first, at 8 bytes each.
func (s *overlay[V]) Range(fn func(key string, v V, cost int64) bool) {
	for _, it := range s.list() {
		if !fn(it.key, it.value, it.cost) {
			return
		}
	}
}

// list returns the items of all keys. With the turn no intent is settled: a key
// that has a value all the time is in the engine first or pending afterwards.
func (s *overlay[V]) list() []*item[V] {
	if !s.take() {
		return nil
	}
	defer s.give()
	seen := make([]*item[V], 0, s.entries.Load())
	s.engine.IterValues(func(it *item[V]) (stop bool) {
		if s.current(it) && !it.gone.Load() {
			seen = append(seen, it)
		}
		return false
	})
	applied := len(seen)
	newer := map[uint64]bool{}
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.RLock()
		for h, in := range sh.pending {
			newer[h] = true
			if it := in.item; it != nil && s.current(it) && !it.gone.Load() {
				seen = append(seen, it)
			}
		}
		sh.mu.RUnlock()
	}
	if len(newer) == 0 {
		return seen
	}
	kept := seen[:0]
	for i, it := range seen {
		if i >= applied || !newer[s.hash(it.key)] {
			kept = append(kept, it)
		}
	}
	return kept
}

func (s *overlay[V]) Clear() {
	s.epoch.Add(1) // hides all older items at once, wherever they are
	if !s.take() {
		return
	}
	defer s.give()
	epoch := s.epoch.Load()
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for h, in := range sh.pending {
			if in.item != nil && in.item.epoch != epoch {
				s.depart(in.item)
				s.pending.Add(tombstoneBytes - in.bytes())
				sh.pending[h] = intent[V]{booked: in.booked}
			}
		}
		sh.mu.Unlock()
	}
	s.clearing.Store(true)
	s.engine.Clear()
	s.clearing.Store(false)
}
