package simulate

import "container/list"

const (
	mostUses     = 3
	promotedFrom = 2 // uses in the small queue that earn a place in the main one
)

// S3FIFO is a cache of three queues (Yang et al., "FIFO queues are all you need
// for cache eviction", 2023): newcomers pass a small one of a tenth of the
// bytes; what was used there moves to the main one, what was not is remembered
// by a ghost, so that it goes straight to the main queue when it returns. An
// object that is larger than the small queue is only remembered at first.
type S3FIFO struct {
	max, smallMax, mainMax int64
	small, main, ghost     *sizedQueue
	objects                map[uint32]*list.Element // in one of the three
}

// sizedQueue is a list that knows the sum of its costs. Newest in front.
type sizedQueue struct {
	list.List
	cost int64
}

func (q *sizedQueue) push(h *held) *list.Element {
	h.queue = q
	q.cost += h.cost
	return q.PushFront(h)
}

func (q *sizedQueue) take(e *list.Element) *held {
	h := q.Remove(e).(*held)
	q.cost -= h.cost
	return h
}

// NewS3FIFO makes a cache of max bytes.
func NewS3FIFO(max int64) *S3FIFO {
	small := max / 10
	return &S3FIFO{
		max: max, smallMax: small, mainMax: max - small,
		small: &sizedQueue{}, main: &sizedQueue{}, ghost: &sizedQueue{},
		objects: map[uint32]*list.Element{},
	}
}

// Get reports whether the object is held.
func (s *S3FIFO) Get(object uint32) bool {
	e := s.objects[object]
	if e == nil {
		return false
	}
	h := e.Value.(*held)
	h.uses = min(h.uses+1, mostUses)
	return h.queue != s.ghost
}

// Set takes the object in. One that is larger than the cache is not taken.
func (s *S3FIFO) Set(object uint32, cost int64) {
	returns := s.objects[object] != nil
	switch {
	case cost > s.max:
		return
	case cost > s.smallMax && !returns:
		s.remember(&held{object: object, cost: cost})
		return
	}
	for s.small.cost+s.main.cost+cost > s.max {
		s.evict()
	}
	to := s.small
	if returns {
		to = s.main
		if e := s.objects[object]; e != nil { // making room may have made the ghost forget it
			s.ghost.take(e)
		}
	}
	s.objects[object] = to.push(&held{object: object, cost: cost})
}

// evict takes one object out, or moves all of the small queue to the main one.
func (s *S3FIFO) evict() {
	if s.small.cost <= s.smallMax && s.main.Len() > 0 {
		s.evictMain()
		return
	}
	for s.small.Len() > 0 {
		h := s.small.take(s.small.Back())
		if h.uses < promotedFrom {
			delete(s.objects, h.object)
			s.remember(h)
			return
		}
		h.uses = 0
		s.objects[h.object] = s.main.push(h)
	}
}

// evictMain takes out the last object of the main queue that was not used since
// it came by there.
func (s *S3FIFO) evictMain() {
	for {
		h := s.main.take(s.main.Back())
		if h.uses == 0 {
			delete(s.objects, h.object)
			return
		}
		h.uses--
		s.objects[h.object] = s.main.push(h)
	}
}

// remember keeps the name of an object. The names that the ghost has stand for
// as many bytes as fit into the main queue.
func (s *S3FIFO) remember(h *held) {
	if h.cost > s.mainMax {
		return
	}
	for s.ghost.cost+h.cost > s.mainMax {
		delete(s.objects, s.ghost.take(s.ghost.Back()).object)
	}
	s.objects[h.object] = s.ghost.push(h)
}
