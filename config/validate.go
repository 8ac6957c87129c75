package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	maxDrain = Duration(3600) * second
	maxWait  = day
	maxRules = 64 // for one route, global ones included

	maxCertificates = 256 // each is read again every few seconds
)

// Validate reports everything that is wrong with the values, each with its key,
// its file and line where they are known, and what to write instead. It resolves
// no name and opens nothing.
func (c *Config) Validate() error {
	p := &problems{src: c.src}
	c.validateOrigins(p)
	p.check("listen", checkListen(c.Listen))
	c.validateTLS(p)
	c.validateAdmin(p)
	p.check("profile", oneOf(c.Profile, profiles))
	p.check("drain_timeout", checkDuration(c.DrainTimeout, 0, maxDrain))
	c.validateCache(p)
	c.Snapshot.validate(p)
	c.validateLog(p)
	c.Tracing.validate(p)
	p.check("headers.cache_status", checkStructuredToken(c.Headers.CacheStatus))
	if c.Headers.Via != "" {
		p.check("headers.via", checkToken(c.Headers.Via))
	}
	for i, s := range c.TrustedProxies {
		_, err := parsePrefix(s)
		p.check(fmt.Sprintf("trusted_proxies[%d]", i), err)
	}
	for i, s := range c.PurgeFrom {
		_, err := parsePrefix(s)
		p.check(fmt.Sprintf("purge_from[%d]", i), err)
	}
	c.validateTimeouts(p)
	c.Limits.validate(p)
	c.RateLimit.validate(p)
	c.Retry.validate(p)
	c.Breaker.validate(p)
	c.validateUpstreams(p)
	c.validateRoutes(p)
	if n := len(c.Rules); n > maxRules {
		p.add("rules", "%d rules; at most %d are possible for one route", n, maxRules)
	}
	for i := range c.Rules {
		c.Rules[i].validate(p, fmt.Sprintf("rules[%d]", i))
	}
	return p.err()
}

// check reports err, if there is one, for the value at path.
func (p *problems) check(path string, err error) {
	if err != nil {
		p.add(path, "%s", err)
	}
}

func (c *Config) validateOrigins(p *problems) {
	if c.Origin != "" {
		p.check("origin", c.checkRouteOrigin(c.Origin))
		return
	}
	if len(c.Routes) == 0 {
		p.add("origin", "nothing to forward to; set origin (for example http://127.0.0.1:3000) or routes")
	}
}

func (c *Config) validateAdmin(p *problems) {
	p.check("admin.token", checkSecret(c.Admin.Token))
	p.check("admin.debug_token", checkSecret(c.Admin.DebugToken))
	if o := c.Admin.Objective; !(o > 0 && o < 1) {
		p.add("admin.objective", "%v is out of range; use a share of all requests above 0 and below 1, as 0.999", o)
	}
	if err := checkAdminListen(c.Admin.Listen); err != nil {
		p.check("admin.listen", err)
		return
	}
	if c.Admin.Listen == "off" {
		return
	}
	if c.Admin.Token == "" && !isLoopback(c.Admin.Listen) {
		p.add("admin.listen", "%q can be reached by others; set admin.token, or listen on 127.0.0.1", c.Admin.Listen)
	}
	if overlap(c.Listen, c.Admin.Listen) {
		p.add("admin.listen", "%q has the port of listen (%q); give them two", c.Admin.Listen, c.Listen)
	}
	if overlap(c.TLS.Listen, c.Admin.Listen) {
		p.add("admin.listen", "%q has the port of tls.listen (%q); give them two", c.Admin.Listen, c.TLS.Listen)
	}
}

func (c *Config) validateCache(p *problems) {
	p.check("cache.size", checkCacheSize(c.Cache.Size))
	if c.Cache.MaxObject < 1 {
		p.add("cache.max_object", "%s is out of range; use 1 to cache.size", c.Cache.MaxObject)
	}
	p.check("cache.engine", oneOf(c.Cache.Engine, engines))
	if e := c.Cache.SizeExponent; !(e >= 0 && e <= 1) {
		p.add("cache.size_exponent", "%v is out of range; use 0 to 1", e)
	}
	if !c.Cache.Size.isShare() && c.Cache.MaxObject > Size(c.Cache.Size) {
		p.add("cache.max_object", "%s is more than cache.size (%s); lower it or raise cache.size", c.Cache.MaxObject, c.Cache.Size)
	}
	if n := c.Cache.MaxVariants; n < 1 || n > 1024 {
		p.add("cache.max_variants", "%d is out of range; use 1 to 1024", n)
	}
}

func (c *Config) validateLog(p *problems) {
	p.check("access_log.mode", oneOf(c.AccessLog.Mode, logModes))
	p.check("access_log.format", oneOf(c.AccessLog.Format, logFormats))
	if n := c.AccessLog.Sample; n < 1 || n > 1_000_000 {
		p.add("access_log.sample", "%d is out of range; use 1 to 1000000", n)
	}
	p.check("access_log.output", checkText(c.AccessLog.Output))
}

func (c *Config) validateTimeouts(p *problems) {
	t := c.Timeouts
	p.check("timeouts.connect", checkDuration(t.Connect, second/1000, maxWait))
	p.check("timeouts.response_header", checkDuration(t.ResponseHeader, second/1000, maxWait))
	p.check("timeouts.response_body", checkDuration(t.ResponseBody, second/1000, maxWait))
	p.check("timeouts.exchange", checkDuration(t.Exchange, 0, maxWait))
	p.check("timeouts.read_header", checkDuration(t.ReadHeader, second/1000, maxWait))
	p.check("timeouts.read_body", checkDuration(t.ReadBody, second/1000, maxWait))
	p.check("timeouts.idle", checkDuration(t.Idle, second/1000, maxWait))
	p.check("timeouts.write", checkDuration(t.Write, second/1000, maxWait))
}

func (c *Config) validateRoutes(p *problems) {
	first := map[string]int{}
	for i := range c.Routes {
		r := &c.Routes[i]
		at := fmt.Sprintf("routes[%d]", i)
		r.validate(p, at)
		p.check(at+".origin", c.checkRouteOrigin(r.Origin))
		if n := len(c.Rules) + len(r.Rules); n > maxRules {
			p.add(at+".rules", "%d rules with the global ones; at most %d are possible for one route", n, maxRules)
		}
		host, path := strings.ToLower(r.Host), cmp.Or(r.Path, "/")
		if host == "" && path == "/" && c.Origin != "" {
			p.add(at, "matches everything, and so does origin; delete one of them, or give the route a host or path")
		}
		if j, again := first[host+" "+path]; again {
			p.add(at, "same host and path as routes[%d]; delete one of them", j)
			continue
		}
		first[host+" "+path] = i
	}
}

func (r *Route) validate(p *problems, at string) {
	if r.Host != "" {
		p.check(at+".host", checkRouteHost(r.Host))
	}
	if r.Path != "" {
		p.check(at+".path", checkRoutePath(r.Path))
	}
	if !slices.Contains([]string{"", "auto", "client", "origin"}, r.HostHeader) {
		p.check(at+".host_header", checkHostHeader(r.HostHeader))
	}
	for i := range r.Rules {
		r.Rules[i].validate(p, fmt.Sprintf("%s.rules[%d]", at, i))
	}
}

// checkRouteOrigin accepts the URL of an origin, or the name of an upstream.
func (c *Config) checkRouteOrigin(s string) error {
	if !isUpstreamName(s) {
		return checkOrigin(s)
	}
	var names []string
	for _, u := range c.Upstreams {
		if u.Name == s {
			return nil
		}
		names = append(names, u.Name)
	}
	if len(names) == 0 {
		return checkOrigin(s)
	}
	if near := closest(s, names); near != "" {
		return fmt.Errorf("no upstream is named %q; did you mean %s?", s, near)
	}
	return fmt.Errorf("no upstream is named %q; there are %s", s, strings.Join(names, ", "))
}

func checkRouteHost(s string) error {
	if err := checkHost(strings.TrimPrefix(s, "*.")); err != nil {
		return fmt.Errorf("%q is not a host; write shop.example.com or *.example.com, without scheme and port", s)
	}
	return nil
}

func checkRoutePath(s string) error {
	if !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%q does not begin with /; write /%s", s, s)
	}
	if strings.ContainsAny(s, "?#*") {
		return fmt.Errorf("%q must be a plain prefix without * ? #; globs belong into match of a rule", s)
	}
	if err := checkCleaned(s); err != nil {
		return err
	}
	return checkText(s)
}

// checkHostHeader accepts a literal host with an optional port.
func checkHostHeader(s string) error {
	if checkHost(s) == nil && !strings.Contains(s, ":") {
		return nil
	}
	if checkOrigin("http://"+s) == nil && !strings.HasSuffix(s, "/") {
		return nil
	}
	return fmt.Errorf("%q is not a host; write auto, client, origin, or a host such as www.example.com", s)
}
