package policy

import (
	"net/http"
	"net/url"
	"strings"
)

// safe are the methods that do not invalidate (RFC 9110, 9.2.1, and the
// registry of methods). Methods whose safety is not known are not safe.
var safe = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodOptions: true, http.MethodTrace: true,
	"PROPFIND": true, "REPORT": true, "SEARCH": true, "QUERY": true, "PRI": true,
}

// Invalidates returns the URLs whose stored responses an answer makes invalid
// (RFC 9111, 4.4): with a non-error answer to an unsafe method the target, and
// Location and Content-Location when they are of the same origin.
func Invalidates(method string, target *url.URL, status int, f Fields) []*url.URL {
	if safe[method] || status < 200 || status > 399 {
		return nil
	}
	urls := []*url.URL{target}
	for _, name := range []string{"Location", "Content-Location"} {
		if u := sameOrigin(target, first(values(f, name))); u != nil {
			urls = append(urls, u)
		}
	}
	return urls
}

// LocatesTarget reports whether Content-Location names the target itself.
func LocatesTarget(target *url.URL, f Fields) bool {
	u := sameOrigin(target, first(values(f, "Content-Location")))
	return u != nil && u.EscapedPath() == target.EscapedPath() && u.RawQuery == target.RawQuery
}

// sameOrigin resolves a reference; nil if it is invalid or leads elsewhere.
func sameOrigin(target *url.URL, ref string) *url.URL {
	if ref == "" {
		return nil
	}
	u, err := target.Parse(ref)
	if err != nil || !strings.EqualFold(u.Scheme, target.Scheme) || Host(u.Scheme, u.Host) != Host(target.Scheme, target.Host) {
		return nil
	}
	u.Fragment = ""
	return u
}
