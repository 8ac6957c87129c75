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
	key := u.Scheme + "://" + Host(u.Scheme, u.Host) + path
	if u.RawQuery != "" || u.ForceQuery {
		key += "?" + u.RawQuery
	}
	return key
}

// Host returns the one form of a host that keys, routes, rules and requests
// to origins use: lower case, without a final dot and without the scheme's
// default port.
func Host(scheme, host string) string {
	host = strings.ToLower(host)
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i:]
	}
	if scheme == "http" && port == ":80" || scheme == "https" && port == ":443" {
		port = ""
	}
	return strings.TrimSuffix(name, ".") + port
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
	if raw == "" || len(q.Drop) == 0 && q.Keep == nil && !q.Sort {
		return raw
	}
	params := slices.DeleteFunc(strings.Split(raw, "&"), func(p string) bool {
		name := paramName(p)
		return p == "" || matchAny(q.Drop, name) || q.Keep != nil && !matchAny(q.Keep, name)
	})
	if q.Sort {
		slices.SortStableFunc(params, func(a, b string) int { return strings.Compare(paramName(a), paramName(b)) })
	}
	return strings.Join(params, "&")
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
