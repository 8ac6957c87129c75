package proxy

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"cacheproxy/lint"
	"cacheproxy/policy"
	"cacheproxy/purge"
	"cacheproxy/revalidate"
)

// Settings are what the rules of a route come to for one request.
type Settings struct {
	policy.Rules
	IgnoreCookies []policy.Glob
	Query         policy.QueryRules
	RequestEdit   HeaderEdit
	ResponseEdit  HeaderEdit
}

// HeaderEdit removes and sets header fields; it removes first.
type HeaderEdit struct {
	Remove []string
	Set    http.Header
}

// With returns the edit followed by another one.
func (e HeaderEdit) With(o HeaderEdit) HeaderEdit {
	out := HeaderEdit{Remove: slices.Concat(e.Remove, o.Remove), Set: http.Header{}}
	for name, lines := range e.Set {
		if !slices.ContainsFunc(o.Remove, func(r string) bool { return strings.EqualFold(r, name) }) {
			out.Set[name] = lines
		}
	}
	for name, lines := range o.Set {
		out.Set[name] = lines
	}
	return out
}

func (e *HeaderEdit) apply(h http.Header) {
	for _, name := range e.Remove {
		h.Del(name)
	}
	for name, lines := range e.Set {
		h[name] = slices.Clone(lines)
	}
}

// Rule changes the settings of the requests and responses that it matches.
type Rule struct {
	Path, Host policy.Glob // of the cleaned path, and of the host without port; empty = any
	Type       policy.Glob // of the response's Content-Type; empty = any
	Change     func(*Settings)
}

// MostRules is the largest number of rules of one route.
const MostRules = 64

// HostMode says which Host an origin gets.
type HostMode uint8

// The host modes.
const (
	HostAuto   HostMode = iota // the client's for http origins, the origin's own for https
	HostClient                 // the client's
	HostOrigin                 // the origin's own
	HostFixed                  // Route.HostName
)

// Route sends requests for a host and path prefix to an origin.
type Route struct {
	Name     string // in logs and metrics
	Host     string // exact, or *.suffix, or empty for any
	Path     string // prefix of the cleaned path; empty or / for any
	Origin   revalidate.Origin
	HostMode HostMode
	HostName string
	Base     Settings // before any rule
	Rules    []Rule   // at most MostRules; all that match apply in order

	mu     sync.RWMutex
	merged map[uint64]*Settings // by the set of rules that match
}

// settings returns what the rules come to that match a host and path and, if
// it is known, a content type.
func (r *Route) settings(host, path, contentType string) *Settings {
	var set uint64
	for i := range r.Rules {
		rule := &r.Rules[i]
		if (rule.Path == "" || rule.Path.Match(path)) && (rule.Host == "" || rule.Host.Match(host)) &&
			(rule.Type == "" || contentType != "" && rule.Type.Match(contentType)) {
			set |= 1 << i
		}
	}
	if set == 0 {
		return &r.Base
	}
	r.mu.RLock()
	s := r.merged[set]
	r.mu.RUnlock()
	if s == nil {
		s = r.merge(set)
	}
	return s
}

func (r *Route) merge(set uint64) *Settings {
	s := r.Base
	for i := range r.Rules {
		if set&(1<<i) != 0 {
			r.Rules[i].Change(&s)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.merged == nil {
		r.merged = make(map[uint64]*Settings)
	}
	r.merged[set] = &s
	return &s
}

// hasTypeRules reports whether a response's content type may change the settings.
func (r *Route) hasTypeRules() bool {
	return slices.ContainsFunc(r.Rules, func(rule Rule) bool { return rule.Type != "" })
}

// Config is what a proxy can be told anew while it runs. It must not be
// changed once it is in use.
type Config struct {
	Routes       []*Route          // the first that matches counts
	Name         string            // in Cache-Status (RFC 9211)
	Token        string            // pseudonym in Via, CDN-Loop and Proxy-Status; a request that bears it is a loop
	XCacheStatus bool              // also send X-Cache-Status
	DebugKey     bool              // put the key into Cache-Status
	ServerTiming bool              // also send Server-Timing; see Outcome.serverTiming
	DebugToken   string            // who sends it in DebugField gets key and trace in the response; empty = nobody
	PurgeFrom    []netip.Prefix    // clients that may PURGE
	OnPurge      func(purge.Audit) // hears of every purge when it is counted, and must be quick; may be nil
	Trusted      []netip.Prefix    // peers whose word about their clients is believed
	WriteTimeout time.Duration     // a client that takes nothing of a large body for so long is dropped; 0 = never

	// Underscores has request fields passed on whose names have one. Otherwise they are
	// dropped, but count where a Vary names them.
	Underscores bool

	// OnMarks hears of the marks of every purge when they are in force, before Purge
	// returns, and must be quick; may be nil.
	OnMarks func([]purge.Mark)

	// MaxRequests is how many requests at once may wait for an origin or be
	// answered by one; the next is answered 503 at once, or with a stale response. One
	// whose client has left counts until its fetch has ended. Answers from the store
	// do not count, and connections that were upgraded to another protocol do not any
	// more. 0 = any number.
	MaxRequests int
	// MaxClientRequests is how many of these one client may have: an IPv4 address, or
	// an IPv6 network of 64 bits. Peers in Trusted, and those on this machine, may have
	// any number. 0 = any number.
	MaxClientRequests int
	// MaxContent is how many bytes of content a request may have; more is answered
	// 413. 0 = any number.
	MaxContent int64
	// ContentTime is how long a client may take to send 64 KiB of its request's
	// content, or the rest of it; then it is answered 408. Time in which the origin
	// takes nothing does not count. 0 = any.
	ContentTime time.Duration
	// RateLimit bounds how often each client may ask; nil = any.
	RateLimit *RateLimit
	// Lint looks at every response of an origin, before it is edited; nil = nobody.
	Lint *lint.Linter
	// Place gives a request its place in a trace, from its traceparent and
	// tracestate, empty without; trusted: the word of the peer is believed. nil = no
	// request has one, and both fields are passed on as they came.
	Place func(parent, state string, trusted bool) Spans
}

// route returns the first route that matches a host and path, or nil.
func (c *Config) route(host, path string) *Route {
	for _, r := range c.Routes {
		if hostMatches(r.Host, host) && strings.HasPrefix(path, r.Path) {
			return r
		}
	}
	return nil
}

func hostMatches(pattern, host string) bool {
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return len(host) > len(suffix) && strings.HasSuffix(host, suffix)
	}
	return pattern == "" || pattern == host
}
