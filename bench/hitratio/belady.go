package main

import (
	"math/rand/v2"

	"cacheproxy/bench/simulate"
)

const drawn = 256

// belady knows when each object is asked for next. Get must be called for each
// request in order.
type belady struct {
	t         *traceFile
	max, cost int64
	now       int            // index of the request
	uses      []int32        // next use of each object, as of its last request
	held      []uint32       // in no order
	place     map[uint32]int // of an object in held
	random    *rand.Rand
}

func newBelady(t *traceFile, max int64) (simulate.Policy, error) {
	return &belady{
		t: t, max: max, now: -1,
		uses:   make([]int32, t.Objects),
		place:  map[uint32]int{},
		random: rand.New(rand.NewPCG(1, 2)),
	}, nil
}

func (b *belady) Get(object uint32) bool {
	b.now++
	b.uses[object] = b.t.next[b.now]
	_, ok := b.place[object]
	return ok
}

// Set makes room, unless the newcomer is itself what is worth least.
func (b *belady) Set(object uint32, cost int64) {
	if cost > b.max || b.uses[object] == never {
		return
	}
	for b.cost+cost > b.max {
		victim := b.draw()
		if b.burden(object) > b.burden(victim) {
			return
		}
		b.evict(victim)
	}
	b.place[object] = len(b.held)
	b.held = append(b.held, object)
	b.cost += cost
}

// burden is the space and time that an object would take until its next use.
func (b *belady) burden(object uint32) float64 {
	return float64(b.t.sizes[object]) * float64(int(b.uses[object])-b.now)
}

// draw finds the object with the greatest burden among some.
func (b *belady) draw() uint32 {
	worst := b.held[b.random.IntN(len(b.held))]
	for range min(drawn, len(b.held)) {
		if o := b.held[b.random.IntN(len(b.held))]; b.burden(o) > b.burden(worst) {
			worst = o
		}
	}
	return worst
}

func (b *belady) evict(object uint32) {
	at, last := b.place[object], b.held[len(b.held)-1]
	b.held[at], b.place[last] = last, at
	b.held = b.held[:len(b.held)-1]
	delete(b.place, object)
	b.cost -= b.t.sizes[object]
}
