package server

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// turn is what an exchange needs that the handler may keep.
type turn struct {
	life     proxy.Life
	request  http.Request
	response response
}

// exchange lets the handler answer the request that was parsed last.
func (c *conn) exchange() fate {
	w := c.work
	// The handler may keep what it is given, so that it cannot lie in a buffer.
	head := strings.Clone(text(w.in[w.r : w.r+w.rq.size]))
	var rq request
	rq.Fields = make([]proxy.Field, 0, len(w.rq.Fields))
	rq.parse(bytesOf(head), &c.s.head)
	u, err := url.ParseRequestURI(rq.Target)
	if err != nil {
		return c.refuse(policy.BadRequest)
	}
	if c.after(read) == end { // answers to earlier requests
		return end
	}
	w.r += w.rq.size
	found := w.reply.TakeFound()
	fields := header(&rq)
	c.rest()
	t := &turn{}
	defer t.life.Cancel()
	r := &http.Request{
		Method: rq.Method, URL: u, Proto: rq.Proto, ProtoMajor: 1, ProtoMinor: 1, Header: fields,
		Body: http.NoBody, Host: rq.Host, RemoteAddr: c.remote, RequestURI: rq.Target, TLS: c.tls, Close: rq.close,
	}
	t.request = *r.WithContext(&t.life)
	c.mu.Lock()
	c.cancel = t.life.Cancel
	c.mu.Unlock()
	t.response = response{c: c, r: &t.request, found: found, length: -1, closing: rq.close || c.s.draining.Load()}
	kept := t.response.handle(c.s.o.Handler)
	c.holds.Store(nil)
	c.watchOver()
	switch {
	case !kept:
		return c.after(end)
	case t.response.closing:
		return c.finish()
	}
	return read
}

// header returns the header of a request as a map.
func header(rq *request) http.Header {
	h := make(http.Header, len(rq.Fields))
	values := make([]string, len(rq.Fields))
	for i, f := range rq.Fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		values[i] = f.Value
		if lines := h[name]; lines != nil {
			h[name] = append(lines, f.Value)
			continue
		}
		h[name] = values[i : i+1 : i+1]
	}
	// As net/http does; RFC 9111, 5.4, takes it for that, too.
	if p := h["Pragma"]; len(p) > 0 && p[0] == "no-cache" && h["Cache-Control"] == nil {
		h["Cache-Control"] = []string{"no-cache"}
	}
	return h
}
