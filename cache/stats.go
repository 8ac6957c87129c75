package cache

import "sync/atomic"

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

// tally holds the figures of a store while it runs.
type tally struct {
	entries, cost, max, pending     atomic.Int64
	sets, rejected, evicted, lapsed atomic.Uint64
}

func (t *tally) enter(cost int64) {
	t.entries.Add(1)
	t.cost.Add(cost)
}

func (t *tally) leave(cost int64) {
	t.entries.Add(-1)
	t.cost.Add(-cost)
}

// Stats reads the figures; it takes no lock.
func (t *tally) Stats() Stats {
	return Stats{
		Entries:  t.entries.Load(),
		Cost:     t.cost.Load(),
		MaxCost:  t.max.Load(),
		Pending:  t.pending.Load(),
		Sets:     t.sets.Load(),
		Rejected: t.rejected.Load(),
		Evicted:  t.evicted.Load(),
		Expired:  t.lapsed.Load(),
	}
}
