package proxy

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"cacheproxy/policy"
)

// accept finds out what the request is about, or why it cannot be served.
func (x *exchange) accept() policy.Reason {
	r := x.r
	switch r.Method {
	case http.MethodConnect, http.MethodTrace, "PRI": // the last is the preface of HTTP/2 out of place
		return policy.MethodNotAllowed
	}
	scheme, host := x.authority()
	if !validTarget(r, scheme) {
		if r.ProtoMajor == 1 { // who sends that may mean anything by what follows
			x.w.Header()["Connection"] = []string{"close"}
		}
		return policy.BadRequest
	}
	if !hasHost(r) {
		return policy.BadRequest
	}
	if x.looped() {
		return policy.Loop
	}
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
	delete(r.Header, DebugField)
	if x.o.Trace != nil {
		x.traceTarget()
	}
	x.offered = offers(r)
	policy.RemoveNominated(r.Header) // the origin does not see them, so that answers must not vary by them
	dropCookies(r.Header, x.settings.IgnoreCookies)
	x.facts = &x.room.facts
	x.facts.Read(r.Method, r.Header)
	x.facts.Trace = x.o.Trace
	x.facts.Path = x.path
	x.facts.Body = r.ContentLength != 0
	x.facts.Dots = dotSegments(r.URL.Path)
	x.facts.Upgrade = x.offered != ""
	if x.o.Trace != nil {
		x.traceWishes()
		x.traceKey()
	}
	if x.settings.IgnoreClient {
		x.facts.Directives = x.facts.Directives.WithoutDemands()
	}
	return policy.ReasonNone
}

// validTarget reports whether a target has one of the forms of RFC 9112, 3.2:
// a path; an absolute URL of the scheme, without user information; or for OPTIONS
// the asterisk. What looks like a fragment is none of them.
func validTarget(r *http.Request, scheme string) bool {
	switch target := r.RequestURI; {
	case strings.IndexByte(target, '#') >= 0:
		return false
	case strings.HasPrefix(target, "/"):
		return true
	case target == "*":
		return r.Method == http.MethodOptions
	}
	return r.URL.Scheme == scheme && r.URL.Host != "" && r.URL.User == nil
}

// hasHost reports whether a request names a valid host; only before HTTP/1.1 it
// need not name any (RFC 9112, 3.2).
func hasHost(r *http.Request) bool {
	if r.Host == "" {
		return !r.ProtoAtLeast(1, 1)
	}
	name := hostOnly(r.Host)
	if !isName(name) && !validHost.MatchString(r.Host) {
		return false
	}
	if name == r.Host {
		return true
	}
	_, err := strconv.ParseUint(r.Host[len(name)+1:], 10, 16)
	return err == nil
}

// isName reports whether a host is a name or an IPv4 address.
func isName(host string) bool {
	for i := range len(host) {
		switch c := host[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return host != "" && len(host) <= 255
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
