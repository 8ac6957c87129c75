package revalidate

// leastRoom is how many bytes may be on their way into the store at a time, beside
// a sixteenth of its size; a single body may be as large as the largest object.
const leastRoom = 8 << 20

// hold counts a body of so many bytes in all as on its way, until it is released:
// when the store has it, or when all readers of what is not kept have got it. It
// reports whether it may be kept: the store can take it, which may have become
// smaller in the meantime, and there is room beside the others.
func (fl *flight) hold(size int64) bool {
	more := max(0, size-fl.held)
	fl.held += more
	all := fl.f.onTheWay.Add(more)
	now := fl.f.store.Stats().MaxCost
	return fl.held <= min(fl.maxObject(), now) && (all <= leastRoom+now/16 || all == fl.held)
}

func (fl *flight) maxObject() int64 { return fl.f.limits.Load().maxObject }

func (fl *flight) release() {
	fl.f.onTheWay.Add(-fl.held)
	fl.held = 0
}
