package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// maxTTL is far beyond what RFC 9111, 1.2.2 asks a cache to count (2^31 seconds
// is 68 years); more than ten years is a slip.
const maxTTL = 3650 * day

func (r *Rule) validate(p *problems, at string) {
	r.Match.validate(p, at+".match")
	match := r.Match
	if reflect.DeepEqual(*r, Rule{Match: match}) {
		p.add(at, "sets nothing; give it a key such as ttl or bypass, or delete it")
	}
	if r.Match.Type != "" {
		r.validatePhase(p, at)
	}
	r.validateTimes(p, at)
	r.validateStatuses(p, at)
	if r.SetCookie != nil {
		p.check(at+".set_cookie", oneOf(*r.SetCookie, setCookies))
	}
	if r.ClientBypass != nil {
		p.check(at+".client_bypass", oneOf(*r.ClientBypass, bypassWords))
	}
	for i, g := range r.IgnoreCookies {
		p.check(fmt.Sprintf("%s.ignore_cookies[%d]", at, i), checkNameGlob(g, " =;,\""))
	}
	r.Query.validate(p, at+".query")
	r.RequestHeaders.validate(p, at+".request_headers", true)
	r.ResponseHeaders.validate(p, at+".response_headers", false)
	for i, name := range r.Targeted {
		p.check(fmt.Sprintf("%s.targeted[%d]", at, i), checkToken(name))
	}
	if r.Tags != nil {
		for i, name := range r.Tags.Fields {
			p.check(fmt.Sprintf("%s.tags.fields[%d]", at, i), checkToken(name))
		}
	}
	r.Heuristic.validate(p, at+".heuristic")
}

// validatePhase refuses what has to be decided before there is a content type.
func (r *Rule) validatePhase(p *problems, at string) {
	for _, key := range []struct {
		name string
		set  bool
	}{
		{"bypass", r.Bypass != nil},
		{"ignore_cookies", r.IgnoreCookies != nil},
		{"query", r.Query != nil},
		{"request_headers", r.RequestHeaders != nil},
		{"client_bypass", r.ClientBypass != nil},
	} {
		if key.set {
			p.add(at+"."+key.name, "is decided before the response is there, so match.type cannot choose it; match by path or host")
		}
	}
}

func (r *Rule) validateTimes(p *problems, at string) {
	for _, key := range []struct {
		name  string
		value *Duration
		least Duration
	}{
		{"ttl", r.TTL, 0},
		{"min_ttl", r.MinTTL, 0},
		{"max_ttl", r.MaxTTL, second}, // nothing stays fresh: that is ttl: 0s
		{"stale_while_revalidate", r.StaleWhileRevalidate, 0},
		{"stale_if_error", r.StaleIfError, 0},
	} {
		if key.value != nil {
			p.check(at+"."+key.name, checkDuration(*key.value, key.least, maxTTL))
		}
	}
	if r.TTL != nil && (r.MinTTL != nil || r.MaxTTL != nil) {
		p.add(at+".ttl", "overrides the origin, so min_ttl and max_ttl of the same rule would do nothing; keep ttl or the clamps")
	}
	if r.MinTTL != nil && r.MaxTTL != nil && *r.MinTTL > *r.MaxTTL {
		p.add(at+".min_ttl", "%s is more than max_ttl (%s); swap or change them", *r.MinTTL, *r.MaxTTL)
	}
}

func (r *Rule) validateStatuses(p *problems, at string) {
	for _, status := range slices.Sorted(maps.Keys(r.StatusTTL)) {
		key := fmt.Sprintf("%s.status_ttl.%d", at, status)
		p.check(key, checkStatus(status))
		p.check(key, checkDuration(r.StatusTTL[status], 0, maxTTL))
	}
	for _, status := range slices.Sorted(maps.Keys(r.Store)) {
		key := fmt.Sprintf("%s.store.%d", at, status)
		p.check(key, checkStatus(status))
		p.check(key, oneOf(r.Store[status], storeWords))
	}
}

// checkStatus accepts what a stored response can have: final, and not the 304
// that only updates one.
func checkStatus(status int) error {
	if status < 100 || status > 599 {
		return fmt.Errorf("%d is not a status code; use 200 to 599", status)
	}
	if status < 200 || status == 304 {
		return fmt.Errorf("%d is never stored by itself; use a final status other than 304", status)
	}
	return nil
}

func (m Match) validate(p *problems, at string) {
	if m.Path != "" {
		p.check(at+".path", checkPathGlob(m.Path))
	}
	if m.Host != "" {
		p.check(at+".host", checkHostGlob(m.Host))
	}
	if m.Type != "" {
		p.check(at+".type", checkTypeGlob(m.Type))
	}
}

func checkPathGlob(s string) error {
	if !strings.ContainsAny(s[:1], "/*?") {
		return fmt.Errorf("%q never matches, since paths begin with /; write /%s", s, s)
	}
	if err := checkCleaned(s); err != nil {
		return err
	}
	if strings.HasSuffix(s, "/.") || strings.HasSuffix(s, "/..") {
		return fmt.Errorf("%q never matches, since dot segments are resolved before; write the path without them", s)
	}
	return checkText(s)
}

var percentEncoded = regexp.MustCompile("%[0-9A-Fa-f]{2}")

// checkCleaned refuses what no path holds when routes and rules are compared
// with it: it is decoded, its dot segments are resolved, repeated slashes merged.
func checkCleaned(s string) error {
	if m := percentEncoded.FindString(s); m != "" {
		return fmt.Errorf("%q holds %s, but it is compared with the decoded path; write the character itself", s, m)
	}
	if strings.Contains(s, "//") {
		return fmt.Errorf("%q never matches, since repeated slashes are merged before; write one", s)
	}
	if strings.Contains(s, "/./") || strings.Contains(s, "/../") {
		return fmt.Errorf("%q never matches, since dot segments are resolved before; write the path without them", s)
	}
	return nil
}

func checkHostGlob(s string) error {
	if strings.Trim(s, hostLetters+".*?[]:") != "" {
		return fmt.Errorf("%q holds what no host has; write for example shop.example.com or *.example.com", s)
	}
	return nil
}

func checkTypeGlob(s string) error {
	if strings.ContainsAny(s, "; ") {
		return fmt.Errorf("%q holds parameters; write the type alone, for example text/html", s)
	}
	if !strings.ContainsAny(s, "/*") {
		return fmt.Errorf("%q never matches, since types have a slash; write %s/* or */%s", s, s, s)
	}
	return checkText(s)
}

// checkNameGlob accepts a glob on names in which no byte of not can be.
func checkNameGlob(s, not string) error {
	if err := checkText(s); err != nil {
		return err
	}
	if strings.ContainsAny(s, not) {
		return fmt.Errorf("%q is not a name; write names or globs such as utm_*, without value", s)
	}
	return nil
}

func (q *Query) validate(p *problems, at string) {
	if q == nil {
		return
	}
	if len(q.Drop) > 0 && len(q.Keep) > 0 {
		p.add(at+".keep", "is the list of all that stays, so drop beside it would do nothing; delete one of them")
	}
	for i, g := range q.Drop {
		p.check(fmt.Sprintf("%s.drop[%d]", at, i), checkNameGlob(g, "=&#"))
	}
	for i, g := range q.Keep {
		p.check(fmt.Sprintf("%s.keep[%d]", at, i), checkNameGlob(g, "=&#"))
	}
	if q.Drop == nil && q.Keep == nil && q.Sort == nil {
		p.add(at, "sets nothing; give it drop, keep or sort, or delete it")
	}
}

// framing are the fields that belong to one connection or message; an edit would
// break what the proxy writes.
var framing = []string{
	"connection", "content-length", "keep-alive", "proxy-connection", "te",
	"trailer", "transfer-encoding", "upgrade",
}

func (e *HeaderEdit) validate(p *problems, at string, request bool) {
	if e == nil {
		return
	}
	set := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(e.Set)) {
		key := at + ".set." + name
		p.check(key, checkEditable(name, request))
		p.check(key, checkFieldValue(e.Set[name]))
		lower := strings.ToLower(name)
		if other, again := set[lower]; again {
			p.add(key, "is the same field as %s; keep one", other)
		}
		set[lower] = name
	}
	for i, name := range e.Remove {
		key := fmt.Sprintf("%s.remove[%d]", at, i)
		p.check(key, checkEditable(name, request))
		if _, both := set[strings.ToLower(name)]; both {
			p.add(key, "%s is also in set, which replaces what was there; delete it here", name)
		}
	}
	if e.Set == nil && e.Remove == nil {
		p.add(at, "sets nothing; give it set or remove, or delete it")
	}
}

func checkEditable(name string, request bool) error {
	if err := checkToken(name); err != nil {
		return err
	}
	lower := strings.ToLower(name)
	if request && lower == "host" {
		return fmt.Errorf("%s is not edited here; use host_header of the route", name)
	}
	if slices.Contains(framing, lower) {
		return fmt.Errorf("%s belongs to the connection and is written by the proxy; delete it here", name)
	}
	return nil
}

func (h *Heuristic) validate(p *problems, at string) {
	if h == nil {
		return
	}
	if f := h.Fraction; f != nil && !(*f >= 0 && *f <= 1) {
		p.add(at+".fraction", "%v is out of range; use 0 to 1", *f)
	}
	if h.Max != nil {
		p.check(at+".max", checkDuration(*h.Max, 0, maxTTL))
	}
	if h.Fraction == nil && h.Max == nil {
		p.add(at, "sets nothing; give it fraction or max, or delete it")
	}
}
