package cache

// Stats is a reading of a store. The counters never go back, not even at Clear;
// fields that belong together may be read a moment apart.
type Stats struct {
	Entries int64 // keys that have a value, pending ones included
	Cost    int64 // bytes that the entries count; at most MaxCost + Pending
	MaxCost int64 // bytes
	Pending int64 // bytes of values and tombstones that are still to be applied

	Sets     uint64 // values given to Set, or put by Update
	Rejected uint64 // of these: too large, malformed, or refused by admission
	Evicted  uint64 // entries that made room for others, or for a smaller MaxCost
	Expired  uint64 // entries that were collected after their TTL
}

// Stats reads the figures; it takes no lock.
func (s *Store[V]) Stats() Stats {
	return Stats{
		Entries:  s.entries.Load(),
		Cost:     s.cost.Load(),
		MaxCost:  s.max.Load(),
		Pending:  s.pending.Load(),
		Sets:     s.sets.Load(),
		Rejected: s.rejected.Load(),
		Evicted:  s.evicted.Load(),
		Expired:  s.lapsed.Load(),
	}
}
