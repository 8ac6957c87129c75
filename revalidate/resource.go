package revalidate

import (
	"time"

	"cacheproxy/policy"
)

// Resource is what is stored for one key, to be read: the variants of one URL.
// It is filled from what the store keeps, and may be filled again: then it
// allocates nothing, and what was read before is void.
type Resource struct {
	Entries []*Entry
	Stored  []*policy.Stored // of the entries, in the same order, for judging

	trace *policy.Trace // is told of marks that hit what is read; nil for none
	kept  Kept
	of    *Fetcher // that has read it, nil for none
	hards uint64   // purges up to then that make things dead
	one   [1]view  // memory for the most frequent case
	views []view
	words []string // of Vary and the values that belong to it
}

// view is an entry and what it points to.
type view struct {
	entry  Entry
	stored policy.Stored
}

// fill reads what is kept; base is that of [keep].
func (r *Resource) fill(k Kept, base time.Time) {
	records := k.records()
	n := max(1, len(records))
	if n > len(r.views) {
		r.views = make([]view, n)
		if n == 1 {
			r.views = r.one[:]
		}
	}
	r.kept = k
	r.Entries, r.Stored, r.words = r.Entries[:0], r.Stored[:0], r.words[:0]
	for i := range n {
		v := &r.views[i]
		if k.head != "" {
			r.words = v.unpack(k.head, k.body(), base, r.words)
			v.entry.record, v.stored.Partial = nil, nil
		} else {
			rec := records[i]
			r.words = v.unpack(rec.head, nil, base, r.words)
			v.entry.Body, v.entry.record, v.stored.Partial = rec.body, rec, rec.partial
		}
		v.entry.Stored = &v.stored
		r.Entries = append(r.Entries, &v.entry)
		r.Stored = append(r.Stored, &v.stored)
	}
}

// fewViews is for how many variants a Resource keeps memory while it waits.
const fewViews = 4

// Forget lets go of what was read, so that a Resource that waits for its next use
// keeps nothing in memory.
func (r *Resource) Forget() {
	if len(r.views) > fewViews { // tables for many variants are not worth keeping either
		*r = Resource{}
		return
	}
	if r.kept.isNothing() {
		return
	}
	r.kept = Kept{}
	clear(r.views)
	clear(r.words)
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
