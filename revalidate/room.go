package revalidate

// leastRoom is how many bytes may be on their way into the store at a time, beside
// a sixteenth of its size; a single body may be as large as the largest object.
const leastRoom = 8 << 20

func (f *Fetcher) room() int64 { return leastRoom + f.store.Stats().MaxCost/16 }

// hold counts a body of so many bytes in all as on its way, until it is released:
// when the store has it, or when it is not kept. It reports whether there is room
// beside the others.
func (fl *flight) hold(size, most, room int64) bool {
	more := max(0, size-fl.held)
	fl.held += more
	all := fl.f.onTheWay.Add(more)
	return fl.held <= most && (all <= room || all == fl.held)
}

func (fl *flight) release() {
	fl.f.onTheWay.Add(-fl.held)
	fl.held = 0
}
