package revalidate

import (
	"io"
	"net/http"
	"strconv"

	"cacheproxy/policy"
)

// complete uses a 206 that brings the part of an entry that was missing
// (RFC 9111, 3.4). It returns false when the part does not fit: then the
// request is to be made again for all of it. carry is what is left to be done.
func (fl *flight) complete(j *Job, resp *http.Response, t policy.Times, rules *policy.Rules) (carry func(), ok bool) {
	old := j.selected()
	stored, _ := admit(j, resp, t, rules)
	if stored == nil || fl.f.dead(j.Key, old) || !policy.Combinable(old.Stored, stored) {
		return nil, false
	}
	if most := fl.f.limits.Load().maxObject; stored.Partial.Length > most || stored.Partial.Held[0].Len() > most {
		return nil, false
	}
	if j.Facts.Range == "" && makesWhole(old, stored, resp) {
		return fl.deliverWhole(old, resp, stored, rules), true
	}
	e, ok := fl.patch(j, resp, stored, rules)
	if !ok {
		return nil, false
	}
	resp.Body.Close()
	fl.useEntry(resp.StatusCode, e, policy.ReasonNone)
	return nil, true
}

// makesWhole reports whether what is held and what comes are two runs that
// together are all of the representation.
func makesWhole(old *Entry, stored *policy.Stored, resp *http.Response) bool {
	joined, ok := old.Partial.Join(stored.Partial)
	return ok && joined.Whole() && len(old.Partial.Held) == 1 && resp.ContentLength == stored.Partial.Held[0].Len()
}

// deliverWhole sends a representation of which one end is held, while the other
// one arrives: nobody waits for the whole.
func (fl *flight) deliverWhole(old *Entry, resp *http.Response, part *policy.Stored, rules *policy.Rules) (carry func()) {
	held, missing := old.Partial.Held[0], part.Partial.Held[0]
	length := part.Partial.Length
	whole := *part
	whole.Partial, whole.Status = nil, http.StatusOK
	whole.UniteTags(old.Stored)
	resp.Header.Del("Content-Range")
	policy.ApplyCookieRule(resp.Header, rules)
	fl.fields = old.Fields.Header()
	policy.Merge(fl.fields, policy.Storable(resp.Header, rules))
	fl.fields.Set("Content-Length", strconv.FormatInt(length, 10))
	fl.header = fl.fields
	fl.status, fl.answered, fl.length, fl.stored = resp.StatusCode, http.StatusOK, length, &whole
	fl.open(length)
	pieces := []io.Reader{old.Body.reader(0, missing.First), resp.Body, old.Body.reader(missing.Last+1-held.First, length-missing.Last-1)}
	return func() { fl.carry(io.MultiReader(pieces...), resp, &whole, func() { fl.publish(&whole) }) }
}

// patch reads the missing part of a partial entry and joins it: for an answer
// that is itself a part.
func (fl *flight) patch(j *Job, resp *http.Response, stored *policy.Stored, rules *policy.Rules) (*Entry, bool) {
	old, most := j.selected(), fl.f.limits.Load().maxObject
	content, err := io.ReadAll(io.LimitReader(resp.Body, stored.Partial.Held[0].Len()+1))
	if err != nil {
		return nil, false
	}
	e := newEntry(stored, policy.Storable(resp.Header, rules), NewBody(content))
	if e == nil {
		return nil, false
	}
	e, ok := join(old, e, most)
	if !ok {
		return nil, false
	}
	if e.Partial != nil {
		if selection, _ := e.Select(j.Facts, e.Length()); selection == policy.NotHeld {
			return nil, false
		}
	}
	fl.f.put(fl, e)
	return e, true
}
