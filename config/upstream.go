package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Upstream is an origin with several targets, or with more to be said about it
// than its URL. Routes name it.
type Upstream struct {
	Name    string    `yaml:"name"`
	Targets []Target  `yaml:"targets"`
	Balance string    `yaml:"balance"`
	HTTP2   *bool     `yaml:"http2"`
	TLS     OriginTLS `yaml:"tls"`
	Health  Health    `yaml:"health"`
}

// Target is one server of an upstream.
type Target struct {
	URL    string `yaml:"url"`
	Weight int    `yaml:"weight"`
	Backup bool   `yaml:"backup"`
}

// OriginTLS is how the targets of scheme https are spoken to. All of it may be
// empty.
type OriginTLS struct {
	ServerName string `yaml:"server_name"`
	CA         string `yaml:"ca"`
	Cert       string `yaml:"cert"`
	Key        string `yaml:"key"`
	Verify     *bool  `yaml:"verify"`
}

// Health is how targets are checked; without a path they are not.
type Health struct {
	Path     string   `yaml:"path"`
	Host     string   `yaml:"host"`
	Interval Duration `yaml:"interval"`
	Timeout  Duration `yaml:"timeout"`
	Status   []string `yaml:"status"`
	Rise     int      `yaml:"rise"`
	Fall     int      `yaml:"fall"`
}

// WithDefaults returns the checks with every value set, but for the host.
func (h Health) WithDefaults() Health {
	set := func(d *Duration, to Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&h.Interval, 5*second)
	set(&h.Timeout, 2*second)
	if h.Status == nil {
		h.Status = []string{"200-399"}
	}
	if h.Rise == 0 {
		h.Rise = 2
	}
	if h.Fall == 0 {
		h.Fall = 3
	}
	return h
}

// StatusRange is a range of status codes, both ends included.
type StatusRange struct{ First, Last int }

// Statuses returns Status parsed. Entries that Validate refuses are left out.
func (h Health) Statuses() (ranges []StatusRange) {
	for _, s := range h.Status {
		if r, err := parseStatusRange(s); err == nil {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

func parseStatusRange(s string) (StatusRange, error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(last)
	if errA != nil || errB != nil || a < 200 || b > 599 || a > b {
		return StatusRange{}, fmt.Errorf("%q is no status from 200 to 599, and no range of them; write for example 204 or 200-399", s)
	}
	return StatusRange{a, b}, nil
}

// Upstream returns the upstream of an origin as routes name it: one of the list,
// or one made of the URL.
func (c Config) Upstream(origin string) Upstream {
	for _, u := range c.Upstreams {
		if u.Name == origin {
			return u
		}
	}
	return Upstream{Name: origin, Targets: []Target{{URL: origin}}}
}

var balances = []string{"round_robin", "least_requests", "hash"}

func (c *Config) validateUpstreams(p *problems) {
	first := map[string]int{}
	for i := range c.Upstreams {
		u := &c.Upstreams[i]
		at := fmt.Sprintf("upstreams[%d]", i)
		if !isUpstreamName(u.Name) {
			p.add(at+".name", "%q is not a name; begin with a letter and use letters, digits, - and _ only", u.Name)
		} else if j, again := first[u.Name]; again {
			p.add(at+".name", "same name as upstreams[%d]; give it another", j)
		} else {
			first[u.Name] = i
		}
		u.validate(p, at)
	}
}

func isUpstreamName(s string) bool {
	letter := s != "" && (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z')
	return letter && strings.Trim(s, hostLetters) == "" && len(s) <= 64
}

func (u *Upstream) validate(p *problems, at string) {
	if len(u.Targets) == 0 {
		p.add(at+".targets", "there is none; write for example targets: [{url: http://127.0.0.1:3000}]")
	}
	if n := len(u.Targets); n > maxTargets {
		p.add(at+".targets", "%d targets; at most %d are possible", n, maxTargets)
	}
	backups, secure := 0, false
	seen := map[string]bool{}
	for i, t := range u.Targets {
		here := fmt.Sprintf("%s.targets[%d]", at, i)
		p.check(here+".url", checkOrigin(t.URL))
		if seen[t.URL] {
			p.add(here+".url", "%q is in the list twice; give one of them more weight instead", t.URL)
		}
		seen[t.URL] = true
		if t.Weight < 0 || t.Weight > 1000 {
			p.add(here+".weight", "%d is out of range; use 1 to 1000", t.Weight)
		}
		secure = secure || strings.HasPrefix(t.URL, "https:")
		if t.Backup {
			backups++
		}
	}
	if backups > 0 && backups == len(u.Targets) {
		p.add(at+".targets", "all are backups; at least one must not be")
	}
	if u.Balance != "" {
		p.check(at+".balance", oneOf(u.Balance, balances))
	}
	u.TLS.validate(p, at+".tls", secure)
	u.Health.validate(p, at+".health")
}

const maxTargets = 256

func (t *OriginTLS) validate(p *problems, at string, used bool) {
	if *t == (OriginTLS{}) {
		return
	}
	if !used {
		p.add(at, "is of no use: no target has the scheme https")
	}
	if t.ServerName != "" {
		p.check(at+".server_name", checkHost(t.ServerName))
	}
	for _, f := range []struct{ key, file string }{{"ca", t.CA}, {"cert", t.Cert}, {"key", t.Key}} {
		if f.file != "" {
			p.check(at+"."+f.key, checkText(f.file))
		}
	}
	switch {
	case t.Cert != "" && t.Key == "":
		p.add(at+".key", "is missing; name the file with the key of tls.cert, which may be the same one")
	case t.Key != "" && t.Cert == "":
		p.add(at+".cert", "is missing; name the file with the certificate for tls.key")
	}
}

func (h *Health) validate(p *problems, at string) {
	if h.Path == "" {
		if h.Host != "" || h.Interval != 0 || h.Timeout != 0 || h.Status != nil || h.Rise != 0 || h.Fall != 0 {
			p.add(at+".path", "is missing; name what is to be asked for, for example /healthz")
		}
		return
	}
	p.check(at+".path", checkHealthPath(h.Path))
	if h.Host != "" {
		p.check(at+".host", checkHostHeader(h.Host))
	}
	full := h.WithDefaults()
	p.check(at+".interval", checkDuration(full.Interval, second/10, 3600*second))
	p.check(at+".timeout", checkDuration(full.Timeout, second/100, 300*second))
	if slices.Equal(full.Status, []string{}) {
		p.add(at+".status", "no status counts as healthy; name one, or delete the key for 200-399")
	}
	for i, s := range h.Status {
		_, err := parseStatusRange(s)
		p.check(fmt.Sprintf("%s.status[%d]", at, i), err)
	}
	for _, c := range []struct {
		key string
		n   int
	}{{"rise", full.Rise}, {"fall", full.Fall}} {
		if c.n < 1 || c.n > 100 {
			p.add(at+"."+c.key, "%d is out of range; use 1 to 100", c.n)
		}
	}
}

func checkHealthPath(s string) error {
	if !strings.HasPrefix(s, "/") {
		return fmt.Errorf("%q does not begin with /", s)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '#' {
			return errors.New("holds a space, a # or what is not ASCII; write it as it goes over the wire, with %20 and the like")
		}
	}
	return nil
}
