package policy

import (
	"net/http"
	"time"
)

// Passes reports why a request goes straight to the origin, without a look at
// the store (ReasonNone: it does not).
func Passes(rq *Request, r *Rules) Reason {
	switch {
	case rq.Upgrade:
		return Upgrade
	case rq.Method != http.MethodGet && rq.Method != http.MethodHead:
		return Method
	case r.Bypass:
		return Bypass
	case rq.Dots:
		return DotSegments
	case rq.Body:
		return RequestBody
	case rq.Directives.NoStore:
		return RequestNoStore
	case len(values(rq.Fields, "If-Match")) > 0 || len(values(rq.Fields, "If-Unmodified-Since")) > 0:
		return OriginCondition
	}
	return ReasonNone
}

// Judge says what to do with a request for which [Passes] gave no reason,
// given what is stored for its URL (RFC 9111, 4).
func Judge(rq *Request, stored []*Stored, now time.Time) Decision {
	d := judge(rq, stored, now)
	if rq.Directives.OnlyIfCached && (d.Action == Fetch || d.Action == Validate) {
		d.Action, d.Reason = Fail, OnlyIfCached // RFC 9111, 5.2.1.7
	}
	if rq.Trace != nil {
		rq.Trace.judged(rq, stored, &d, now)
	}
	return d
}

func judge(rq *Request, stored []*Stored, now time.Time) Decision {
	i, miss := choose(rq, stored)
	if i < 0 {
		return Decision{Action: Fetch, Reason: miss, Index: -1}
	}
	s := stored[i]
	d := Decision{Index: i, Age: s.Age(now)}
	d.TTL = s.Lifetime - d.Age
	if s.Partial != nil {
		if selection, _ := s.Select(rq, s.Partial.Length); selection == NotHeld {
			d.Action, d.Reason, d.Missing = Fetch, PartialMiss, s.missing(rq)
			return d
		}
	}
	d.Action, d.Reason, d.Refresh = reuse(rq, s, d.Age)
	if d.Action == Validate && !s.Validator() {
		d.Action = Fetch
	}
	return d
}

// choose selects the stored response that a request may be answered with: of
// those that match, the newest (RFC 9111, 4 and 4.1). Without one it returns
// -1 and why.
func choose(rq *Request, stored []*Stored) (int, Reason) {
	best, miss := -1, URIMiss
	for i, s := range stored {
		switch {
		case !s.Matches(rq.Fields):
			miss = max(miss, VaryMiss)
		case s.Method == http.MethodHead && rq.Method != http.MethodHead:
			miss = max(miss, MethodMiss)
		case s.Partial != nil && rq.Method == http.MethodHead:
			miss = max(miss, PartialMiss)
		case best < 0 || s.newerThan(stored[best]):
			best = i
		}
	}
	return best, miss
}

// newerThan: the most recent response, by Date, is used (RFC 9111, 4).
func (s *Stored) newerThan(o *Stored) bool {
	if !s.Date.Equal(o.Date) {
		return s.Date.After(o.Date)
	}
	return s.Received.After(o.Received)
}

// reuse judges a stored response that matches the request.
func reuse(rq *Request, s *Stored, age time.Duration) (action Action, why Reason, refresh bool) {
	c := &rq.Directives
	ttl := s.Lifetime - age
	switch {
	case c.NoCache: // RFC 9111, 5.2.1.4 and 5.4
		return Validate, RequestNoCache, false
	case s.NoCache: // RFC 9111, 5.2.2.4
		return Validate, ResponseNoCache, false
	}
	if ttl > 0 {
		return reuseFresh(c, s, age, ttl)
	}
	return reuseStale(c, s, age, -ttl)
}

func reuseFresh(c *RequestDirectives, s *Stored, age, ttl time.Duration) (Action, Reason, bool) {
	if c.MaxAge.present && age > c.MaxAge.value { // RFC 9111, 5.2.1.1
		if s.Immutable { // RFC 8246, 2
			return Serve, Immutable, false
		}
		return Validate, RequestMaxAge, false
	}
	if c.MinFresh.present && ttl < c.MinFresh.value { // RFC 9111, 5.2.1.3
		return Validate, RequestMinFresh, false
	}
	return Serve, Fresh, false
}

func reuseStale(c *RequestDirectives, s *Stored, age, staleness time.Duration) (Action, Reason, bool) {
	switch {
	case s.MustRevalidate: // RFC 9111, 4.2.4
		return Validate, Stale, false
	case c.MaxAge.present && age > c.MaxAge.value: // RFC 9111, 5.2.1.1
		return Validate, RequestMaxAge, false
	case c.MaxAge.present && !c.MaxStale.present: // the same: then nothing stale is wished for
		return Validate, Stale, false
	case c.MinFresh.present: // RFC 9111, 5.2.1.3
		return Validate, RequestMinFresh, false
	case staleness <= s.StaleWhileRevalidate && s.StaleWhileRevalidate > 0: // RFC 5861, 3
		return ServeStale, StaleWhileRevalidate, true
	case c.MaxStale.present && staleness <= c.MaxStale.value: // RFC 9111, 5.2.1.2
		return ServeStale, MaxStale, false
	}
	return Validate, Stale, false
}

// OnError reports whether a stored response may answer after the origin failed:
// it could not be reached, did not answer in time, or answered 500, 502, 503
// or 504 (RFC 5861, 4; RFC 9111, 4.2.4 and 4.3.3).
func OnError(rq *Request, s *Stored, now time.Time) bool {
	if s.MustRevalidate || s.NoCache {
		return false
	}
	return s.Age(now)-s.Lifetime <= ErrorWindow(rq, s)
}

// ErrorWindow returns for how long after its lifetime a stored response may stand in
// for an origin that fails: as long as it says itself, or the client (RFC 5861, 4).
func ErrorWindow(rq *Request, s *Stored) time.Duration {
	return max(s.StaleIfError, rq.Directives.StaleIfError.value)
}

// Failed reports whether a status of the origin counts as a failure for which
// a stale response may stand in (RFC 5861, 4).
func Failed(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
