package server

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/proxy"
)

// beforeChunks is how much content of unknown length waits for the handler's
// end, which may tell the length. It is net/http's number.
const beforeChunks = 2048

// response is the http.ResponseWriter of the lane. It writes what net/http
// writes, for requests of HTTP/1.1 without content.
type response struct {
	c       *conn
	r       *http.Request
	found   proxy.Found
	header  http.Header
	status  int   // 0 before WriteHeader
	length  int64 // of the content, as the handler said; -1 = it did not
	sent    int64 // of the content
	open    bool  // the head waits for its last fields
	hasDate bool
	chunked bool
	closing bool     // the connection ends after it
	says    bool     // and its header says so
	trailer []string // names that were declared
	pending []byte   // content that waits with the head
	err     error
}

// handle runs the handler. It returns false when the connection cannot be used
// any more.
func (w *response) handle(h http.Handler) (kept bool) {
	defer func() {
		if p := recover(); p != nil { // the client must not take what it has for all of it
			kept = false
			w.drop()
			if p != http.ErrAbortHandler {
				w.c.s.panicked(p)
			}
		}
	}()
	h.ServeHTTP(w, w.r)
	return w.finish()
}

// drop forgets what was not sent yet.
func (w *response) drop() {
	if w.c.work != nil {
		w.c.work.out = w.c.work.out[:0]
	}
}

func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// Found returns what was found in the store for the request.
func (w *response) Found() proxy.Found { return w.found }

// Holds takes what says how much memory the answer takes; see [proxy.Holder].
func (w *response) Holds(size func() int64) { w.c.holds.Store(&size) }

// AdoptHeader makes a map the header as it is. It returns false when there is
// something in the header already.
func (w *response) AdoptHeader(h http.Header) bool {
	if len(w.header) > 0 {
		return false
	}
	w.header = h
	return true
}

func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= 100 && status <= 199 && status != http.StatusSwitchingProtocols {
		out := proxy.AppendStatusLine(w.out(), status)
		out = appendHeader(out, w.header, func(name string) bool {
			return name == "Content-Length" || name == "Transfer-Encoding"
		})
		w.c.work.out = append(out, "\r\n"...)
		w.flush()
		return
	}
	w.status, w.open = status, true
	if cl := w.header["Content-Length"]; len(cl) > 0 {
		if n, err := strconv.ParseInt(cl[0], 10, 64); err == nil && n >= 0 {
			w.length = n
		} else {
			delete(w.header, "Content-Length")
		}
	}
	for _, line := range w.header["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			w.trailer = append(w.trailer, textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name)))
		}
	}
	w.hasDate = w.header["Date"] != nil
	draining := w.c.s.draining.Load()
	w.says = !draining && slices.Contains(w.header["Connection"], "close")
	w.closing = w.closing || draining || w.says
	out := proxy.AppendStatusLine(w.out(), status)
	w.c.work.out = appendHeader(out, w.header, func(name string) bool {
		switch name {
		case "Content-Length":
			return !allowsBody(status)
		case "Connection":
			return w.closing && !w.says
		case "Content-Type":
			return status == http.StatusNotModified
		case "Transfer-Encoding":
			return true
		}
		return strings.HasPrefix(name, http.TrailerPrefix)
	})
}

// allowsBody reports whether a response may have content (RFC 9110, 6.4.1).
func allowsBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// out returns what waits to be sent, for more to be appended.
func (w *response) out() []byte { return w.c.begin().out }

// commit ends the head. last is set when the handler has ended.
func (w *response) commit(last bool) {
	if !w.open {
		return
	}
	w.open = false
	out := w.out()
	if !w.hasDate {
		out = append(out, "Date: "...)
		out = append(time.Now().UTC().AppendFormat(out, http.TimeFormat), "\r\n"...)
	}
	head := w.r.Method == http.MethodHead
	if last && w.length < 0 && allowsBody(w.status) && !head && len(w.trailer) == 0 {
		w.length = int64(len(w.pending))
		out = append(out, "Content-Length: "...)
		out = append(strconv.AppendInt(out, w.length, 10), "\r\n"...)
	}
	if w.closing && !w.says {
		out = append(out, "Connection: close\r\n"...)
	}
	if allowsBody(w.status) && w.length < 0 && !head {
		w.chunked = true
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	w.c.work.out = append(out, "\r\n"...)
	if p := w.pending; len(p) > 0 {
		w.pending = nil
		w.emit(p)
	}
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case !allowsBody(w.status):
		return 0, http.ErrBodyNotAllowed
	}
	w.sent += int64(len(p))
	switch {
	case w.length >= 0 && w.sent > w.length:
		return 0, http.ErrContentLength
	case w.r.Method == http.MethodHead:
		return len(p), nil
	case w.open && w.length < 0 && len(w.pending)+len(p) <= beforeChunks:
		w.pending = append(w.pending, p...)
		return len(p), nil
	}
	w.commit(false)
	w.emit(p)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// emit sends content: a little waits for more, a lot is not copied.
func (w *response) emit(p []byte) {
	if w.err != nil {
		return
	}
	out := w.out()
	if w.chunked {
		out = append(strconv.AppendInt(out, int64(len(p)), 16), "\r\n"...)
	}
	end := ""
	if w.chunked {
		end = "\r\n"
	}
	if len(out)+len(p) <= maxOut {
		w.c.work.out = append(append(out, p...), end...)
		return
	}
	work := w.c.work
	parts := append(work.parts[:0], out, p)
	if end != "" {
		parts = append(parts, []byte(end))
	}
	w.err = w.c.sendAll(parts)
	clear(parts)
	work.parts, work.out = parts[:0], out[:0]
	w.c.rest()
}

func (w *response) flush() {
	if w.err == nil && w.c.work != nil && len(w.c.work.out) > 0 {
		w.err = w.c.send(w.c.work.out)
		w.c.work.out = w.c.work.out[:0]
		w.c.rest()
	}
}

// FlushError sends what was written so far.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.commit(false)
	w.flush()
	return w.err
}

// Flush is FlushError for [http.Flusher].
func (w *response) Flush() { _ = w.FlushError() }

// SetWriteDeadline bounds what is sent next, or a slice of it when it is much.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.c.timeout = 0
	if !t.IsZero() {
		w.c.timeout = max(time.Until(t), 1)
	}
	return nil
}

// SetReadDeadline has nothing to bound: there is no content.
func (w *response) SetReadDeadline(time.Time) error { return nil }

// EnableFullDuplex changes nothing: there is no content.
func (w *response) EnableFullDuplex() error { return nil }

// finish ends the response. It returns false when the connection cannot be used
// any more.
func (w *response) finish() bool {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.commit(!w.hasTrailers())
	if w.chunked {
		out := append(w.out(), "0\r\n"...)
		out = w.appendTrailers(out)
		w.c.work.out = append(out, "\r\n"...)
	}
	w.flush()
	whole := w.length < 0 || w.length == w.sent || w.r.Method == http.MethodHead || !allowsBody(w.status)
	return w.err == nil && whole
}

func (w *response) hasTrailers() bool {
	for name := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

func (w *response) appendTrailers(out []byte) []byte {
	t := make(http.Header)
	for name, lines := range w.header {
		if bare, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			t[bare] = lines
		}
	}
	for _, name := range w.trailer {
		t[name] = append(t[name], w.header[name]...)
		if len(t[name]) == 0 {
			delete(t, name)
		}
	}
	return appendHeader(out, t, func(string) bool { return false })
}

// appendHeader appends the fields, sorted by name, without those to be left out.
func appendHeader(dst []byte, h http.Header, without func(name string) bool) []byte {
	var room [32]string
	names := room[:0]
	for name := range h {
		if !without(name) && httpguts.ValidHeaderFieldName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			if strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, '\r') >= 0 {
				value = strings.NewReplacer("\n", " ", "\r", " ").Replace(value)
			}
			dst = proxy.AppendField(dst, name, textproto.TrimString(value))
		}
	}
	return dst
}
