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
	j := x.job()
	x.withBody(j.Request)
	if x.content != nil {
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
	a, err := x.p.fetcher.Forward(x.r.Context(), j)
	if err != nil {
		x.passFailed(err)
		return
	}
	x.take(a)
	x.relay(a, false)
}

// closing tells the client that its connection ends with the answer when there
// may be content left: what comes of it later must not be taken for a request.
func (x *exchange) closing() {
	if x.content != nil && !x.content.read.Load() {
		x.w.Header()["Connection"] = []string{"close"}
	}
}

// hurry bounds the wait of the library for what is left of the content, after
// the answer. A read that the transport still has under way is ended first:
// the library would end it itself, and take the deadline off.
func (x *exchange) hurry() {
	if x.content.read.Load() {
		return
	}
	rc := http.NewResponseController(x.w)
	_ = rc.SetReadDeadline(time.Unix(1, 0))
	x.content.mu.Lock()
	x.content.over = true
	x.content.mu.Unlock()
	_ = rc.SetReadDeadline(time.Now().Add(linger))
}

// linger is how long a client may go on sending content after its answer.
const linger = 5 * time.Second

func (x *exchange) passFailed(err error) {
	var s *switched
	if errors.As(err, &s) {
		x.join(s)
		return
	}
	var f *revalidate.Failure
	if x.r.Context().Err() != nil || errors.Is(err, context.Canceled) || !errors.As(err, &f) {
		x.gone()
	}
	if x.content != nil && x.content.broken.Load() { // the client's fault, not the origin's
		x.fail(policy.BadRequest)
		return
	}
	x.fail(f.Reason)
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
		x.p.fetcher.Invalidate(policy.Key(u))
	}
}
