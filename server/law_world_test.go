package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// side is a whole proxy before an origin of its own: one with the lane, and one
// without.
type side struct {
	origin  *lawOrigin
	store   cache.Store[revalidate.Kept]
	fetcher *revalidate.Fetcher
	proxy   *proxy.Proxy
	server  *Server
	kept    map[string]revalidate.Kept // what fill has stored
	state   storeState
	quiet   atomic.Bool // outcomes are not written down

	running         sync.WaitGroup // handlers
	hits, own, lent atomic.Int64   // requests by who answered: the lane from the store, its exchange, net/http

	mu       sync.Mutex
	outcomes []outcome
}

// storeState is what is in a store: what was put there, or that and more.
type storeState uint8

const (
	used storeState = iota
	filled
	emptied
)

// outcome is one, written down, and what is needed to read its answer.
type outcome struct {
	method, id, text string
}

// lawConfig is a configuration under which the law must hold.
type lawConfig struct {
	name   string
	config func(revalidate.Origin) *proxy.Config
}

var lawConfigs = []lawConfig{
	{"plain", plainConfig},
	{"rules", rulesConfig},
	{"trusting", trustingConfig},
}

func plainConfig(o revalidate.Origin) *proxy.Config {
	return &proxy.Config{
		Name: "cacheproxy", Token: "edge",
		Routes: []*proxy.Route{{Name: "all", Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}
}

// rulesConfig has routes by host and path, and every kind of rule.
func rulesConfig(o revalidate.Origin) *proxy.Config {
	base := proxy.Settings{Rules: policy.DefaultRules()}
	rules := []proxy.Rule{
		{Path: "/fresh", Change: func(s *proxy.Settings) {
			s.Query = policy.QueryRules{Drop: []policy.Glob{"utm_*", "a b"}, Sort: true}
		}},
		{Path: "/gz", Change: func(s *proxy.Settings) { s.Query.Keep = []policy.Glob{"q"} }},
		{Path: "/cookie", Change: func(s *proxy.Settings) { s.IgnoreCookies = []policy.Glob{"_ga*"} }},
		{Path: "/control", Change: func(s *proxy.Settings) { s.IgnoreClient = true }},
		{Path: "/pragma", Change: func(s *proxy.Settings) { s.IgnoreClient = true }},
		{Path: "/missing", Change: func(s *proxy.Settings) { s.IgnoreClient, s.Query.Keep = true, []policy.Glob{} }},
		{Path: "/unasked", Change: func(s *proxy.Settings) { s.Bypass = true }},
		{Host: "pass.example", Change: func(s *proxy.Settings) { s.Bypass = true }},
		{Path: "/swr", Change: func(s *proxy.Settings) { s.GraceRevalidate = time.Hour }},
		{Type: "text/*", Change: func(s *proxy.Settings) {
			s.ResponseEdit = proxy.HeaderEdit{Remove: []string{"Last-Modified"}, Set: http.Header{"X-Edited": {"yes"}, "A-Edited": {""}}}
		}},
		{Path: "/odd", Change: func(s *proxy.Settings) {
			s.RequestEdit = proxy.HeaderEdit{Remove: []string{"User-Agent"}, Set: http.Header{"X-Asked": {"by rule"}}}
		}},
	}
	return &proxy.Config{
		Name: "edge-1", Token: "edge", XCacheStatus: true, DebugKey: true, WriteTimeout: time.Minute,
		Routes: []*proxy.Route{
			{Name: "api", Host: "a.example", Path: "/api/", Origin: o, Base: base},
			{Name: "fixed", Host: "b.example", Origin: o, Base: base, HostMode: proxy.HostFixed, HostName: "inner.test"},
			{Name: "a", Host: "a.example", Origin: o, Base: base, Rules: rules},
			{Name: "below", Host: "*.example", Path: "/", Origin: o, Base: base, Rules: rules, HostMode: proxy.HostOrigin},
		},
	}
}

// trustingConfig believes its peers, and stores all that the RFCs allow.
func trustingConfig(o revalidate.Origin) *proxy.Config {
	c := plainConfig(o)
	c.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	c.Routes[0].Base.Rules = policy.RFC9111Rules()
	c.XCacheStatus = true
	return c
}

// newSide starts a proxy, with the lane or without.
func newSide(t testing.TB, lc lawConfig, lane bool, ln net.Listener, secure *tls.Config) *side {
	s := &side{origin: &lawOrigin{}}
	var err error
	s.store, err = cache.New[revalidate.Kept](cache.Options{MaxCost: 64 << 20})
	require.NoError(t, err)
	s.fetcher = revalidate.New(revalidate.Options{Store: s.store, MaxObject: 1 << 20, MaxVariants: 16})
	s.proxy = proxy.New(s.fetcher, lc.config(s.origin), s.observe)
	s.server = New(ln, Options{Handler: s, Hit: s.hit, Refuse: s.proxy.Refuse, NoLane: !lane, TLS: secure})
	served := make(chan error, 1)
	go func() { served <- s.server.Serve() }()
	t.Cleanup(func() {
		s.server.Close()
		require.NoError(t, <-served)
		s.fetcher.Close()
		require.NoError(t, s.store.Close())
	})
	s.fill()
	return s
}

// ServeHTTP answers as the proxy does. How soon it is seen that a client has
// left is a matter of time, so that it is kept from the proxy. Flights end
// before the next request is read.
func (s *side) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, ok := w.(*response); ok {
		s.own.Add(1)
	} else {
		s.lent.Add(1)
	}
	s.running.Add(1)
	defer s.running.Done()
	defer s.untilLanded()
	s.proxy.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
}

func (s *side) hit(h *proxy.Head, r *proxy.Reply) bool {
	ok := s.proxy.Hit(h, r)
	if ok {
		s.hits.Add(1)
	}
	return ok
}

func (s *side) untilLanded() {
	for s.fetcher.Stats().Running > 0 {
		runtime.Gosched()
	}
}

// observe writes outcomes down but for times and ports.
func (s *side) observe(o *proxy.Outcome) {
	if s.quiet.Load() {
		return
	}
	host, _, _ := net.SplitHostPort(o.Remote)
	text := fmt.Sprintf("%s/%s refused=%s %s %s%s %s from=%s referer=%q agent=%q route=%s key=%s status=%d/%d stored=%t collapsed=%t aborted=%t ttl=%t bytes=%d/%d",
		o.Action, o.Reason, o.Refused, o.Method, o.Host, o.URI, o.Proto, host, o.Referer, o.UserAgent, o.Route, o.Key,
		o.Status, o.FwdStatus, o.Stored, o.Collapsed, o.Aborted, o.HasTTL, o.Bytes, o.FromCache)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes = append(s.outcomes, outcome{strings.Clone(o.Method), strings.Clone(o.RequestID), text})
}

func (s *side) take() []outcome {
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	outcomes := s.outcomes
	s.outcomes = nil
	return outcomes
}

// warmed are the requests that fill the store, as lines of path and fields.
var warmed = []string{
	"/fresh", "/fresh?a=1&b=2", "/fresh?", "/fresh?x", "/fresh//", "/a%20b", "/", "/api/x", "/large", "/middle", "/full", "/empty", "/none", "/chunked",
	"/gz", "/gz\nAccept-Encoding: gzip", "/gz?q=1", "/lang\nAccept-Language: en", "/lang\nAccept-Language: de", "/lang",
	"/cookie", "/cookie\nCookie: a=1", "/agent\nUser-Agent: x", "/control", "/pragma", "/hosts",
	"/missing", "/moved", "/gone", "/odd299", "/nocache", "/check", "/must", "/old", "/forever", "/swr", "/sie", "/odd",
	"/cookies", "/hidden", "HEAD /headonly", "HEAD /headgz\nAccept-Encoding: gzip",
}

// fill fills the store through the handler, and notes what is in it.
func (s *side) fill() {
	s.origin.warm(true)
	for _, host := range []string{"a.example", "x.example"} {
		for _, line := range warmed {
			line, fields, _ := strings.Cut(line, "\n")
			method, target, ok := strings.Cut(line, " ")
			if !ok {
				method, target = http.MethodGet, line
			}
			r, err := http.NewRequest(method, "http://"+host+target, nil)
			if err != nil {
				panic(err)
			}
			if name, value, ok := strings.Cut(fields, ": "); ok {
				r.Header.Set(name, value)
			}
			r.RequestURI, r.RemoteAddr = target, "127.0.0.1:1"
			s.ServeHTTP(discarded{}, r)
		}
	}
	s.origin.warm(false)
	s.origin.take()
	s.take()
	s.lent.Store(0)
	s.kept = make(map[string]revalidate.Kept)
	s.store.Range(func(key string, v revalidate.Kept, _ int64) bool {
		s.kept[key] = v
		return true
	})
}

// discarded is the answer to a request that fills the store.
type discarded http.Header

func (discarded) Header() http.Header         { return make(http.Header) }
func (discarded) Write(p []byte) (int, error) { return len(p), nil }
func (discarded) WriteHeader(int)             {}
func (discarded) Flush()                      {}

// reset brings the store back to what fill left in it, or to nothing.
func (s *side) reset(warm bool) {
	want := emptied
	if warm {
		want = filled
	}
	if s.state == want {
		return
	}
	s.state = want
	s.store.Range(func(key string, v revalidate.Kept, _ int64) bool {
		if !warm || s.kept[key] != v {
			s.store.Delete(key)
		}
		return true
	})
	if !warm {
		return
	}
	for key, v := range s.kept {
		if _, ok := s.store.Get(key); !ok {
			s.store.Set(key, v, 1<<10, 0)
		}
	}
}
