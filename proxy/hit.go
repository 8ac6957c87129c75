package proxy

import (
	"net/http"
	"strings"
	"time"
	"unsafe"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// Reply is an answer from the store to a plain request. One may be used for
// many requests, one after the other; then it allocates nothing.
type Reply struct {
	Status int
	Length int64 // of the content, which a HEAD and a 304 do not carry

	p      *Proxy
	found  Found
	c      *Config
	memory *revalidate.Resource // where what is found is read to
	entry  *revalidate.Entry    // in memory
	o      Outcome
	facts  policy.Request
	key    []byte
	text   []byte // values of the fields below
	fields [7]Field
	own    []Field // of fields: what this cache says, sorted by name
}

// Hit answers a request when that takes no more than a stored response, just as
// ServeHTTP would. It returns false when it takes more, or when the request is
// anything but plain; then nothing has happened. After true the caller writes
// the reply and calls Done.
func (p *Proxy) Hit(h *Head, r *Reply) bool {
	c := p.config.Load()
	r.found = Found{}
	h.lines, h.asked = h.lines[:0], false
	path, query, asked := strings.Cut(h.Target, "?")
	if !h.plain(len(c.Trusted) > 0) || !isClean(path) {
		return false
	}
	scheme := "http"
	if h.TLS {
		scheme = "https"
	}
	host := policy.Host(scheme, h.Host)
	name := hostOnly(host)
	route := c.route(name, path)
	if route == nil {
		return false
	}
	s := route.settings(name, path, "")
	r.facts.Read(h.Method, h)
	if s.IgnoreClient {
		r.facts.Directives = r.facts.Directives.WithoutDemands()
	}
	if policy.Passes(&r.facts, &s.Rules) != policy.ReasonNone {
		return false
	}
	r.key = policy.AppendKey(r.key[:0], scheme, host, path, "", asked)
	if asked && query != "" {
		bare := len(r.key)
		if r.key = s.Query.AppendTo(r.key, query); len(r.key) == bare { // nothing of it is kept
			r.key = r.key[:bare-1]
		}
	}
	now := time.Now()
	key := unsafe.String(unsafe.SliceData(r.key), len(r.key))
	if r.memory == nil {
		r.memory = new(revalidate.Resource)
	}
	resource := r.memory
	if !p.fetcher.LookupIn(resource, key, now) {
		r.found = Found{c: c}
		return false
	}
	d := policy.Judge(&r.facts, resource.Stored, now)
	served := (d.Action == policy.Serve || d.Action == policy.ServeStale) && !d.Refresh
	if !served || h.asked && len(s.IgnoreCookies) > 0 || !isPlain(resource.Entries[d.Index]) || c.RateLimit != nil && !c.mayHit(h, now) {
		r.found, r.memory = Found{c, strings.Clone(key), resource}, nil
		return false
	}
	r.entry = resource.Entries[d.Index]
	r.p, r.c = p, c
	r.o = Outcome{
		Action: d.Action, Reason: d.Reason, Start: now, Method: h.Method, Host: h.Host, URI: h.Target, Proto: h.Proto,
		Remote: h.Remote, Referer: h.value("Referer"), UserAgent: h.value("User-Agent"),
		Route: route.Name, Key: key,
	}
	if c.Place != nil {
		r.o.Spans = c.sampled(h)
	}
	r.fill(now)
	return true
}

// mayHit takes a token for an answer that is certain; who has none is told so by
// ServeHTTP, which takes one for every request that it gets.
func (c *Config) mayHit(h *Head, now time.Time) bool {
	_, ok := c.RateLimit.take(now, h.Remote, h, c)
	return ok
}

// Found is what Hit found in the store for a request that it left to ServeHTTP,
// which need not look again when its ResponseWriter has a method Found.
type Found struct {
	c        *Config // by which the key was made; nil: it did not look
	key      string  // of the resource
	resource *revalidate.Resource
}

// isPlain reports whether an entry answers just as it is.
func isPlain(e *revalidate.Entry) bool {
	return e.Method == http.MethodGet && e.Partial == nil && e.Status != http.StatusNoContent
}

// TakeFound returns what the last Hit has found, and forgets it.
func (r *Reply) TakeFound() Found {
	f := r.found
	r.found = Found{}
	return f
}

// isClean reports whether a path is its own decoded and cleaned form.
func isClean(path string) bool {
	return path != "" && path[0] == '/' && strings.IndexByte(path, '%') < 0 &&
		!strings.Contains(path, "//") && !dotSegments(path)
}

// fill says what the answer is, and what this cache adds to its header.
func (r *Reply) fill(now time.Time) {
	e := r.entry
	e.Touch(now)
	age := e.Age(now)
	r.o.HasTTL, r.o.TTL = true, e.Lifetime-age
	r.Status, r.Length = e.Status, e.Body.Size()
	if policy.NotModified(&r.facts, e.Stored) {
		r.Status = http.StatusNotModified
	}
	r.o.Status = r.Status
	r.ownFields(age)
}

// WriteTimeout is the time a client has to take the answer, or 64 KiB of it; 0 = any.
func (r *Reply) WriteTimeout() time.Duration { return r.c.WriteTimeout }

// Done reports the outcome: how much of the content was sent, and whether that
// was all. The reply is not to be used after it, but for another request.
func (r *Reply) Done(sent int64, complete bool) {
	r.o.Bytes, r.o.FromCache, r.o.Aborted = sent, sent, !complete
	r.o.Duration = time.Since(r.o.Start)
	r.p.observe(&r.o)
	r.entry, r.found = nil, Found{}
	r.memory.Forget() // a reply may lie unused for long
}

// Chunks returns the content, for as long as the reply is in use. It must not be
// changed.
func (r *Reply) Chunks() [][]byte {
	if r.Status == http.StatusNotModified || r.facts.Method == http.MethodHead {
		return nil
	}
	return r.entry.Body.Chunks()
}
