package policy

import (
	"net/url"
	"slices"
	"strings"
)

// Key returns the primary key of a URL (RFC 9111, 2): scheme, host, path and
// query just as they are forwarded, with the default port left out.
func Key(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	var room [256]byte
	return string(AppendKey(room[:0], u.Scheme, Host(u.Scheme, u.Host), path, u.RawQuery, u.ForceQuery))
}

// AppendKey appends the key of a URL given by its parts: the host as [Host]
// gives it, the path as it is sent; asked keeps the "?" of an empty query.
func AppendKey(dst []byte, scheme, host, path, query string, asked bool) []byte {
	dst = append(dst, scheme...)
	dst = append(dst, "://"...)
	dst = append(dst, host...)
	dst = append(dst, path...)
	if query != "" || asked {
		dst = append(dst, '?')
		dst = append(dst, query...)
	}
	return dst
}

// Host returns the one form of a host that keys, routes, rules and requests
// to origins use: lower case, without final dots and without the scheme's
// default port. The form of a form is itself.
func Host(scheme, host string) string {
	host = strings.ToLower(host)
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i:]
	}
	if scheme == "http" && port == ":80" || scheme == "https" && port == ":443" {
		port = ""
	}
	if bare := strings.TrimRight(name, "."); bare != name {
		return bare + port
	}
	return host[:len(name)+len(port)]
}

// QueryRules say which parameters of a query are kept, and in which order.
// What they leave is the key and is what the origin gets.
type QueryRules struct {
	Drop []Glob
	Keep []Glob // when not nil: only these
	Sort bool   // by name; the order of equal names stays
}

// Apply returns the query without what the rules drop.
func (q *QueryRules) Apply(raw string) string {
	if q.none() {
		return raw
	}
	return string(q.AppendTo(nil, raw))
}

// AppendTo appends the query without what the rules drop.
func (q *QueryRules) AppendTo(dst []byte, raw string) []byte {
	if q.none() {
		return append(dst, raw...)
	}
	var room [24]string
	params := room[:0]
	for p := range strings.SplitSeq(raw, "&") {
		if q.keeps(p) {
			params = append(params, p)
		}
	}
	if q.Sort {
		slices.SortStableFunc(params, func(a, b string) int { return strings.Compare(paramName(a), paramName(b)) })
	}
	for i, p := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p...)
	}
	return dst
}

func (q *QueryRules) none() bool { return len(q.Drop) == 0 && q.Keep == nil && !q.Sort }

func (q *QueryRules) keeps(p string) bool {
	if p == "" {
		return false
	}
	name := paramName(p)
	return !matchAny(q.Drop, name) && (q.Keep == nil || matchAny(q.Keep, name))
}

// paramName returns a parameter's name, decoded where it can be.
func paramName(p string) string {
	name, _, _ := strings.Cut(p, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

func matchAny(globs []Glob, s string) bool {
	return slices.ContainsFunc(globs, func(g Glob) bool { return g.Match(s) })
}
