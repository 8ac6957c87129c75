package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"cacheproxy/config"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// origins keeps the origins in use by their URL, so that a reload keeps their
// connections.
type origins map[string]*origin.Origin

// proxyConfig turns the configuration into what the proxy works with. Origins
// of old are taken over; the new set is returned.
func proxyConfig(c config.Config, token string, old origins) (*proxy.Config, origins, error) {
	out := &proxy.Config{
		Name: c.Headers.CacheStatus, Token: token,
		XCacheStatus: c.Headers.XCacheStatus, DebugKey: c.Headers.DebugKey,
		Trusted: c.TrustedPrefixes(), WriteTimeout: time.Duration(c.Timeouts.Write),
	}
	if c.Headers.Via != "" {
		out.Token = c.Headers.Via
	}
	used := make(origins)
	for _, r := range c.AllRoutes() {
		key := fmt.Sprint(r.Origin, c.Timeouts)
		o := old[key]
		if o == nil {
			var err error
			if o, err = newOrigin(r.Origin, c.Timeouts); err != nil {
				return nil, nil, err
			}
		}
		used[key] = o
		out.Routes = append(out.Routes, newRoute(c, r, o))
	}
	return out, used, nil
}

func newOrigin(url string, t config.Timeouts) (*origin.Origin, error) {
	return origin.New(url, origin.Options{
		Connect:        time.Duration(t.Connect),
		ResponseHeader: time.Duration(t.ResponseHeader),
		Body:           time.Duration(t.ResponseBody),
		Idle:           time.Duration(t.Idle),
	})
}

func newRoute(c config.Config, r config.Route, o *origin.Origin) *proxy.Route {
	route := &proxy.Route{
		Name: r.Host + r.Path, Host: r.Host, Path: r.Path, Origin: o,
		Base: proxy.Settings{Rules: policy.DefaultRules()},
	}
	if c.Profile == "rfc9111" {
		route.Base.Rules = policy.RFC9111Rules()
	}
	switch r.HostHeader {
	case "auto":
		route.HostMode = proxy.HostAuto
	case "client":
		route.HostMode = proxy.HostClient
	case "origin":
		route.HostMode = proxy.HostOrigin
	default:
		route.HostMode, route.HostName = proxy.HostFixed, r.HostHeader
	}
	for _, rule := range slices.Concat(c.Rules, r.Rules) {
		route.Rules = append(route.Rules, newRule(rule))
	}
	return route
}

func newRule(r config.Rule) proxy.Rule {
	return proxy.Rule{
		Path: policy.Glob(r.Match.Path), Host: policy.Glob(strings.ToLower(r.Match.Host)), Type: policy.Glob(strings.ToLower(r.Match.Type)),
		Change: func(s *proxy.Settings) {
			changeStoring(s, &r)
			changeLifetimes(s, &r)
			changeRequests(s, &r)
		},
	}
}

// changeStoring applies what a rule says about what is stored.
func changeStoring(s *proxy.Settings, r *config.Rule) {
	set(&s.Bypass, r.Bypass)
	for status, word := range r.Store {
		s.Statuses[status] = statusRules[word]
	}
	if r.SetCookie != nil {
		s.SetCookie = cookieRules[*r.SetCookie]
	}
	if r.Targeted != nil {
		s.Targeted = canonical(r.Targeted)
	}
	if r.ResponseHeaders != nil {
		s.ResponseEdit = s.ResponseEdit.With(headerEdit(r.ResponseHeaders))
	}
}

// changeLifetimes applies what a rule says about freshness and staleness.
func changeLifetimes(s *proxy.Settings, r *config.Rule) {
	if r.TTL != nil {
		s.TTL, s.HasTTL = time.Duration(*r.TTL), true
	}
	set(&s.MinTTL, duration(r.MinTTL))
	set(&s.MaxTTL, duration(r.MaxTTL))
	set(&s.GraceRevalidate, duration(r.StaleWhileRevalidate))
	set(&s.GraceError, duration(r.StaleIfError))
	if h := r.Heuristic; h != nil {
		set(&s.HeuristicFraction, h.Fraction)
		set(&s.HeuristicMax, duration(h.Max))
	}
	if len(r.StatusTTL) > 0 {
		ttl := make(map[int]time.Duration, len(s.StatusTTL)+len(r.StatusTTL))
		maps.Copy(ttl, s.StatusTTL)
		for status, d := range r.StatusTTL {
			ttl[status] = time.Duration(d)
		}
		s.StatusTTL = ttl
	}
}

// changeRequests applies what a rule says about requests.
func changeRequests(s *proxy.Settings, r *config.Rule) {
	if r.IgnoreCookies != nil {
		s.IgnoreCookies = globs(r.IgnoreCookies)
	}
	if q := r.Query; q != nil {
		if q.Drop != nil {
			s.Query.Drop, s.Query.Keep = globs(q.Drop), nil
		}
		if q.Keep != nil {
			s.Query.Drop, s.Query.Keep = nil, globs(q.Keep)
		}
		set(&s.Query.Sort, q.Sort)
	}
	if r.RequestHeaders != nil {
		s.RequestEdit = s.RequestEdit.With(headerEdit(r.RequestHeaders))
	}
	if r.ClientBypass != nil {
		s.IgnoreClient = *r.ClientBypass == "ignore"
	}
}

var (
	statusRules = map[string]policy.StatusRule{"never": policy.Never, "explicit": policy.Explicit, "heuristic": policy.Heuristic}
	cookieRules = map[string]policy.CookieRule{"refuse": policy.RefuseCookie, "strip": policy.StripCookie, "keep": policy.KeepCookie}
)

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func duration(d *config.Duration) *time.Duration { return (*time.Duration)(d) }

func globs(patterns []string) []policy.Glob {
	out := make([]policy.Glob, len(patterns))
	for i, p := range patterns {
		out[i] = policy.Glob(p)
	}
	return out
}

func canonical(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = http.CanonicalHeaderKey(n)
	}
	return out
}

func headerEdit(e *config.HeaderEdit) proxy.HeaderEdit {
	out := proxy.HeaderEdit{Remove: e.Remove, Set: http.Header{}}
	for name, value := range e.Set {
		out.Set.Set(name, value)
	}
	return out
}
