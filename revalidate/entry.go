package revalidate

import (
	"slices"
	"sync/atomic"
	"time"

	"cacheproxy/policy"
)

// Entry is a stored response: what judgements need, the header ready to be
// written, and the body. It is immutable; an update makes a new one.
type Entry struct {
	*policy.Stored
	Fields Block
	Body   Body

	used atomic.Int64 // Unix time of the last use, to choose which variant goes
}

// Touch notes a use of the entry.
func (e *Entry) Touch(now time.Time) {
	if t := now.Unix(); e.used.Load() != t {
		e.used.Store(t)
	}
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

// entryOverhead is what an entry costs beside its bytes: the structs, slice
// headers and times of Entry and Stored, and the allocator's rounding, measured
// by TestEntryCost.
const entryOverhead = 384

func (e *Entry) cost() int64 {
	n := int64(entryOverhead + len(e.Fields) + len(e.ETag) + len(e.ContentLanguage))
	for i := range e.Vary {
		n += int64(len(e.Vary[i])+len(e.VaryValues[i])) + 32
	}
	for _, c := range e.Body.chunks {
		n += int64(cap(c)) + 24
	}
	return n
}

// Resource is what is stored for one key: the variants of one URL, which live
// and die together. It is immutable.
type Resource struct {
	Entries []*Entry
	Stored  []*policy.Stored // of the entries, in the same order, for judging
}

func newResource(entries []*Entry) *Resource {
	r := &Resource{Entries: entries, Stored: make([]*policy.Stored, len(entries))}
	for i, e := range entries {
		r.Stored[i] = e.Stored
	}
	return r
}

// judged returns what is to be judged of a resource, which may be nil.
func (r *Resource) judged() []*policy.Stored {
	if r == nil {
		return nil
	}
	return r.Stored
}

func (r *Resource) entries() []*Entry {
	if r == nil {
		return nil
	}
	return r.Entries
}

const resourceOverhead = 64 // its struct, and some of the rounding

func (r *Resource) cost() int64 {
	n := int64(resourceOverhead + 16*len(r.Entries))
	for _, e := range r.Entries {
		n += e.cost()
	}
	return n
}

// keepFor returns for how long the store has to keep the resource.
func (r *Resource) keepFor(now time.Time) time.Duration {
	var keep time.Duration
	for _, e := range r.Entries {
		keep = max(keep, e.KeepFor()-now.Sub(e.Received))
	}
	return max(keep, time.Second)
}

// with returns the resource with an entry put in: it replaces the one for the
// same requests; beyond the limit the least recently used other one goes.
func (r *Resource) with(e *Entry, limit int) *Resource {
	entries := slices.DeleteFunc(slices.Clone(r.entries()), func(o *Entry) bool { return replaces(e.Stored, o.Stored) })
	for len(entries) >= limit && len(entries) > 0 {
		oldest := 0
		for i, o := range entries {
			if o.used.Load() < entries[oldest].used.Load() {
				oldest = i
			}
		}
		entries = slices.Delete(entries, oldest, oldest+1)
	}
	return newResource(append(entries, e))
}

// replaces reports whether a new response takes the place of an old one: it
// answers the same requests. The answer to a HEAD never replaces content.
func replaces(newer, old *policy.Stored) bool {
	return policy.SameVariant(newer, old) && (newer.Method == old.Method || newer.Method == "GET")
}
