package proxy

import (
	"net/http"
	"strings"
	"time"

	"cacheproxy/lint"
	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// job describes the request to the fetcher.
func (x *exchange) job() *revalidate.Job {
	j := &x.room.job
	*j = revalidate.Job{
		Key: x.key, Target: x.target, Facts: x.facts, Request: x.outgoing(), Origin: x.route.Origin,
		Resource: x.resource, Decision: x.decision,
		Alone: x.facts.Directives.Newer(), Arrived: x.arrived,
	}
	return j
}

// arrived edits the header of a response from the origin and returns the rules
// for it. It may be called after the exchange, and only reads what accept and
// the decision have set.
func (x *exchange) arrived(resp *http.Response) *policy.Rules {
	if x.c.Lint != nil {
		x.lint(resp)
	}
	s := x.settings
	if x.route.hasTypeRules() {
		kind := mediaType(resp.Header.Get("Content-Type"))
		if kind == "" { // a 304 need not say it again
			kind = storedType(x.resource, x.decision.Index)
		}
		s = x.route.settings(x.host, x.path, kind)
		if x.o.Trace != nil {
			x.route.traceRules(x.o.Trace, policy.StepTypeRule, x.host, x.path, kind)
		}
	}
	if edits := &s.ResponseEdit; x.o.Trace != nil && len(edits.Remove)+len(edits.Set) > 0 {
		x.o.Trace.Note(policy.StepEdited, "edits", edits.told())
	}
	s.ResponseEdit.apply(resp.Header)
	return &s.Rules
}

// lint shows a response to the linter as it came.
func (x *exchange) lint(resp *http.Response) {
	r := lint.Response{
		Route: x.route.Name, Host: x.target.Host, Path: x.path, Query: x.target.RawQuery, Method: x.facts.Method,
		Status: resp.StatusCode, Fields: resp.Header, Request: x.facts.Fields, Empty: resp.ContentLength == 0, Received: time.Now(),
	}
	if resp.Request != nil {
		r.Target = resp.Request.URL.Host
	}
	x.c.Lint.Observe(&r)
}

func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// storedType is the media type of the entry that is validated, or of the first.
func storedType(r *revalidate.Resource, index int) string {
	if r == nil || len(r.Entries) == 0 {
		return ""
	}
	for name, value := range r.Entries[max(index, 0)].Fields.All() {
		if name == "Content-Type" {
			return mediaType(value)
		}
	}
	return ""
}

// fetchJob is a job whose answer may be stored: without the client's own
// conditions, so that the whole response comes back. The flight may outlive this
// request: only the flight changes its header from now on, and nothing its facts.
func (x *exchange) fetchJob() *revalidate.Job {
	j := x.job()
	h := j.Request.Header
	delete(h, "If-None-Match")
	delete(h, "If-Modified-Since")
	if x.facts.Range == "" {
		delete(h, "Range")
		delete(h, "If-Range")
	}
	return j
}

// refreshJob is a fetch for everybody: of all there is.
func (x *exchange) refreshJob() *revalidate.Job {
	j := x.fetchJob()
	facts := *x.facts
	facts.Range = ""
	j.Facts = &facts
	delete(j.Request.Header, "Range")
	delete(j.Request.Header, "If-Range")
	return j
}
