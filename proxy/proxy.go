package proxy

import (
	"net/http"
	"net/url"
	"strings"
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

// Config returns the configuration in use, which must not be changed.
func (p *Proxy) Config() *Config { return p.config.Load() }

// exchange is one request on its way through the proxy.
type exchange struct {
	p *Proxy
	c *Config
	w http.ResponseWriter
	r *http.Request
	o Outcome

	route    *Route
	settings *Settings
	target   *url.URL // as the client sees it, with the query as it is forwarded
	facts    *policy.Request
	key      string
	resource *revalidate.Resource
	decision policy.Decision
}

// ServeHTTP answers a request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{p: p, c: p.config.Load(), w: w, r: r}
	x.o = Outcome{
		Start: time.Now(), Method: r.Method, Host: r.Host, URI: r.RequestURI, Proto: r.Proto,
		Remote: r.RemoteAddr, Referer: r.Referer(), UserAgent: r.UserAgent(),
	}
	x.o.RequestID = x.requestID()
	defer x.emit()
	x.serve()
}

// emit reports the outcome; a panic of the handler (a body that broke off)
// goes on its way.
func (x *exchange) emit() {
	x.o.Duration = time.Since(x.o.Start)
	x.p.observe(&x.o)
}

func (x *exchange) serve() {
	if why := x.accept(); why != policy.ReasonNone {
		x.fail(why)
		return
	}
	if x.lastHop() {
		x.answerOptions()
		return
	}
	if why := policy.Passes(x.facts, &x.settings.Rules); why != policy.ReasonNone {
		x.o.Action, x.o.Reason = policy.Pass, why
		x.pass()
		return
	}
	var stored []*policy.Stored
	x.resource, stored = x.p.fetcher.Lookup(x.key)
	now := time.Now()
	x.decision = policy.Judge(x.facts, stored, now)
	x.o.Action, x.o.Reason = x.decision.Action, x.decision.Reason
	switch x.decision.Action {
	case policy.Serve, policy.ServeStale:
		e := x.resource.Entries[x.decision.Index]
		if x.decision.Refresh {
			x.p.fetcher.Refresh(x.refreshJob())
		}
		x.serveEntry(e, now)
	case policy.Validate, policy.Fetch:
		x.fetch()
	default:
		x.fail(x.decision.Reason)
	}
}

// accept finds out what the request is about, or why it cannot be served.
func (x *exchange) accept() policy.Reason {
	r := x.r
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return policy.MethodNotAllowed
	}
	if r.RequestURI == "*" && r.Method != http.MethodOptions { // RFC 9112, 3.2.4
		return policy.BadRequest
	}
	if x.looped() {
		return policy.Loop
	}
	host := strings.ToLower(r.Host)
	name := hostOnly(host)
	x.route = x.c.route(name, r.URL.Path)
	if x.route == nil {
		return policy.NoRoute
	}
	x.o.Route = x.route.Name
	x.settings = x.route.settings(name, r.URL.Path, "")
	x.target = &url.URL{
		Scheme: "http", Host: host, Path: r.URL.Path, RawPath: r.URL.RawPath,
		RawQuery: x.settings.Query.Apply(r.URL.RawQuery), ForceQuery: r.URL.ForceQuery,
	}
	if r.TLS != nil {
		x.target.Scheme = "https"
	}
	x.key = policy.Key(x.target)
	x.o.Key = x.key
	dropCookies(r.Header, x.settings.IgnoreCookies)
	x.facts = policy.NewRequest(r.Method, r.Header)
	x.facts.Body = r.ContentLength != 0
	x.facts.Upgrade = r.Header.Get("Upgrade") != "" && headerHas(r.Header["Connection"], "upgrade")
	if x.settings.IgnoreClient {
		x.facts.Directives = x.facts.Directives.WithoutDemands()
	}
	return policy.ReasonNone
}

// hostOnly returns a host without its port.
func hostOnly(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}

// headerHas reports whether a comma-separated field has a member.
func headerHas(lines []string, member string) bool {
	for _, line := range lines {
		for m := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(m), member) {
				return true
			}
		}
	}
	return false
}
