package proxy

import (
	"net/http"
	"net/url"

	"cacheproxy/policy"
)

// outgoing returns the request for the origin, which gets only what we wrote.
// The configured edits see the forwarded fields; what guards against loops
// comes after them.
func (x *exchange) outgoing() *http.Request {
	r := x.r
	h := x.outgoingHeader()
	x.addForwarded(h)
	x.o.Spans.tell(h)
	x.settings.RequestEdit.apply(h)
	if len(h["User-Agent"]) == 0 {
		h["User-Agent"] = nil // none rather than the library's
	}
	x.told[5], x.told[6] = via(r.ProtoMajor, r.ProtoMinor, x.c.Token), x.c.Token
	h["Via"] = with(h["Via"], x.told[5:6:6])
	h["Cdn-Loop"] = with(h["Cdn-Loop"], x.told[6:7:7])
	u := &x.room.url
	*u = *x.target
	base := x.route.Origin.URL()
	u.Scheme, u.Host = base.Scheme, base.Host
	out := &x.room.request
	*out = http.Request{
		Method: r.Method, URL: u, Header: h, Host: x.hostFor(base),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.RequestURI == "*" || r.Method == http.MethodOptions && r.URL.Path == "" && r.URL.RawQuery == "" && !r.URL.ForceQuery { // RFC 9112, 3.2.4
		u.Path, u.Opaque = "", "*"
	}
	return out
}

// outgoingHeader returns the client's fields that are passed on, in a map of its
// own. The lines are shared: nobody changes them.
func (x *exchange) outgoingHeader() http.Header {
	ours := 9 // that are added
	if x.decision.Action == policy.Validate {
		ours += 2 // conditions
	}
	h := make(http.Header, len(x.r.Header)+ours)
	for name, lines := range x.r.Header {
		h[name] = lines[:len(lines):len(lines)]
	}
	policy.RemoveHopByHop(h)
	return h
}

// trailing returns the names of the announced trailer fields that are passed on:
// not those that frame, route or authenticate (RFC 9110, 6.5.1).
func (c *Config) trailing(announced http.Header) http.Header {
	if len(announced) == 0 {
		return nil
	}
	names := make(http.Header, len(announced))
	for name := range announced {
		names[name] = nil
	}
	policy.RemoveHopByHop(names)
	for _, name := range []string{
		"Host", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Authorization", "Cookie",
		"Cache-Control", "Expect", "Max-Forwards", "Range", "Via", "Cdn-Loop",
	} {
		delete(names, name)
	}
	for name := range names {
		if c.unkeyed(name, false) {
			delete(names, name)
		}
	}
	return names
}

// hostFor returns the Host for the origin; empty for its own, which is that of the
// URL: of several servers the one that is asked.
func (x *exchange) hostFor(base *url.URL) string {
	switch x.route.HostMode {
	case HostClient:
		return x.target.Host
	case HostOrigin:
		return ""
	case HostFixed:
		return x.route.HostName
	}
	if base.Scheme == "https" {
		return ""
	}
	return x.target.Host
}
