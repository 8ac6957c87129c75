package cache

import "math"

// heap orders nodes by a lower bound of their priority: a hit raises the priority and
// leaves the heap alone. Only at the top is the bound compared with the priority, and
// raised to it; the least one is found all the same. That holds since no hit lowers
// a priority, see node.hit.
type heap[V any] struct{ slots []slotted[V] }

type slotted[V any] struct {
	bound float64
	node  *node[V]
}

// priority is H. While the node is held it grows, or is shifted with all others.
func (n *node[V]) priority() float64 {
	return math.Float64frombits(n.age.Load()) + float64(n.uses.Load())*n.weight
}

func (h *heap[V]) push(n *node[V]) {
	h.slots = append(h.slots, slotted[V]{})
	h.up(len(h.slots)-1, slotted[V]{n.priority(), n})
}

// pop removes the node of the least priority. The heap must not be empty.
func (h *heap[V]) pop() (*node[V], float64) {
	for {
		top := h.slots[0]
		p := top.node.priority()
		if p <= top.bound {
			h.remove(top.node)
			return top.node, p
		}
		h.down(0, slotted[V]{p, top.node})
	}
}

func (h *heap[V]) remove(n *node[V]) {
	i, last := int(n.place), len(h.slots)-1
	moved := h.slots[last]
	h.slots[last] = slotted[V]{}
	h.slots = h.slots[:last]
	switch {
	case i == last:
	case moved.bound < h.slots[i].bound:
		h.up(i, moved)
	default:
		h.down(i, moved)
	}
	h.trim()
}

// trim gives memory back when less than a quarter of it is used. It keeps twice what
// is needed: half of the nodes must go before it copies again.
func (h *heap[V]) trim() {
	if n := len(h.slots); cap(h.slots) > 1024 && n < cap(h.slots)/4 {
		h.slots = append(make([]slotted[V], 0, 2*n), h.slots...)
	}
}

// up puts s into the free place i, or nearer to the top.
func (h *heap[V]) up(i int, s slotted[V]) {
	for i > 0 {
		parent := (i - 1) / 2
		if h.slots[parent].bound <= s.bound {
			break
		}
		h.set(i, h.slots[parent])
		i = parent
	}
	h.set(i, s)
}

// down puts s into the free place i, or farther from the top.
func (h *heap[V]) down(i int, s slotted[V]) {
	for {
		child := 2*i + 1
		if child >= len(h.slots) {
			break
		}
		if child+1 < len(h.slots) && h.slots[child+1].bound < h.slots[child].bound {
			child++
		}
		if s.bound <= h.slots[child].bound {
			break
		}
		h.set(i, h.slots[child])
		i = child
	}
	h.set(i, s)
}

func (h *heap[V]) set(i int, s slotted[V]) {
	h.slots[i] = s
	s.node.place = int32(i)
}

// shift lowers all bounds and ages by the same amount.
func (h *heap[V]) shift(by float64) {
	for i := range h.slots {
		h.slots[i].bound -= by
		n := h.slots[i].node
		n.age.Store(math.Float64bits(math.Float64frombits(n.age.Load()) - by))
	}
}
