package cache

// history remembers how often entries were used before they were evicted, so that
// one that returns does not start anew. It is a count-min sketch of four rows. With
// each eviction some counters are halved in turn, so that the past fades and nobody
// waits for it.
type history struct {
	counters []uint8
	next     int // to be halved
}

const (
	historyRows = 4
	// Counters for each entry that is expected to fit: half as many cost up to a third
	// of a point of hit ratio, twice as many gain a quarter.
	historyCounters = 16
	// Counters that are halved with each eviction: twice as many cost up to half a point,
	// half as many gain nothing.
	historyFade = 4
)

// newHistory makes a history for a store of the given options. A counter is a byte;
// their number is rounded up to a power of two, but they never take more than a 32nd part
// of a large store.
func newHistory(o Options) history {
	want := min(o.fitting(), 1<<26) * historyCounters
	n := 1 << 12
	for int64(n) < want && int64(n) <= o.MaxCost/64 {
		n *= 2
	}
	return history{counters: make([]uint8, n)}
}

// slot spreads the rows over all counters: an odd step never meets itself.
func (h *history) slot(hash uint64, row int) uint64 {
	hash *= 0x9e3779b97f4a7c15
	return (hash>>32 + uint64(row)*(hash|1)) & uint64(len(h.counters)-1)
}

// remember notes that the entry under hash had been used so often.
func (h *history) remember(hash uint64, uses uint32) {
	u := uint8(min(uses, maxUses))
	for row := range historyRows {
		c := &h.counters[h.slot(hash, row)]
		*c = max(*c, u)
	}
	for range historyFade {
		h.counters[h.next] /= 2
		h.next = (h.next + 1) & (len(h.counters) - 1)
	}
}

// uses estimates what was remembered; it never says less, but for the fading.
func (h *history) uses(hash uint64) uint32 {
	least := uint8(255)
	for row := range historyRows {
		least = min(least, h.counters[h.slot(hash, row)])
	}
	return uint32(least)
}

func (h *history) clear() { clear(h.counters) }
