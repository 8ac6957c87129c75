package h2

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"

	"cacheproxy/proxy"
)

// response is what a handler writes. Small writes are gathered; the header goes
// out with the first content, with Flush, or at the end.
type response struct {
	st      *stream
	head    bool // the request was a HEAD
	header  http.Header
	status  int  // 0 before WriteHeader
	begun   bool // the header is in the connection's buffer
	length  int64
	written int64
	trailer []string // names that the header announced
	date    bool     // the handler said something of Date
	*scratch
}

// scratch is the memory that a response needs until it is sent.
type scratch struct {
	fields []proxy.Field // as they were at WriteHeader
	buf    []byte
}

const (
	gather = 8 << 10  // bytes of small writes that go out together
	slice  = 64 << 10 // of large ones, written under one deadline
)

var scratches = sync.Pool{New: func() any { return &scratch{buf: make([]byte, 0, gather)} }}

func (w *response) release() {
	if w.scratch != nil {
		clear(w.fields)
		w.fields, w.buf = w.fields[:0], w.buf[:0]
		scratches.Put(w.scratch)
		w.scratch = nil
	}
}

func (w *response) Header() http.Header { return w.header }

// WriteHeader takes the header as it is now. A status of 1xx is sent at once.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("status %d has not three digits", status))
	}
	if w.status != 0 || status == http.StatusSwitchingProtocols { // HTTP/2 has no 101
		return
	}
	if status < 200 {
		c := w.st.c
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inform(w.st, status, w.header)
		c.push()
		return
	}
	w.status = status
	w.scratch = scratches.Get().(*scratch)
	for name, lines := range w.header {
		if !strings.HasPrefix(name, http.TrailerPrefix) {
			w.field(name, lines)
		}
	}
	slices.SortStableFunc(w.fields, func(a, b proxy.Field) int { return strings.Compare(a.Name, b.Name) })
}

// field takes a field of the header.
func (w *response) field(name string, lines []string) {
	switch name {
	case "Date":
		w.date = true
	case "Content-Length":
		if w.status == http.StatusNoContent || len(lines) == 0 { // RFC 9110, 8.6
			return
		}
		n, err := strconv.ParseUint(lines[0], 10, 63)
		if err != nil {
			return
		}
		w.length, lines = int64(n), lines[:1]
	case "Trailer":
		for _, line := range lines {
			for t := range strings.SplitSeq(line, ",") {
				if t = http.CanonicalHeaderKey(strings.TrimSpace(t)); httpguts.ValidTrailerHeader(t) {
					w.trailer = append(w.trailer, t)
				}
			}
		}
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return
	}
	for _, value := range lines {
		if httpguts.ValidHeaderFieldValue(value) {
			w.fields = append(w.fields, proxy.Field{Name: name, Value: value})
		}
	}
}

// hasBody reports whether the response may have content.
func (w *response) hasBody() bool {
	return !w.head && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write implements [http.ResponseWriter]. What does not fit in the client's
// windows blocks, until the write deadline.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.scratch == nil {
		return 0, errOver
	}
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if w.written += int64(len(p)); w.length >= 0 && w.written > w.length {
		return 0, http.ErrContentLength
	}
	if w.head {
		return len(p), nil
	}
	if len(w.buf)+len(p) <= gather {
		w.buf = append(w.buf, p...)
		return len(p), nil
	}
	if err := w.send(w.buf, false); err != nil {
		return 0, err
	}
	w.buf = w.buf[:0]
	for done := 0; done < len(p); {
		n := min(slice, len(p)-done)
		if err := w.send(p[done:done+n], false); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), nil
}

// WriteString implements [io.StringWriter].
func (w *response) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// FlushError sends what was written so far.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.scratch == nil {
		return errOver
	}
	err := w.send(w.buf, false)
	w.buf = w.buf[:0]
	return err
}

// Flush implements [http.Flusher].
func (w *response) Flush() { _ = w.FlushError() }

// SetReadDeadline bounds the reads of the request's content.
func (w *response) SetReadDeadline(t time.Time) error {
	c := w.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := w.st.body; b != nil {
		b.deadline = t
		b.signal()
	}
	return nil
}

// SetWriteDeadline bounds the writes from now on. A write that does not end in
// time resets the stream.
func (w *response) SetWriteDeadline(t time.Time) error {
	c := w.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	w.st.deadline = t
	w.st.signal()
	return nil
}

// EnableFullDuplex does nothing: HTTP/2 always is.
func (w *response) EnableFullDuplex() error { return nil }

// send puts header and content in the connection's buffer, and returns when all
// of it is there.
func (w *response) send(p []byte, fin bool) error {
	st, c := w.st, w.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if st.err != nil {
		return st.err
	}
	if st.ended {
		return errOver
	}
	if !st.deadline.IsZero() && !time.Now().Before(st.deadline) {
		return c.tooSlow(st)
	}
	if !w.begun {
		w.begun = true
		end := fin && len(p) == 0
		w.sendHead(end)
		if end {
			c.endStream(st)
		}
	}
	if st.part, st.fin = p, fin; len(p) > 0 {
		c.queueUp(st)
		c.pump(0)
	} else if fin && !st.ended {
		c.out = appendData(c.out, st.id, nil, true)
		c.endStream(st)
	}
	c.push()
	if len(st.part) == 0 {
		return st.err
	}
	return c.waitFor(st)
}

// waitFor waits until all content of a stream was taken. It gives up the lock
// meanwhile.
func (c *conn) waitFor(st *stream) error {
	st.moved = time.Now()
	var limit time.Time
	if c.stall > 0 {
		limit = st.moved.Add(c.stall)
	}
	for len(st.part) > 0 && st.err == nil {
		deadline := limit
		if !st.deadline.IsZero() {
			deadline = st.deadline
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return c.tooSlow(st)
		}
		c.mu.Unlock()
		wait(st.wake, deadline)
		c.mu.Lock()
	}
	return st.err
}

// tooSlow resets a stream whose client does not take what is written.
func (c *conn) tooSlow(st *stream) error {
	c.reset(st, http2.ErrCodeInternal, errStalled)
	c.push()
	return os.ErrDeadlineExceeded
}
