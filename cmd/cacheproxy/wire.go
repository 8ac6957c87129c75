package main

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"cacheproxy/config"
	"cacheproxy/origin/upstream"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/telemetry"
)

// wiring is what the proxy works with, made from a configuration.
type wiring struct {
	proxy   *proxy.Config
	origins origins
	named   map[string]*upstream.Upstream // the same, as routes name them
	share   float64                       // of budget
	budget  *upstream.Budget              // of retries
	tracing *telemetry.Tracing
	log     *slog.Logger
}

// wire turns the configuration into what the proxy works with. What stays as it was
// is taken over from old.
func wire(c config.Config, token string, old *wiring) (_ *wiring, err error) {
	if old == nil {
		old = &wiring{proxy: &proxy.Config{}, log: slog.New(slog.DiscardHandler)}
	}
	w := &wiring{
		origins: make(origins), named: make(map[string]*upstream.Upstream),
		share: c.Retry.Budget, budget: old.budget, tracing: old.tracing, log: old.log,
	}
	if w.budget == nil || w.share != old.share {
		w.budget = newBudget(c.Retry)
	}
	defer func() {
		if err != nil {
			w.origins.closeOthers(old.origins)
		}
	}()
	w.proxy = &proxy.Config{
		Name: c.Headers.CacheStatus, Token: token,
		XCacheStatus: c.Headers.XCacheStatus, DebugKey: c.Headers.DebugKey, ServerTiming: c.Headers.ServerTiming, Underscores: c.Headers.Underscores, DebugToken: c.Admin.DebugToken,
		Trusted: c.TrustedPrefixes(), PurgeFrom: c.PurgePrefixes(), WriteTimeout: time.Duration(c.Timeouts.Write),
		MaxRequests: c.Limits.Requests, MaxClientRequests: c.Limits.ClientRequests,
		MaxContent: int64(c.Limits.RequestBody), ContentTime: time.Duration(c.Timeouts.ReadBody),
	}
	if w.tracing != nil {
		w.proxy.Place = w.tracing.Place
	}
	if c.Headers.Via != "" {
		w.proxy.Token = c.Headers.Via
	}
	if w.proxy.RateLimit, err = rateLimit(c.RateLimit, old.proxy.RateLimit); err != nil {
		return nil, err
	}
	for _, r := range c.AllRoutes() {
		u, err := w.upstream(c, r.Origin, old.origins)
		if err != nil {
			return nil, err
		}
		w.named[r.Origin] = u
		w.proxy.Routes = append(w.proxy.Routes, newRoute(c, r, u))
	}
	return w, nil
}

// rateLimit returns the limit in use where it stays as it is, so that no client's
// account is forgotten.
func rateLimit(r config.RateLimit, old *proxy.RateLimit) (*proxy.RateLimit, error) {
	if r.Rate == 0 {
		return nil, nil
	}
	o := proxy.RateLimitOptions{PerSecond: r.Rate, Burst: r.Burst, Clients: r.Clients}
	if r.By != "address" {
		o.Field = http.CanonicalHeaderKey(r.By)
	}
	if old != nil && old.Options() == o {
		return old, nil
	}
	return proxy.NewRateLimit(o)
}

func newRoute(c config.Config, r config.Route, o *upstream.Upstream) *proxy.Route {
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
	set(&s.TypeGuard, r.TypeGuard)
	for status, word := range r.Store {
		s.Statuses[status] = statusRules[word]
	}
	if r.SetCookie != nil {
		s.SetCookie = cookieRules[*r.SetCookie]
	}
	if r.Targeted != nil {
		s.Targeted = canonical(r.Targeted)
	}
	if t := r.Tags; t != nil {
		if t.Fields != nil {
			s.TagFields = tagFields(t.Fields)
		}
		set(&s.KeepTags, t.Keep)
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

// tagFields are fields with the separators that they are known to have.
func tagFields(names []string) []policy.TagField {
	out := make([]policy.TagField, len(names))
	for i, name := range canonical(names) {
		out[i] = policy.TagField{Name: name, Separators: ","}
		for _, known := range policy.DefaultTagFields() {
			if known.Name == name {
				out[i] = known
			}
		}
	}
	return out
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
