package simulate

import "container/list"

// held is an object in a queue.
type held struct {
	object uint32
	cost   int64
	uses   int         // S3-FIFO: since it came to this queue
	queue  *sizedQueue // S3-FIFO: which one
}

// FIFO evicts what came first. With recent set it is LRU: a use counts as coming
// anew.
type FIFO struct {
	max, cost int64
	recent    bool
	objects   map[uint32]*list.Element
	queue     *list.List // newest in front
}

// NewFIFO makes a FIFO of max bytes.
func NewFIFO(max int64) *FIFO {
	return &FIFO{max: max, objects: map[uint32]*list.Element{}, queue: list.New()}
}

// NewLRU makes a cache of max bytes that evicts what was not used for longest.
func NewLRU(max int64) *FIFO {
	f := NewFIFO(max)
	f.recent = true
	return f
}

// Get reports whether the object is held.
func (f *FIFO) Get(object uint32) bool {
	e := f.objects[object]
	if e != nil && f.recent {
		f.queue.MoveToFront(e)
	}
	return e != nil
}

// Set evicts until the object fits, and takes it in. One that is larger than the
// cache is not taken.
func (f *FIFO) Set(object uint32, cost int64) {
	if cost > f.max {
		return
	}
	for f.cost+cost > f.max {
		last := f.queue.Remove(f.queue.Back()).(*held)
		delete(f.objects, last.object)
		f.cost -= last.cost
	}
	f.objects[object] = f.queue.PushFront(&held{object: object, cost: cost})
	f.cost += cost
}
