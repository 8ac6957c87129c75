package proxy

import (
	"context"
	"errors"
	"net/http"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// pass sends the request on, past the cache, and does what an unsafe method
// that succeeded does to what is stored (RFC 9111, 4.4).
func (x *exchange) pass() {
	if !x.enter() {
		x.failLater(policy.Overloaded, time.Second)
		return
	}
	defer x.leave()
	j := x.job()
	if x.r.ContentLength != 0 {
		x.withBody(j.Request)
		defer x.hurry()
	}
	if x.facts.Upgrade {
		x.offerUpgrade(j)
	}
	j.Interim = x.interim
	edit := j.Arrived
	j.Arrived = func(resp *http.Response) *policy.Rules {
		rules := edit(resp)
		x.invalidate(resp)
		return rules
	}
	if x.o.Trace != nil {
		x.traceAsked(j.Request)
	}
	a, err := x.p.fetcher.Forward(x.r.Context(), j)
	if err != nil {
		x.passFailed(err)
		return
	}
	x.take(a)
	x.relay(a, false)
}

func (x *exchange) passFailed(err error) {
	var s *revalidate.Switched
	if errors.As(err, &s) {
		x.join(s.Response)
		return
	}
	if x.content != nil && x.r.Context().Err() != nil {
		x.content.settle()
	}
	why := x.content.fault()
	if why == policy.RequestTimeout || why == policy.ContentTooLarge { // we broke it off, and the client is still there
		x.fail(why)
		return
	}
	var f *revalidate.Failure
	if x.r.Context().Err() != nil || errors.Is(err, context.Canceled) || !errors.As(err, &f) {
		x.gone()
	}
	if why != policy.ReasonNone { // the client's fault, not the origin's
		x.fail(why)
		return
	}
	x.blame(f)
	x.failOrigin(f)
}

// invalidate forgets what an answer makes invalid.
func (x *exchange) invalidate(resp *http.Response) {
	for _, u := range policy.Invalidates(x.r.Method, x.target, resp.StatusCode, resp.Header) {
		path := cleanPath(u.Path)
		route := x.c.route(x.host, path)
		if route == nil { // nothing is stored for it
			continue
		}
		u.RawQuery = route.settings(x.host, path, "").Query.Apply(u.RawQuery)
		key := policy.Key(u)
		x.p.fetcher.Invalidate(key)
		if x.o.Trace != nil {
			x.o.Trace.Note(policy.StepInvalidates, "method", x.r.Method, "key", key)
		}
	}
	x.invalidateGroups(resp)
}
