package proxytest

import (
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// setup collects what config statements say.
type setup struct {
	size, maxObject int64
	maxVariants     int
	c               proxy.Config
	host, path      string // of the route
	hostMode        proxy.HostMode
	hostName        string
	base            proxy.Settings
	rules           []proxy.Rule
	mostConns       int // of one client
}

func newSetup() *setup {
	return &setup{
		size: 64 << 20, maxObject: 1 << 20, maxVariants: 64,
		c:    proxy.Config{Name: "cacheproxy", Token: "edge"},
		base: proxy.Settings{Rules: policy.DefaultRules()},
	}
}

// config makes a configuration of it, with a single route.
func (s *setup) config(o revalidate.Origin) *proxy.Config {
	c := s.c
	c.Routes = []*proxy.Route{{
		Name: "site", Host: s.host, Path: s.path, Origin: o, HostMode: s.hostMode, HostName: s.hostName,
		Base: s.base, Rules: slices.Clone(s.rules),
	}}
	return &c
}

// add reads the columns of a config statement.
func (s *setup) add(cols []string) error {
	var rule proxy.Rule
	isRule := false
	for len(cols) > 0 {
		word, rest, _ := strings.Cut(cols[0], " ")
		to := map[string]*policy.Glob{"path": &rule.Path, "host": &rule.Host, "type": &rule.Type}[word]
		if to == nil {
			break
		}
		*to, isRule, cols = policy.Glob(rest), true, cols[1:]
	}
	if !isRule {
		return s.change(cols)
	}
	var changes []func(*proxy.Settings)
	for _, col := range cols {
		change, err := settingOf(col)
		if err != nil {
			return err
		}
		changes = append(changes, change)
	}
	rule.Change = func(to *proxy.Settings) {
		for _, change := range changes {
			change(to)
		}
	}
	s.rules = append(s.rules, rule)
	return nil
}

func (s *setup) change(cols []string) error {
	for _, col := range cols {
		word, rest, _ := strings.Cut(col, " ")
		if known, err := s.global(word, rest); known || err != nil {
			if err != nil {
				return fmt.Errorf("config %s: %w", col, err)
			}
			continue
		}
		change, err := settingOf(col)
		if err != nil {
			return err
		}
		change(&s.base)
	}
	return nil
}

// global sets what is not a setting of a route.
func (s *setup) global(word, rest string) (known bool, err error) {
	switch word {
	case "size":
		s.size, err = strconv.ParseInt(rest, 10, 64)
	case "max_object":
		s.maxObject, err = strconv.ParseInt(rest, 10, 64)
	case "max_variants":
		s.maxVariants, err = strconv.Atoi(rest)
	case "x_cache_status":
		s.c.XCacheStatus = true
	case "server_timing":
		s.c.ServerTiming = true
	case "underscores":
		s.c.Underscores = true
	case "debug_token":
		s.c.DebugToken = rest
	case "debug_key":
		s.c.DebugKey = true
	case "trusted_proxies":
		for p := range strings.FieldsSeq(rest) {
			prefix, err := netip.ParsePrefix(p)
			if err != nil {
				return true, err
			}
			s.c.Trusted = append(s.c.Trusted, prefix)
		}
	case "purge_from":
		s.c.PurgeFrom = nil
		for p := range strings.FieldsSeq(rest) {
			prefix, err := netip.ParsePrefix(p)
			if err != nil {
				return true, err
			}
			s.c.PurgeFrom = append(s.c.PurgeFrom, prefix)
		}
	case "write_timeout":
		s.c.WriteTimeout, err = time.ParseDuration(rest)
	case "route_host":
		s.host = rest
	case "route_path":
		s.path = rest
	case "host_header":
		modes := map[string]proxy.HostMode{"auto": proxy.HostAuto, "client": proxy.HostClient, "origin": proxy.HostOrigin}
		mode, ok := modes[rest]
		if !ok {
			mode, s.hostName = proxy.HostFixed, rest
		}
		s.hostMode = mode
	case "profile":
		if rest != "rfc9111" {
			return true, fmt.Errorf("want rfc9111")
		}
		s.base.Rules = policy.RFC9111Rules()
	default:
		return s.limit(word, rest)
	}
	return true, err
}

// limit sets a limit on what clients may do.
func (s *setup) limit(word, rest string) (known bool, err error) {
	switch word {
	case "max_requests":
		s.c.MaxRequests, err = strconv.Atoi(rest)
	case "max_client_requests":
		s.c.MaxClientRequests, err = strconv.Atoi(rest)
	case "max_content":
		s.c.MaxContent, err = strconv.ParseInt(rest, 10, 64)
	case "content_time":
		s.c.ContentTime, err = time.ParseDuration(rest)
	case "max_conns_per_client":
		s.mostConns, err = strconv.Atoi(rest)
	case "rate_limit": // requests per second, burst, clients, field
		var o proxy.RateLimitOptions
		if _, err = fmt.Sscan(rest, &o.PerSecond, &o.Burst, &o.Clients); err != nil {
			return true, err
		}
		if words := strings.Fields(rest); len(words) > 3 {
			o.Field = words[3]
		}
		s.c.RateLimit, err = proxy.NewRateLimit(o)
	default:
		return false, nil
	}
	return true, err
}

// settingOf returns what a setting of a route or rule changes.
func settingOf(col string) (func(*proxy.Settings), error) {
	word, rest, _ := strings.Cut(col, " ")
	if d, ok := durations[word]; ok {
		v, err := time.ParseDuration(rest)
		if err != nil {
			return nil, fmt.Errorf("config %s: %w", col, err)
		}
		return func(s *proxy.Settings) { d(s, v) }, nil
	}
	words := strings.Fields(rest)
	change := map[string]func(*proxy.Settings){
		"bypass":         func(s *proxy.Settings) { s.Bypass = true },
		"keep_tags":      func(s *proxy.Settings) { s.KeepTags = true },
		"client_bypass":  func(s *proxy.Settings) { s.IgnoreClient = rest == "ignore" },
		"type_guard":     func(s *proxy.Settings) { s.TypeGuard = true },
		"set_cookie":     func(s *proxy.Settings) { s.SetCookie = cookieRules[rest] },
		"ignore_cookies": func(s *proxy.Settings) { s.IgnoreCookies = globs(words) },
		"query_drop":     func(s *proxy.Settings) { s.Query.Drop = globs(words) },
		"query_keep":     func(s *proxy.Settings) { s.Query.Keep = globs(words) },
		"query_sort":     func(s *proxy.Settings) { s.Query.Sort = true },
		"targeted":       func(s *proxy.Settings) { s.Targeted = words },
		"status_ttl":     func(s *proxy.Settings) { s.StatusTTL = statusTTL(s.StatusTTL, words) },
		"store":          func(s *proxy.Settings) { storeStatus(s, words) },
		"request_remove": func(s *proxy.Settings) { s.RequestEdit = s.RequestEdit.With(proxy.HeaderEdit{Remove: words}) },
		"request_set":    func(s *proxy.Settings) { s.RequestEdit = s.RequestEdit.With(setField(rest)) },
		"response_remove": func(s *proxy.Settings) {
			s.ResponseEdit = s.ResponseEdit.With(proxy.HeaderEdit{Remove: words})
		},
		"response_set": func(s *proxy.Settings) { s.ResponseEdit = s.ResponseEdit.With(setField(rest)) },
	}[word]
	if change == nil {
		return nil, fmt.Errorf("config: unknown setting %q", word)
	}
	return change, nil
}

var durations = map[string]func(*proxy.Settings, time.Duration){
	"ttl":                    func(s *proxy.Settings, d time.Duration) { s.TTL, s.HasTTL = d, true },
	"min_ttl":                func(s *proxy.Settings, d time.Duration) { s.MinTTL = d },
	"max_ttl":                func(s *proxy.Settings, d time.Duration) { s.MaxTTL = d },
	"stale_while_revalidate": func(s *proxy.Settings, d time.Duration) { s.GraceRevalidate = d },
	"stale_if_error":         func(s *proxy.Settings, d time.Duration) { s.GraceError = d },
}

var cookieRules = map[string]policy.CookieRule{
	"refuse": policy.RefuseCookie, "strip": policy.StripCookie, "keep": policy.KeepCookie,
}

var statusRules = map[string]policy.StatusRule{
	"never": policy.Never, "explicit": policy.Explicit, "heuristic": policy.Heuristic,
}

func globs(words []string) []policy.Glob {
	out := make([]policy.Glob, len(words))
	for i, word := range words {
		out[i] = policy.Glob(word)
	}
	return out
}

// statusTTL reads words such as 404=10s; a wrong one counts as 0s.
func statusTTL(old map[int]time.Duration, words []string) map[int]time.Duration {
	out := maps.Clone(old)
	if out == nil {
		out = make(map[int]time.Duration)
	}
	for _, word := range words {
		status, ttl, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(status)
		out[n], _ = time.ParseDuration(ttl)
	}
	return out
}

// storeStatus reads words such as 404=never.
func storeStatus(s *proxy.Settings, words []string) {
	for _, word := range words {
		status, rule, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(status)
		s.Statuses[n] = statusRules[rule]
	}
}

func setField(line string) proxy.HeaderEdit {
	name, value, _ := field(line)
	h := http.Header{}
	h.Set(name, value)
	return proxy.HeaderEdit{Set: h}
}
