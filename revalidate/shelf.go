package revalidate

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"cacheproxy/cache"
	"cacheproxy/policy"
)

// put stores a flight's entry beside the other variants of its resource.
func (f *Fetcher) put(fl *flight, e *Entry) policy.Reason {
	limits := f.limits.Load()
	f.writes.RLock()
	defer f.writes.RUnlock()
	for {
		marks := f.marks.Load()
		seen := f.joinable(fl.key, e)
		old, dead := f.live(marks, fl.key, seen)
		merged, why := merge(old, e, limits.maxObject)
		changed := false
		ok := f.store.Update(fl.key, func(k Kept, _ bool) cache.Change[Kept] {
			if now := f.marks.Load(); k != seen || now != marks {
				if e.Partial != nil {
					changed = true // join it with that
					return cache.Change[Kept]{Op: cache.Keep}
				}
				marks = now
				old, dead = f.live(marks, fl.key, k)
				merged, why = merge(old, e, limits.maxObject)
			}
			if _, doom := fl.settled(marks, e); doom != policy.ReasonNone {
				why = doom
			}
			if why == policy.ReasonNone {
				merged, why = fl.settled(marks, merged)
			}
			if why != policy.ReasonNone {
				return cache.Change[Kept]{Op: cache.Keep}
			}
			marks.count(dead)
			return f.change(fl.key, with(old, merged, limits.maxVariants))
		})
		switch {
		case changed:
			continue
		case !ok && why == policy.ReasonNone:
			return policy.StoreRefused
		}
		return why
	}
}

// joinable returns what is stored that a part may be joined with. To join copies
// content, which is not to be done under the store's lock.
func (f *Fetcher) joinable(key string, e *Entry) (k Kept) {
	if e.Partial != nil {
		k, _ = f.store.Get(key)
	}
	return k
}

// change puts entries.
func (f *Fetcher) change(key string, entries []*Entry) cache.Change[Kept] {
	now := time.Now()
	for _, e := range entries {
		if e.record == nil && e.touched == 0 {
			e.touched = now.Unix()
		}
	}
	k := keep(entries, f.base)
	return cache.Change[Kept]{
		Op: cache.Put, Value: k, TTL: keepFor(entries, now),
		Cost: k.cost() + cache.Allocated(int64(len(key))) + f.store.Overhead(),
	}
}

// merge settles a new entry against the one whose place it would take: an
// older answer does not replace a newer one, the answer to a HEAD does not
// replace content, and parts of one representation are joined (RFC 9111, 3.4).
// What would grow beyond the largest object is not joined.
func merge(old []*Entry, e *Entry, maxObject int64) (*Entry, policy.Reason) {
	for _, o := range old {
		if !policy.SameVariant(e.Stored, o.Stored) {
			continue
		}
		if o.Requested.After(e.Requested) || e.Method == http.MethodHead && o.Method != http.MethodHead {
			return nil, policy.Superseded
		}
		if e.Partial == nil || o.Method == http.MethodHead || !policy.Combinable(o.Stored, e.Stored) {
			continue
		}
		if o.Partial == nil {
			return nil, policy.Superseded // all of it is there already
		}
		if joined, ok := join(o, e, maxObject); ok {
			return joined, policy.ReasonNone
		}
	}
	return e, policy.ReasonNone
}

// join combines two parts of one representation. Fields of the newer response
// replace the stored ones (RFC 9111, 3.4).
func join(old, newer *Entry, maxObject int64) (*Entry, bool) {
	partial, ok := old.Partial.Join(newer.Partial)
	if !ok || old.Body.Size()+newer.Body.Size() > maxObject {
		return nil, false
	}
	stored := *newer.Stored
	stored.Partial = partial
	stored.UniteTags(old.Stored)
	e := &Entry{Stored: &stored, Body: joinBodies(partial, old.Partial, old.Body, newer.Partial, newer.Body)}
	if partial.Whole() {
		stored.Partial, stored.Status = nil, http.StatusOK
	}
	merged := old.Fields.Header()
	policy.Merge(merged, newer.Fields.Header())
	e.Fields = NewBlock(merged)
	return e, true
}

// freshen updates what a 304 selects (RFC 9111, 4.3.4). It returns the entry
// that answers the job, nil when the 304 selects nothing, and why that entry
// is not stored, if so.
func (f *Fetcher) freshen(fl *flight, j *Job, resp *http.Response, t policy.Times, rules *policy.Rules) (answer *Entry, refused policy.Reason) {
	selected := policy.Freshen(j.Facts, j.Resource.judged(), j.Decision.Index, resp.Header)
	if len(selected) > 0 {
		j.traceConfirmed(len(selected))
	}
	changes := make(updates, len(selected))
	var from *Entry // of the answer
	for _, i := range selected {
		old := j.Resource.Entries[i]
		if f.dead(j.Key, old) { // what is confirmed is gone meanwhile
			continue
		}
		fresh, why := updated(old, j, resp.Header, t, rules)
		changes.note(old, fresh, why)
		if answer == nil || i == j.Decision.Index {
			answer, refused, from = fresh, why, old
		}
	}
	if answer == nil {
		return nil, policy.ReasonNone
	}
	var added *Entry
	if !answer.Matches(j.Facts.Fields) { // another variant's representation answers this request too
		answer = forRequest(answer, j)
		if refused == policy.ReasonNone {
			added = answer
		}
	}
	if len(changes) > 0 || added != nil {
		f.update(fl, changes, added, from)
	}
	return answer, refused
}

// updates are what stored entries are to be replaced by, known by the form in
// which the store has them; nil for one that is not to be stored any more.
type updates map[string]*Entry

// leastUpdate is how much newer a confirmed response must be to replace one that
// says the same: as ages are told in seconds, less makes no difference.
const leastUpdate = time.Second

// note says what becomes of a stored entry that was updated. Credentials
// of one client's request keep its answer from being stored, but take nothing
// away from what is stored already.
func (u updates) note(old, fresh *Entry, why policy.Reason) {
	switch why {
	case policy.ReasonNone:
		if fresh.Fields == old.Fields && policy.SameJudgement(fresh.Stored, old.Stored) && fresh.Received.Sub(old.Received) < leastUpdate {
			old.Touch(fresh.Received)
			return
		}
		u[old.head] = fresh
	case policy.Authorization:
	default:
		u[old.head] = nil
	}
}

// updated returns an entry with the fields of a newer response for the same
// representation, and why it may not be stored any more, if so.
func updated(old *Entry, j *Job, newer http.Header, t policy.Times, rules *policy.Rules) (*Entry, policy.Reason) {
	fields, same := old.Fields.redated(newer)
	// What only some may have, or only once, is looked at anew: the rules may be others.
	same = same && !strings.Contains(string(fields), `="`) && !strings.Contains(string(fields), "Set-Cookie")
	merged := fields.Header()
	if !same {
		policy.Merge(merged, newer)
		policy.ApplyCookieRule(merged, rules)
	}
	facts := *j.Facts
	facts.Method = old.Method
	judged := merged
	if old.Partial != nil {
		judged = merged.Clone()
		judged.Set("Content-Range", old.Partial.Held[0].ContentRange(old.Partial.Length))
	}
	stored, why := policy.Admit(&facts, &policy.Response{Status: old.Status, Fields: judged}, t, rules)
	if stored == nil {
		c := *old.Stored
		c.Times, c.Date, c.InitialAge = t, t.Received, 0
		c.Lifetime, c.NoCache, c.MustRevalidate = 0, true, true
		stored = &c
	}
	stored.Partial = old.Partial
	stored.InheritTags(old.Stored, newer, rules)
	if slices.Equal(stored.Vary, old.Vary) {
		stored.VaryValues = old.VaryValues
	}
	if !same {
		fields = entryFields(stored, policy.Storable(merged, rules))
	}
	return &Entry{Stored: stored, Fields: fields, Body: old.Body}, why
}

// forRequest returns a copy of an entry as the answer to a job's own variant.
func forRequest(e *Entry, j *Job) *Entry {
	stored := *e.Stored
	stored.VaryValues = policy.VaryValues(stored.Vary, j.Facts.Fields)
	return &Entry{Stored: &stored, Fields: e.Fields, Body: e.Body}
}

// update replaces entries in the store, as far as they are still there. What is
// added was made of from, and is not without it.
func (f *Fetcher) update(fl *flight, changes updates, added, from *Entry) {
	limits := f.limits.Load()
	f.writes.RLock()
	defer f.writes.RUnlock()
	f.store.Update(fl.key, func(k Kept, ok bool) cache.Change[Kept] {
		if !ok || fl.doomed.Load() {
			return cache.Change[Kept]{Op: cache.Keep}
		}
		marks := f.marks.Load()
		old, dead := f.live(marks, fl.key, k)
		entries := make([]*Entry, 0, len(old)+1)
		for _, o := range old {
			fresh, known := changes[o.head]
			if !known {
				entries = append(entries, o)
			} else if fresh != nil {
				fresh.touched = o.used()
				if fresh, why := fl.settled(marks, fresh); why == policy.ReasonNone {
					entries = append(entries, fresh)
				}
			}
		}
		if added != nil && slices.ContainsFunc(old, func(o *Entry) bool { return o.head == from.head }) {
			if settled, why := fl.settled(marks, added); why == policy.ReasonNone {
				entries = with(entries, settled, limits.maxVariants)
			}
		}
		marks.count(dead)
		if len(entries) == 0 {
			return cache.Change[Kept]{Op: cache.Remove}
		}
		return f.change(fl.key, entries)
	})
}

// head applies the answer to a HEAD to stored GET responses (RFC 9111, 4.3.5)
// and returns the entry that answers the job, if one was updated, and why that
// is not stored, if so.
func (f *Fetcher) head(fl *flight, j *Job, resp *http.Response, t policy.Times, rules *policy.Rules) (answer *Entry, refused policy.Reason) {
	changes := make(updates)
	rs := &policy.Response{Status: resp.StatusCode, Fields: resp.Header}
	for i, o := range j.Resource.entries() {
		if f.dead(j.Key, o) {
			continue
		}
		switch policy.Head(j.Facts, o.Stored, o.Body.Size(), rs) {
		case policy.HeadUpdates:
			fresh, why := updated(o, j, resp.Header, t, rules)
			changes.note(o, fresh, why)
			if answer == nil || i == j.Decision.Index {
				answer, refused = fresh, why
			}
		case policy.HeadOutdates:
			changes[o.head] = &Entry{Stored: o.Outdated(), Fields: o.Fields, Body: o.Body}
		}
	}
	if len(changes) > 0 {
		f.update(fl, changes, nil, nil)
	}
	return answer, refused
}
