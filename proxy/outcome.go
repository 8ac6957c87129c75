package proxy

import (
	"time"

	"cacheproxy/policy"
)

// Outcome is what was done with one request, and why. It is emitted once.
type Outcome struct {
	Action  policy.Action
	Reason  policy.Reason
	Refused policy.Reason // why the response was not stored, if it was not

	Method, Host, URI, Proto string
	Remote, RequestID        string
	Referer, UserAgent       string
	Route                    string // name of the route, or empty
	Key                      string // of the resource

	Status    int    // of the answer; 499 when the client left before it
	FwdStatus int    // what the origin answered, 0 if it was not asked
	Target    string // host and port, or socket, of the server that answered or failed; empty if none was chosen
	Error     string // type of the origin's failure (RFC 9209, 2.3); empty if it did not fail
	Stored    bool
	Collapsed bool
	Aborted   bool // the body broke off
	HasTTL    bool
	TTL       time.Duration // of the stored response, when HasTTL

	Start      time.Time
	Duration   time.Duration
	OriginTime time.Duration // from the request sent to the response head
	Bytes      int64         // of content sent
	FromCache  int64         // of those, from the store

	Trace *policy.Trace // what was decided on the way; nil unless it was asked for
	Spans *Spans        // nil when the request is in no trace
}

// StatusClientGone is the status in logs and metrics for a client that left
// before it was answered.
const StatusClientGone = 499

// From says who made the answer: "origin"; "cache", also when the origin only
// confirmed what is stored; or "proxy", which is us. The status of a client that
// left is ours.
func (o *Outcome) From() string {
	switch o.Action {
	case policy.Fail:
		return "proxy"
	case policy.Serve, policy.ServeStale:
		return "cache"
	case policy.Validate:
		if o.FwdStatus == 304 {
			return "cache"
		}
	}
	return "origin"
}

// CacheResult is the word of X-Cache-Status for an outcome, in the terms of nginx.
func (o *Outcome) CacheResult() string {
	switch o.Action {
	case policy.Serve:
		return "HIT"
	case policy.ServeStale:
		if o.Reason == policy.StaleWhileRevalidate {
			return "UPDATING"
		}
		return "STALE"
	case policy.Pass:
		return "BYPASS"
	case policy.Validate:
		if o.FwdStatus == 304 {
			return "REVALIDATED"
		}
		return "EXPIRED"
	case policy.Fetch:
		if o.Reason.Info().Fwd == "stale" {
			return "EXPIRED"
		}
		return "MISS"
	}
	return ""
}
