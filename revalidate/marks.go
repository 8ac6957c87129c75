package revalidate

import (
	"slices"
	"sync/atomic"
	"time"

	"cacheproxy/policy"
	"cacheproxy/purge"
)

// inForce are the marks in force. It is immutable, but for what the marks count.
type inForce struct {
	set    *purge.Marks // nil: none, which is so most of the time
	states []*standing  // of the marks in the set, in the same order
	purges uint64       // so far
	hards  uint64       // of those, the ones that make things dead
}

// standing is a mark that was set.
type standing struct {
	purge.Mark
	entries atomic.Int64 // that it hit
	after   uint64       // number of the last cohort that began before it
	swept   bool         // the store is clean of what it hits; guarded by purges.mu
}

// with returns what is in force with marks that are set now. What there was is not
// looked at: only one of its successors is ever in force.
func (m *inForce) with(newer []*standing) *inForce {
	return &inForce{set: m.set.With(marksOf(newer)), states: append(m.states, newer...), purges: m.purges, hards: m.hards}
}

// only returns what is in force with nothing but these marks.
func (m *inForce) only(states []*standing) *inForce {
	return &inForce{set: purge.New(marksOf(states)), states: states, purges: m.purges, hards: m.hards}
}

func marksOf(states []*standing) []purge.Mark {
	marks := make([]purge.Mark, len(states))
	for i, s := range states {
		marks[i] = s.Mark
	}
	return marks
}

// withoutRepeated takes out hard marks that later ones repeat, which hit all that they
// hit. So marks that wait for flights do not grow in number with the answers of an
// origin that says the same again and again.
func withoutRepeated(states []*standing) []*standing {
	last := make(map[purge.Mark]*standing, len(states))
	for _, s := range states {
		last[s.untimed()] = s
	}
	return slices.DeleteFunc(states, func(s *standing) bool { return !s.Soft && last[s.untimed()] != s })
}

// untimed is the mark without its time.
func (s *standing) untimed() purge.Mark {
	mark := s.Mark
	mark.Time = time.Time{}
	return mark
}

// count notes entries that left the store because of marks.
func (m *inForce) count(dead []int) {
	for _, i := range dead {
		m.states[i].entries.Add(1)
	}
}

// strike takes out what is dead, and ends the lifetime of what is stale. It reports
// whether anything is left.
func (r *Resource) strike(set *purge.Marks, key string) bool {
	left := 0
	for i, e := range r.Entries {
		found := set.Find(key, e.Stored)
		if found.Hard >= 0 {
			r.tracePurged(e, set.Mark(found.Hard))
			continue
		}
		if found.Soft >= 0 {
			e.EndAt(set.Mark(found.Soft).Time)
		}
		r.Entries[left], r.Stored[left] = e, r.Stored[i]
		left++
	}
	r.Entries, r.Stored = r.Entries[:left], r.Stored[:left]
	return left > 0
}

// live returns the entries of what is kept that are not dead, and the hard marks
// that hit the others.
func (f *Fetcher) live(m *inForce, key string, k Kept) (entries []*Entry, dead []int) {
	if k.isNothing() {
		return nil, nil
	}
	r := f.read(k)
	if m.set == nil {
		return r.Entries, nil
	}
	for _, s := range r.Stored {
		if found := m.set.Find(key, s); found.Hard >= 0 {
			dead = append(dead, found.Hard)
		}
	}
	r.strike(m.set, key)
	return r.Entries, dead
}

// dead reports whether a hard mark in force hits an entry that was read before.
func (f *Fetcher) dead(key string, e *Entry) bool {
	m := f.marks.Load()
	return m.set != nil && m.set.Find(key, e.Stored).Hard >= 0
}

// settled returns a flight's entry as it may be stored, or why it may not: a mark
// that was set while it was on its way makes it dead or stale from the beginning.
func (fl *flight) settled(m *inForce, e *Entry) (*Entry, policy.Reason) {
	if fl.doomed.Load() {
		return nil, policy.Invalidated
	}
	if at := fl.stale.Load(); at != nil && !e.Requested.After(*at) {
		e = e.staleFrom(*at)
	}
	if m.set == nil {
		return e, policy.ReasonNone
	}
	found := m.set.Find(fl.key, e.Stored)
	if found.Hard >= 0 {
		return nil, policy.Invalidated
	}
	if found.Soft >= 0 {
		e = e.staleFrom(m.set.Mark(found.Soft).Time)
	}
	return e, policy.ReasonNone
}

// staleFrom returns the entry as it is stored when it is stale from a time on.
func (e *Entry) staleFrom(at time.Time) *Entry {
	stored := *e.Stored
	stored.EndAt(at)
	return &Entry{Stored: &stored, Fields: e.Fields, Body: e.Body, touched: e.used()}
}

// holds reports whether an entry of the resource may still be used, though not as a
// fresh one: no purge since it was read has made it dead.
func (r *Resource) holds(key string, e *Entry) bool {
	if r.of == nil || r.of.marks.Load().hards == r.hards {
		return true
	}
	_, stored := r.of.Lookup(key)
	for _, s := range stored {
		if s.Requested.Equal(e.Requested) && policy.SameVariant(s, e.Stored) {
			return true
		}
	}
	return false
}

// renew reads anew what is stored for a job, if there was a purge since it was read:
// a flight that begins now must not confirm or complete what is dead. The caller
// holds the lock, under which marks are set.
func (f *Fetcher) renew(j *Job) {
	if j.Resource == nil || j.Resource.of == nil || j.Resource.hards == f.marks.Load().hards {
		return
	}
	var stored []*policy.Stored
	j.Resource, stored = f.Lookup(j.Key)
	j.Decision = policy.Judge(j.Facts, stored, time.Now())
}
