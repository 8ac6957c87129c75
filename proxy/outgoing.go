package proxy

import (
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
)

// outgoing returns the request for the origin, which gets only what we wrote.
// The configured edits see the forwarded fields; what guards against loops
// comes after them.
func (x *exchange) outgoing() *http.Request {
	r := x.r
	h := x.outgoingHeader()
	x.addForwarded(h)
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
	if r.RequestURI == "*" {
		u.Path, u.Opaque = "", "*"
	}
	return out
}

// outgoingHeader returns the client's fields that are passed on, in a map of its
// own. The lines are shared: nobody changes them.
func (x *exchange) outgoingHeader() http.Header {
	ours := 8 // that are added
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

// withBody gives the request its content, which streams.
func (x *exchange) withBody(out *http.Request) {
	if x.r.ContentLength == 0 {
		return
	}
	// The library would throw away what is left of the content at the first byte
	// of the answer, under the hands of the transport that is still sending it.
	_ = http.NewResponseController(x.w).EnableFullDuplex()
	out.ContentLength = x.r.ContentLength
	x.content = &content{body: x.r.Body, r: x.r, trailer: trailing(x.r.Trailer)}
	out.Body = x.content
	out.Trailer = x.content.trailer
	// To keep its connection the transport would send the content even after a
	// final answer, and reading it here tells the client to go on.
	out.Close = httpguts.HeaderValuesContainsToken(x.r.Header["Expect"], "100-continue")
}

// content is the content of a client's request. The server closes it at the end
// of the exchange; to close it waits for what the client has not sent yet, for
// which the transport has no time when the origin cannot be reached.
type content struct {
	mu      sync.Mutex // held while a read waits for the client
	over    bool
	body    io.Reader
	r       *http.Request // of which the trailer is known at the end
	trailer http.Header   // what of it was announced and is passed on; nil without
	read    atomic.Bool   // to its end, and that was a true one
	broken  atomic.Bool   // it ended otherwise: framed wrongly, or too early
}

func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := c.body.Read(p)
	if err == io.EOF { // after another error nobody knows where the next request begins
		for name := range c.trailer {
			c.trailer[name] = c.r.Trailer[name]
		}
		c.read.Store(true)
	} else if err != nil {
		c.broken.Store(true)
	}
	return n, err
}

// trailing returns the names of the announced trailer fields that are passed on:
// not those that frame, route or authenticate (RFC 9110, 6.5.1).
func trailing(announced http.Header) http.Header {
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
		if unkeyed(name, false) {
			delete(names, name)
		}
	}
	return names
}

func (*content) Close() error { return nil }

func (x *exchange) hostFor(base *url.URL) string {
	switch x.route.HostMode {
	case HostClient:
		return x.target.Host
	case HostOrigin:
		return base.Host
	case HostFixed:
		return x.route.HostName
	}
	if base.Scheme == "https" {
		return base.Host
	}
	return x.target.Host
}
