package proxy

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"cacheproxy/policy"
)

// accept finds out what the request is about, or why it cannot be served.
func (x *exchange) accept() policy.Reason {
	r := x.r
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return policy.MethodNotAllowed
	}
	if r.RequestURI == "*" && r.Method != http.MethodOptions { // RFC 9112, 3.2.4
		return policy.BadRequest
	}
	if x.looped() {
		return policy.Loop
	}
	scheme, host := x.authority()
	x.host, x.path = hostOnly(host), cleanPath(r.URL.Path)
	x.route = x.c.route(x.host, x.path)
	if x.route == nil {
		return policy.NoRoute
	}
	x.o.Route = x.route.Name
	x.settings = x.route.settings(x.host, x.path, "")
	x.target = &x.room.target
	*x.target = url.URL{
		Scheme: scheme, Host: host, Path: r.URL.Path, RawPath: r.URL.RawPath,
		RawQuery: x.settings.Query.Apply(r.URL.RawQuery), ForceQuery: r.URL.ForceQuery,
	}
	x.key = policy.Key(x.target)
	x.o.Key = x.key
	dropCookies(r.Header, x.settings.IgnoreCookies)
	x.facts = &x.room.facts
	x.facts.Read(r.Method, r.Header)
	x.facts.Body = r.ContentLength != 0
	x.facts.Dots = dotSegments(r.URL.Path)
	x.offered = offers(r)
	x.facts.Upgrade = x.offered != ""
	if x.settings.IgnoreClient {
		x.facts.Directives = x.facts.Directives.WithoutDemands()
	}
	return policy.ReasonNone
}

// authority returns the scheme and host that the client asked for: what a
// trusted peer says of them, otherwise those of the connection and the
// request. A peer that gives several values, or none that is valid, is not
// believed.
func (x *exchange) authority() (scheme, host string) {
	scheme, host = "http", x.r.Host
	if x.r.TLS != nil {
		scheme = "https"
	}
	if x.trusted {
		if said := strings.ToLower(only(x.r.Header["X-Forwarded-Proto"])); said == "http" || said == "https" {
			scheme = said
		}
		if said := only(x.r.Header["X-Forwarded-Host"]); validHost.MatchString(said) {
			host = said
		}
	}
	return scheme, policy.Host(scheme, host)
}

var validHost = regexp.MustCompile(`^([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)

// only returns the value of a field that has a single line.
func only(lines []string) string {
	if len(lines) != 1 {
		return ""
	}
	return lines[0]
}

// cleanPath returns a decoded path as routes and rules match it: dot segments
// resolved, repeated slashes merged, a final slash kept. So no spelling of a
// path evades what is said about it. Without a path (OPTIONS *) it is "/".
func cleanPath(p string) string {
	if p == "" || p[0] != '/' {
		return "/"
	}
	clean := path.Clean(p)
	switch {
	case clean == p || clean == "/":
		return clean
	case strings.HasSuffix(p, "/"), strings.HasSuffix(p, "/."), strings.HasSuffix(p, "/.."):
		return clean + "/"
	}
	return clean
}

// dotSegments reports whether a decoded path has a segment of one or two dots.
func dotSegments(p string) bool {
	return strings.Contains(p, "/./") || strings.Contains(p, "/../") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")
}

// hostOnly returns a host without its port.
func hostOnly(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}
