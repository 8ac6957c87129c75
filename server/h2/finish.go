package h2

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"

	"cacheproxy/proxy"
)

// sendHead puts the header in the connection's buffer.
func (w *response) sendHead(end bool) {
	c := w.st.c
	c.room()
	c.enc.begin(w.status)
	for _, f := range w.fields {
		c.enc.add(f.Name, f.Value)
	}
	if !w.date { // RFC 9110, 6.6.1
		c.enc.add("Date", date())
	}
	c.out = appendHeaders(c.out, w.st.id, c.enc.block, end)
}

// inform sends a response of 1xx. When a client does not read, only 100 has to
// be sent: its absence would keep the client from sending.
func (c *conn) inform(st *stream, status int, h http.Header) {
	if status == http.StatusContinue {
		if st.body == nil || st.body.told {
			return
		}
		st.body.expects, st.body.told = false, true
	} else if len(c.out) >= outLimit {
		return
	}
	if st.err != nil || st.ended {
		return
	}
	c.enc.begin(status)
	for name, lines := range h {
		if !httpguts.ValidHeaderFieldName(name) || name == "Content-Length" {
			continue
		}
		for _, value := range lines {
			if httpguts.ValidHeaderFieldValue(value) {
				c.enc.add(name, value)
			}
		}
	}
	c.out = appendHeaders(c.out, st.id, c.enc.block, false)
}

// finish ends the response after the handler has returned.
func (w *response) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.hasBody() && w.length >= 0 && w.written != w.length {
		w.abort() // it must not look complete
		return
	}
	t := w.trailers()
	if !w.begun && w.length < 0 && w.hasBody() && len(t) == 0 {
		w.fields = append(w.fields, proxy.Field{Name: "Content-Length", Value: strconv.Itoa(len(w.buf))})
	}
	if w.send(w.buf, len(t) == 0) != nil || len(t) == 0 {
		return
	}
	w.sendTrailers(t)
}

func (w *response) abort() {
	c := w.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reset(w.st, http2.ErrCodeInternal, errAborted)
	c.push()
}

// trailers returns the fields after the content: those that were announced, and
// those with http.TrailerPrefix.
func (w *response) trailers() []proxy.Field {
	var t []proxy.Field
	put := func(name string, lines []string) {
		for _, value := range lines {
			if httpguts.ValidTrailerHeader(name) && httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value) {
				t = append(t, proxy.Field{Name: name, Value: value})
			}
		}
	}
	for _, name := range w.trailer {
		put(name, w.header[name])
	}
	for key, lines := range w.header {
		if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
			put(http.CanonicalHeaderKey(name), lines)
		}
	}
	slices.SortStableFunc(t, func(a, b proxy.Field) int { return strings.Compare(a.Name, b.Name) })
	return t
}

func (w *response) sendTrailers(t []proxy.Field) {
	st, c := w.st, w.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if st.err != nil || st.ended {
		return
	}
	c.enc.start()
	for _, f := range t {
		c.enc.add(f.Name, f.Value)
	}
	c.out = appendHeaders(c.out, st.id, c.enc.block, true)
	c.endStream(st)
	c.push()
}

// today is the Date field, for a second.
var today atomic.Pointer[dateOf]

type dateOf struct {
	second int64
	text   string
}

func date() string {
	now := time.Now()
	d := today.Load()
	if d == nil || d.second != now.Unix() {
		d = &dateOf{now.Unix(), now.UTC().Format(http.TimeFormat)}
		today.Store(d)
	}
	return d.text
}
