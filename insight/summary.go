package insight

import (
	"time"

	"cacheproxy/policy"
)

// sample is what one outcome adds to a URL.
type sample struct {
	requests, misses, bytes int64
	origin                  time.Duration
	reason                  policy.Reason
}

// entry is a URL in a summary.
type entry struct {
	id     uint64 // hash of host and target
	text   []byte
	weight int64 // at most error more than the true one
	error  int64
	at     int // place in the heap
	sample
	reasons [6]given
}

// given is how often a reason was given.
type given struct {
	reason policy.Reason
	n      int64
}

// summary follows the entries that weigh most: Space-Saving (Metwally, Agrawal
// and El Abbadi, 2005). The lightest entry gives way to what is new, which takes
// over its weight as a possible error.
type summary struct {
	entries []*entry // a heap, lightest first
	byID    map[uint64]*entry
}

// add does not allocate once topKeys URLs are known, but for longer texts.
func (s *summary) add(id uint64, host, uri string, weight int64, one *sample) {
	e := s.byID[id]
	if e == nil {
		e = s.room()
		e.id, e.error, e.sample, e.reasons = id, e.weight, sample{}, [6]given{}
		e.text = append(e.text[:0], host...)
		e.text = append(e.text, uri[:min(len(uri), max(topText-len(host), 0))]...)
		s.byID[id] = e
	}
	e.weight += weight
	e.count(one)
	s.sink(e)
}

// room is a new entry, or the lightest one.
func (s *summary) room() *entry {
	if s.byID == nil {
		s.byID = make(map[uint64]*entry)
	}
	if len(s.entries) < topKeys {
		e := &entry{at: len(s.entries)}
		s.entries = append(s.entries, e)
		s.rise(e)
		return e
	}
	e := s.entries[0]
	delete(s.byID, e.id)
	return e
}

func (s *summary) rise(e *entry) {
	for e.at > 0 && s.entries[(e.at-1)/2].weight > e.weight {
		s.swap(e, s.entries[(e.at-1)/2])
	}
}

// sink moves an entry that has become heavier.
func (s *summary) sink(e *entry) {
	for {
		child := 2*e.at + 1
		if child >= len(s.entries) {
			return
		}
		if child+1 < len(s.entries) && s.entries[child+1].weight < s.entries[child].weight {
			child++
		}
		if s.entries[child].weight >= e.weight {
			return
		}
		s.swap(e, s.entries[child])
	}
}

func (s *summary) swap(a, b *entry) {
	s.entries[a.at], s.entries[b.at] = b, a
	a.at, b.at = b.at, a.at
}

func (e *entry) count(s *sample) {
	e.requests += s.requests
	e.misses += s.misses
	e.bytes += s.bytes
	e.origin += s.origin
	if s.misses > 0 {
		e.because(s.reason, s.misses)
	}
}

// because counts a reason; the rarest gives way when there are too many.
func (e *entry) because(r policy.Reason, n int64) {
	least := &e.reasons[0]
	for i := range e.reasons {
		if c := &e.reasons[i]; c.n > 0 && c.reason == r {
			c.n += n
			return
		} else if c.n < least.n {
			least = c
		}
	}
	least.reason, least.n = r, n
}

// merge adds an entry for the same URL.
func (e *entry) merge(o *entry) {
	e.id, e.text = o.id, o.text
	e.weight += o.weight
	e.error += o.error
	e.requests += o.requests
	e.misses += o.misses
	e.bytes += o.bytes
	e.origin += o.origin
	for _, r := range o.reasons {
		if r.n > 0 {
			e.because(r.reason, r.n)
		}
	}
}
