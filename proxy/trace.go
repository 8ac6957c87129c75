package proxy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// ServeTraced is ServeHTTP with every decision recorded in t. seen is called with
// the outcome, as the observer of the proxy is; it must not keep it.
func (p *Proxy) ServeTraced(w http.ResponseWriter, r *http.Request, t *policy.Trace, seen func(*Outcome)) {
	p.answer(w, r, t, seen)
}

// traceTarget tells what the request is about, before any cookie is dropped.
func (x *exchange) traceTarget() {
	t := x.o.Trace
	name := x.route.Name
	if name == "" {
		name = "for everything"
	}
	t.Note(policy.StepRoute, "route", name, "origin", shown(x.route.Origin.URL()))
	x.route.traceRules(t, policy.StepRule, x.host, x.path, "")
	if cookies := droppedCookies(x.r.Header["Cookie"], x.settings.IgnoreCookies); len(cookies) > 0 {
		t.Note(policy.StepCookies, "cookies", cookies)
	}
}

// traceKey tells how the key is made.
func (x *exchange) traceKey() {
	t, u := x.o.Trace, x.target
	if before := x.r.URL.RawQuery; before != u.RawQuery {
		t.Note(policy.StepQuery, "before", before, "after", orEmpty(u.RawQuery))
	}
	t.Note(policy.StepKey, "key", x.key, "scheme", u.Scheme, "host", u.Host, "path", u.EscapedPath(), "query", orEmpty(u.RawQuery))
}

// shown is a URL at an origin, without its password. That of a socket is not escaped.
func shown(u *url.URL) string {
	switch {
	case !strings.HasPrefix(u.Host, "/"):
		return u.Redacted()
	case u.Path == "":
		return "unix:" + u.Host
	}
	return "unix:" + u.Host + ":" + u.RequestURI()
}

func orEmpty(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// traceWishes tells what the client asks for, before a rule may ignore it.
func (x *exchange) traceWishes() {
	wishes, none := x.facts.Directives, policy.RequestDirectives{}
	if wishes == none {
		return
	}
	if !x.settings.IgnoreClient {
		x.o.Trace.Note(policy.StepWishes, "wishes", wishes.String())
		return
	}
	left := wishes.WithoutDemands()
	x.o.Trace.Note(policy.StepWishesIgnored, "wishes", wishes.String(), "left", left.String())
}

// traceAsked tells what the origin is sent, and what it is not.
func (x *exchange) traceAsked(r *http.Request) {
	var dropped []string
	for name := range x.r.Header {
		if _, sent := r.Header[name]; !sent {
			dropped = append(dropped, name)
		}
	}
	if len(dropped) > 0 {
		slices.Sort(dropped)
		x.o.Trace.Note(policy.StepNotPassed, "fields", dropped)
	}
	x.o.Trace.Note(policy.StepSent, "method", r.Method, "url", shown(r.URL), "host", r.Host)
}

// traceStandIn tells why a stored response stands in for the origin, or why not.
func (x *exchange) traceStandIn(j *revalidate.Job, e *revalidate.Entry) {
	verdict := "no: nothing that is stored answers this request"
	switch {
	case e != nil:
		verdict = "yes: it is within its time for that"
	case j.Resource != nil && j.Decision.Index >= 0:
		s := j.Resource.Stored[j.Decision.Index]
		verdict = "no: its " + policy.Span(policy.ErrorWindow(x.facts, s)) + " for that are over"
		if s.MustRevalidate || s.NoCache {
			verdict = "no: the origin forbids it"
		}
		if j.Decision.Reason == policy.PartialMiss {
			verdict = "no: only a part is stored"
		}
	}
	x.o.Trace.Note(policy.StepStandIn, "verdict", verdict)
}

// traceParts tells which parts a client asked for.
func (x *exchange) traceParts(length int64, parts ...policy.ByteRange) {
	if x.o.Trace == nil {
		return
	}
	if len(parts) == 0 {
		x.o.Trace.Decide(policy.StepPart, policy.RangeNotSatisfiable, "part", "it begins beyond the end")
		return
	}
	said := make([]string, len(parts))
	for i, p := range parts {
		said[i] = p.ContentRange(length)
	}
	x.o.Trace.Note(policy.StepPart, "part", said)
}

// traceAnswer tells what the client gets, and lets the response tell it, too, when
// an operator asked for that.
func (x *exchange) traceAnswer(h http.Header) {
	t := x.o.Trace
	if x.o.Action == policy.Fail {
		t.Decide(policy.StepFail, x.o.Reason, "status", x.o.Status)
	} else {
		t.Note(policy.StepAnswer, "status", x.o.Status, "from", x.o.From(), "result", x.o.CacheResult())
	}
	if !x.debug {
		return
	}
	if x.key != "" {
		h["Cacheproxy-Key"] = []string{visible(x.key, mostTraceLine*4)}
	}
	h["Cacheproxy-Trace"] = traceLines(t)
}

// Stored returns what is known of the responses that are stored under a key, as
// [Outcome] has it.
func (p *Proxy) Stored(key string) []*policy.Stored {
	_, stored := p.fetcher.Lookup(key)
	return stored
}
