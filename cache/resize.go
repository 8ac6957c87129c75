package cache

// Resize evicts in no particular order when the store shrinks. The engine's bound
// follows step by step: if it fell at once, the next new key would have to evict all
// the excess, which the engine does slowly and in one go.
func (s *overlay[V]) Resize(maxCost int64) {
	if maxCost < 1 || !s.take() {
		return
	}
	defer s.give()
	s.max.Store(maxCost)
	s.engine.UpdateMaxCost(max(maxCost, s.engine.MaxCost()))
	s.applyQueued()
	for s.held() > maxCost {
		hashes := s.victims(s.held() - maxCost)
		if len(hashes) == 0 {
			break
		}
		s.shrink(hashes)
	}
	s.engine.UpdateMaxCost(maxCost)
}

// held is how many bytes the engine has booked.
func (s *overlay[V]) held() int64 { return s.engine.MaxCost() - s.engine.RemainingCost() }

// listed bounds how many victims are looked for at a time: nothing is applied meanwhile.
const listed = 64 * batch

// victims lists hashes under which the engine holds excess bytes or more together, or
// the first of them.
func (s *overlay[V]) victims(excess int64) []uint64 {
	var hashes []uint64
	s.engine.IterValues(func(it *item[V]) (stop bool) {
		hashes = append(hashes, s.hash(it.key))
		excess -= it.cost
		return excess <= 0 || len(hashes) == listed
	})
	return hashes
}

// shrink evicts whatever the engine holds under hashes by now, until MaxCost is kept;
// what callers write is applied in between. The caller has the turn.
func (s *overlay[V]) shrink(hashes []uint64) {
	items := make([]*item[V], 0, batch)
	for len(hashes) > 0 && s.held() > s.max.Load() {
		n := min(batch, len(hashes))
		items = items[:0]
		for _, h := range hashes[:n] {
			if it := s.peek(h); it != nil {
				items = append(items, it)
			}
		}
		hashes = hashes[n:]
		s.evicted.Add(s.discard(items))
		s.engine.UpdateMaxCost(max(s.max.Load(), s.held()))
		s.applyQueued() // sets do not wait for the whole of it
	}
}
