package revalidate

import (
	"slices"
	"time"

	"cacheproxy/policy"
)

// Entry is a stored response: what judgements need, the header ready to be
// written, and the body. It is immutable; an update makes a new one.
type Entry struct {
	*policy.Stored
	Fields Block
	Body   Body

	head    string  // the form in which the store has it; empty before it is there
	record  *record // its own in the store; nil for a plain one
	touched int64   // Unix time of the last use, for a record that is to be made
}

// Touch notes a use of the entry. Only one of several variants needs it.
func (e *Entry) Touch(now time.Time) {
	if e.record == nil {
		return
	}
	if t := now.Unix(); e.record.used.Load() != t {
		e.record.used.Store(t)
	}
}

// used returns when the entry was last used, in Unix time.
func (e *Entry) used() int64 {
	if e.record != nil {
		return e.record.used.Load()
	}
	return e.touched
}

// Length returns the length of the whole representation, -1 when only a part
// is held and the length is not known.
func (e *Entry) Length() int64 {
	if e.Partial != nil {
		return e.Partial.Length
	}
	return e.Body.Size()
}

// Part calls fn with the bytes of a part that is held.
func (e *Entry) Part(b policy.ByteRange, fn func([]byte) error) error {
	first := b.First
	if e.Partial != nil {
		first = offset(e.Partial.Held, b.First)
	}
	return e.Body.Each(first, b.Len(), fn)
}

// replaces reports whether a new response takes the place of an old one: it
// answers the same requests. The answer to a HEAD never replaces content.
func replaces(newer, old *policy.Stored) bool {
	return policy.SameVariant(newer, old) && (newer.Method == old.Method || newer.Method == "GET")
}

// keepFor returns for how long the store has to keep entries.
func keepFor(entries []*Entry, now time.Time) time.Duration {
	var keep time.Duration
	for _, e := range entries {
		keep = max(keep, e.KeepFor()-now.Sub(e.Received))
	}
	return max(keep, time.Second)
}

// with returns entries with one put in: it replaces the one for the same
// requests; beyond the limit the least recently used other one goes.
func with(entries []*Entry, e *Entry, limit int) []*Entry {
	entries = slices.DeleteFunc(slices.Clone(entries), func(o *Entry) bool { return replaces(e.Stored, o.Stored) })
	for len(entries) >= limit && len(entries) > 0 {
		oldest := 0
		for i, o := range entries {
			if o.used() < entries[oldest].used() {
				oldest = i
			}
		}
		entries = slices.Delete(entries, oldest, oldest+1)
	}
	return append(entries, e)
}
