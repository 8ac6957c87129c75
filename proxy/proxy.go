package proxy

import (
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// Proxy is the handler of client requests.
type Proxy struct {
	fetcher *revalidate.Fetcher
	config  atomic.Pointer[Config]
	observe func(*Outcome)

	upgrades upgrades
	asking   atomic.Int64 // requests that wait for an origin, or are answered by one
	askers   askers       // the same by client
	audits   audits
}

// New returns a proxy. observe is called once for every request, after its
// answer; it must not keep the outcome. It may be nil.
func New(f *revalidate.Fetcher, c *Config, observe func(*Outcome)) *Proxy {
	if observe == nil {
		observe = func(*Outcome) {}
	}
	p := &Proxy{fetcher: f, observe: observe}
	p.SetConfig(c)
	return p
}

// SetConfig changes the configuration for requests that begin from now on.
func (p *Proxy) SetConfig(c *Config) {
	p.config.Store(c)
}

// Life is a context for requests that costs next to nothing.
type Life = revalidate.Life

// exchange is one request on its way through the proxy.
type exchange struct {
	p *Proxy
	c *Config
	w http.ResponseWriter
	r *http.Request
	o Outcome

	seen  func(*Outcome) // sees the outcome after the observer; may be nil
	debug bool           // the response tells its trace

	trusted  bool // the peer's word about its own client is believed
	route    *Route
	settings *Settings
	host     string   // that routes and rules match: without port
	path     string   // that routes and rules match: decoded and cleaned
	target   *url.URL // as the client sees it, with the query as it is forwarded
	offered  string   // protocols to go on with, for Upgrade
	facts    *policy.Request
	key      string
	resource *revalidate.Resource
	decision policy.Decision
	place    *place    // among those for whom an origin is asked; nil = none
	small    bool      // the body needs no more write deadlines than the head's
	content  *content  // of the request that is passed on, if it has any
	told     [7]string // values of fields that we add for the origin
	own      [3]string // and for the client

	room struct { // what pointers lead to, so that all of it is one allocation
		facts       policy.Request
		target, url url.URL
		request     http.Request
		job         revalidate.Job
	}
}

// ServeHTTP answers a request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.answer(w, r, nil, nil) }

// answer is ServeHTTP with a trace, if there is one, and somebody more who sees the
// outcome.
func (p *Proxy) answer(w http.ResponseWriter, r *http.Request, t *policy.Trace, seen func(*Outcome)) {
	x := &exchange{p: p, c: p.config.Load(), w: w, r: r, seen: seen}
	x.o = Outcome{
		Start: time.Now(), Method: r.Method, Host: r.Host, URI: r.RequestURI, Proto: r.Proto,
		Remote: r.RemoteAddr, Referer: r.Referer(), UserAgent: r.UserAgent(), Trace: t,
	}
	if x.c.wantsTrace(r.Header) {
		x.debug = true
		if t == nil {
			x.o.Trace = new(policy.Trace)
		}
	}
	x.trusted = x.c.trusts(r.RemoteAddr)
	x.o.RequestID = x.requestID()
	if x.c.Place != nil {
		t := x.c.place(r.Header, x.trusted)
		x.o.Spans = &t
	}
	defer x.emit()
	x.serve()
}

// emit reports the outcome; a panic of the handler (a body that broke off)
// goes on its way.
func (x *exchange) emit() {
	x.o.Duration = time.Since(x.o.Start)
	x.p.observe(&x.o)
	if x.seen != nil {
		x.seen(&x.o)
	}
}

func (x *exchange) serve() {
	if t := x.o.Trace; t != nil {
		t.Note(policy.StepRequest, "method", x.r.Method, "url", x.r.Host+x.r.RequestURI, "client", x.r.RemoteAddr)
	}
	if wait, ok := x.c.RateLimit.take(x.o.Start, x.r.RemoteAddr, x.r.Header, x.c); !ok {
		x.failLater(policy.TooManyRequests, wait)
		return
	}
	if purgeMethods[x.r.Method] {
		x.purge()
		return
	}
	if why := x.accept(); why != policy.ReasonNone {
		x.fail(why)
		return
	}
	if most := x.c.MaxContent; most > 0 && x.r.ContentLength > most {
		x.refuseContent()
		return
	}
	if x.lastHop() {
		x.answerOptions()
		return
	}
	if why := policy.Passes(x.facts, &x.settings.Rules); why != policy.ReasonNone {
		x.o.Action, x.o.Reason = policy.Pass, why
		x.o.Trace.Decide(policy.StepPass, why)
		x.pass()
		return
	}
	x.o.Trace.Note(policy.StepCacheable)
	stored := x.lookup()
	now := time.Now()
	x.decision = policy.Judge(x.facts, stored, now)
	x.o.Action, x.o.Reason = x.decision.Action, x.decision.Reason
	switch x.decision.Action {
	case policy.Serve, policy.ServeStale:
		e := x.resource.Entries[x.decision.Index]
		if x.decision.Refresh {
			x.o.Trace.Note(policy.StepRefresh)
			x.p.fetcher.Refresh(x.refreshJob())
		}
		x.serveEntry(e, now)
	case policy.Validate, policy.Fetch:
		x.fetch()
	default:
		x.fail(x.decision.Reason)
	}
}

// lookup finds what is stored for the key, unless Hit just did.
func (x *exchange) lookup() (stored []*policy.Stored) {
	if t := x.o.Spans; t != nil {
		defer t.Lookup.measure()()
	}
	if w, ok := x.w.(interface{ Found() Found }); ok {
		if f := w.Found(); f.c == x.c && (f.resource == nil || f.key == x.key) {
			if x.resource = f.resource; x.resource != nil {
				stored = x.resource.Stored
			}
			return stored
		}
	}
	x.resource, stored = x.p.fetcher.LookupTraced(x.key, x.o.Trace)
	return stored
}
