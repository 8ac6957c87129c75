package proxy

import (
	"net/http"
	"strings"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// job describes the request to the fetcher.
func (x *exchange) job() *revalidate.Job {
	route, host, path := x.route, x.host, x.path
	settings, resource, index := x.settings, x.resource, x.decision.Index
	return &revalidate.Job{
		Key: x.key, Target: x.target, Facts: x.facts, Request: x.outgoing(), Origin: route.Origin,
		Resource: resource, Decision: x.decision,
		Alone: x.facts.Directives.Newer(),
		Arrived: func(resp *http.Response) *policy.Rules {
			s := settings
			if route.hasTypeRules() {
				kind := mediaType(resp.Header.Get("Content-Type"))
				if kind == "" { // a 304 need not say it again
					kind = storedType(resource, index)
				}
				s = route.settings(host, path, kind)
			}
			s.ResponseEdit.apply(resp.Header)
			return &s.Rules
		},
	}
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
// request: nothing changes its header and facts any more.
func (x *exchange) fetchJob() *revalidate.Job {
	j := x.job()
	j.Request.Header.Del("If-None-Match")
	j.Request.Header.Del("If-Modified-Since")
	if x.facts.Range == "" {
		j.Request.Header.Del("Range")
		j.Request.Header.Del("If-Range")
	}
	return j
}

// refreshJob is a fetch for everybody: of all there is.
func (x *exchange) refreshJob() *revalidate.Job {
	j := x.fetchJob()
	facts := *x.facts
	facts.Range = ""
	j.Facts = &facts
	j.Request.Header.Del("Range")
	j.Request.Header.Del("If-Range")
	return j
}
