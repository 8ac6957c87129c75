package policy

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Conditions returns If-None-Match and If-Modified-Since for a request that
// validates what is stored (RFC 9111, 4.3.1): the entity tags of every stored
// response that could answer it, and the date of the one at index, if any.
// Both are empty when nothing can be validated.
func Conditions(rq *Request, stored []*Stored, index int) (noneMatch, since string) {
	var tags []string
	add := func(s *Stored) {
		if s.ETag != "" && nominated(rq, s) && !slices.Contains(tags, s.ETag) {
			tags = append(tags, s.ETag)
		}
	}
	if index >= 0 {
		add(stored[index])
		if s := stored[index]; !s.LastModified.IsZero() && nominated(rq, s) {
			since = s.LastModified.UTC().Format(http.TimeFormat)
		}
	}
	for _, s := range stored {
		add(s)
	}
	return strings.Join(tags, ", "), since
}

// nominated reports whether a stored response could answer the request if the
// origin confirmed it.
func nominated(rq *Request, s *Stored) bool {
	if s.Method == http.MethodHead && rq.Method != http.MethodHead {
		return false
	}
	if s.Partial != nil {
		selection, _ := s.Select(rq, s.Partial.Length)
		return rq.Method == http.MethodGet && selection != NotHeld
	}
	return sameCoding(rq, s)
}

// sameCoding reports whether a stored response was selected by the same
// Accept-Encoding. Servers that code on the fly, nginx among them, compare
// entity tags before they do, so that a 304 would hand one client's coding to
// another.
func sameCoding(rq *Request, s *Stored) bool {
	const name = "Accept-Encoding"
	i := slices.Index(s.Vary, name)
	return i < 0 || s.VaryValues[i] == normalise(name, rq.Fields)
}

// Freshen returns the indexes of the stored responses that a 304 selects
// (RFC 9111, 4.3.4); index is the one that was validated, or -1. An empty
// answer means that the 304 says nothing about what is stored, and that the
// request must be made again without conditions.
func Freshen(rq *Request, stored []*Stored, index int, f Fields) []int {
	candidate := func(s *Stored) bool { return s.Validator() && nominated(rq, s) }
	tag := etag(f)
	lm, _, dated := fieldTime(f, "Last-Modified")
	switch {
	case tag != "" && !weak(tag): // a strong validator: all that have it
		var all []int
		for i, s := range stored {
			if candidate(s) && strongEqual(s.ETag, tag) {
				all = append(all, i)
			}
		}
		if len(all) == 0 && index >= 0 && weakEqual(stored[index].ETag, tag) {
			// The tag was offered as a weak one and confirmed; that the 304 names
			// it as a strong one is how nginx answers for content it compresses.
			return []int{index}
		}
		return all
	case tag != "": // a weak one: the newest that has it
		return newest(stored, func(s *Stored) bool { return candidate(s) && weakEqual(s.ETag, tag) })
	case dated && (index < 0 || stored[index].ETag == "" || !stored[index].LastModified.IsZero()):
		return newest(stored, func(s *Stored) bool {
			return candidate(s) && s.LastModified.Equal(lm) && s.Matches(rq.Fields)
		})
	case index >= 0 && !ambiguous(rq, stored, index): // no validator: the one that was asked about
		return []int{index}
	}
	return nil
}

// ambiguous reports whether a 304 without a validator might mean another stored
// response than the one at index: the request named its entity tag too.
func ambiguous(rq *Request, stored []*Stored, index int) bool {
	return slices.ContainsFunc(stored, func(s *Stored) bool {
		return s.ETag != "" && s.ETag != stored[index].ETag && nominated(rq, s)
	})
}

func newest(stored []*Stored, fits func(*Stored) bool) []int {
	best := -1
	for i, s := range stored {
		if fits(s) && (best < 0 || s.newerThan(stored[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return []int{best}
}

// HeadEffect is what a 200 to a HEAD means for a stored GET (RFC 9111, 4.3.5).
type HeadEffect uint8

// The effects.
const (
	HeadNone     HeadEffect = iota // the stored response would not answer this request
	HeadUpdates                    // its fields update the stored response
	HeadOutdates                   // the stored response is to be considered stale
)

// Head returns the effect of an answer to a HEAD on a stored response whose
// content has the given length.
func Head(rq *Request, s *Stored, length int64, rs *Response) HeadEffect {
	if s.Method != http.MethodGet || s.Partial != nil || !s.Matches(rq.Fields) {
		return HeadNone
	}
	switch {
	case rs.Status == http.StatusNotFound || rs.Status == http.StatusGone || rs.Status == http.StatusOK && s.Status != rs.Status:
		return HeadOutdates
	case rs.Status != http.StatusOK: // it says nothing about a GET
		return HeadNone
	}
	if tag := etag(rs.Fields); tag != "" && tag != s.ETag {
		return HeadOutdates
	}
	if lm, present, ok := fieldTime(rs.Fields, "Last-Modified"); present && (!ok || !lm.Equal(s.LastModified)) {
		return HeadOutdates
	}
	if n := contentLength(rs.Fields); n >= 0 && n != length {
		return HeadOutdates
	}
	return HeadUpdates
}

// Displaces reports whether an answer that is not stored ends what is stored for
// its request: the origin gave a full response, so the stored one does not hold
// any more (RFC 9111, 4.3.3). While it is fresh it goes on for others, and
// answers that pass, or that are due to what this one client sent, say nothing
// about what others get.
func Displaces(rq *Request, s *Stored, status int, now time.Time) bool {
	if rq.Authorized || !s.NoCache && s.Age(now) < s.Lifetime {
		return false
	}
	switch status {
	case http.StatusPartialContent, http.StatusNotModified:
		return false
	case http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons,
		http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	return status >= 200 && status <= 399
}

// SameJudgement reports whether two stored responses with the same fields may be
// used alike, but for their age.
func SameJudgement(a, b *Stored) bool {
	return a.Status == b.Status && a.Lifetime == b.Lifetime && a.NoCache == b.NoCache && a.MustRevalidate == b.MustRevalidate &&
		a.StaleWhileRevalidate == b.StaleWhileRevalidate && a.StaleIfError == b.StaleIfError && a.Tags == b.Tags && SameVariant(a, b)
}

// Outdated returns a copy of a stored response that is stale from now on.
func (s *Stored) Outdated() *Stored {
	c := *s
	c.Lifetime, c.StaleWhileRevalidate = 0, 0
	return &c
}

// EndAt makes a response that is not shared yet stale from the time of a soft purge
// on. One that is stale by then stays as it is.
func (s *Stored) EndAt(at time.Time) {
	if life := s.Age(at); life < s.Lifetime {
		s.Lifetime, s.Source = life, SourcePurge
	}
}
