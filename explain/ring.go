package explain

import (
	"sync"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// Ring keeps the traces of the latest requests that had one, by the id of the
// request. A trace is bounded, and so is a ring: 256 of them take 16 MiB at most.
// What goes on after the answer, a refresh in the background, is told too.
type Ring struct {
	mu   sync.Mutex
	kept []kept
	next int
	byID map[string]int
}

type kept struct {
	answer Answer // without its steps
	trace  *policy.Trace
}

// NewRing returns a ring for so many requests, at least one.
func NewRing(most int) *Ring {
	return &Ring{kept: make([]kept, max(1, most)), byID: make(map[string]int)}
}

// Observe keeps the trace of an outcome, if it has one, and not the outcome.
func (r *Ring) Observe(o *proxy.Outcome) {
	if o.Trace == nil {
		return
	}
	bare := *o
	bare.Trace = nil
	bare.Key = cut(o.Key)
	a := NewAnswer(&bare)
	a.Advice = Advice(o)
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.kept[r.next].answer.RequestID; r.byID[old] == r.next {
		delete(r.byID, old)
	}
	r.kept[r.next] = kept{a, o.Trace}
	r.byID[a.RequestID] = r.next
	r.next = (r.next + 1) % len(r.kept)
}

// Get returns what is kept of a request, by its id.
func (r *Ring) Get(id string) (Answer, bool) {
	r.mu.Lock()
	at, ok := r.byID[id]
	var k kept
	if ok {
		k = r.kept[at]
	}
	r.mu.Unlock()
	if !ok {
		return Answer{}, false
	}
	k.answer.Steps, k.answer.Left = newSteps(k.trace)
	return k.answer, true
}
