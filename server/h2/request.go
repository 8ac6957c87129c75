package h2

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
)

// start runs the handler for the request in the connection's head, which is held.
func (c *conn) start(id uint32, end bool) error {
	held := c.head.size
	r, err := c.request()
	if err != nil {
		c.s.release(held)
		return c.streamError(id, http2.ErrCodeProtocol)
	}
	st := &stream{c: c, id: id, fin: true, wake: make(chan struct{}, 1)}
	w := &response{st: st, head: r.Method == http.MethodHead, header: make(http.Header), length: -1}
	r.Body = http.NoBody
	if !end {
		st.body = newBody(st, c.head.length)
		st.body.trailer = r.Trailer
		st.body.expects = httpguts.HeaderValuesContainsToken(r.Header["Expect"], "100-continue")
		r.ContentLength, r.Body = c.head.length, st.body
	}
	ctx, cancel := context.WithCancel(c.ctx)
	st.cancel = cancel
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handlers >= maxStreams { // those of streams that were reset
		cancel()
		c.s.release(held)
		return c.tooMany(id)
	}
	st.window, st.widest = c.initial, c.initial
	c.streams[id] = st
	c.handlers++
	c.tasks.Go(func() {
		defer c.s.release(held)
		c.run(w, r.WithContext(ctx))
	})
	return nil
}

var errPath = errors.New("there is a space in the path")

// request makes of the head what net/http would make of it.
func (c *conn) request() (*http.Request, error) {
	h := &c.head
	r := &http.Request{
		Method: h.method, Host: h.host, RequestURI: h.path, RemoteAddr: c.remote, TLS: c.tls,
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: make(http.Header, len(h.fields)),
	}
	if h.method == http.MethodConnect {
		r.URL, r.RequestURI = &url.URL{Host: h.authority}, h.authority
	} else {
		if strings.IndexByte(h.path, ' ') >= 0 { // which the library takes for %20
			return nil, errPath
		}
		u, err := url.ParseRequestURI(h.path)
		if err != nil {
			return nil, err
		}
		r.URL = u
	}
	lines := make([]string, len(h.fields)) // one allocation for all
	for i, f := range h.fields {
		name := http.CanonicalHeaderKey(f.Name)
		if have, ok := r.Header[name]; ok {
			r.Header[name] = append(have, f.Value)
			continue
		}
		lines[i] = f.Value
		r.Header[name] = lines[i : i+1 : i+1]
	}
	r.Trailer = announcedTrailer(r.Header, c.head.limits.lines)
	return r, nil
}

// announcedTrailer returns the names of a Trailer field, so many at most, but for
// those that may not be in a trailer, and removes the field.
func announcedTrailer(h http.Header, most int) http.Header {
	var t http.Header
	for _, line := range h["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if !httpguts.ValidTrailerHeader(name) || len(t) >= most {
				continue
			}
			if t == nil {
				t = make(http.Header)
			}
			t[name] = nil
		}
	}
	delete(h, "Trailer")
	return t
}

// run runs a handler to its end.
func (c *conn) run(w *response, r *http.Request) {
	st := w.st
	defer func() {
		failed := recover()
		if failed != nil && failed != http.ErrAbortHandler {
			c.s.logf("h2: panic serving %s: %v\n%s", c.remote, failed, debug.Stack())
		}
		w.release()
		c.mu.Lock()
		if failed != nil {
			c.reset(st, http2.ErrCodeInternal, errAborted)
		}
		c.handlers--
		c.rest()
		c.push()
		c.mu.Unlock()
		st.cancel()
		if st.body != nil {
			_ = st.body.Close()
		}
	}()
	c.s.Handler.ServeHTTP(w, r)
	w.finish()
}
