package h2

import (
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"golang.org/x/net/http2"

	"cacheproxy/proxy"
)

// body is the content of a request, as a handler reads it. The connection's
// lock guards it. What is not read yet is bounded by the stream's window.
type body struct {
	st       *stream
	buf      []byte
	at       int // of buf, was read
	window   int // what the client may still send
	credit   int // was read, and not said yet
	length   int64
	received int64
	last     bool  // the client said END_STREAM
	err      error // after what is in buf; io.EOF at the end
	closed   bool
	expects  bool // the client waits for 100 (Continue)
	told     bool // 100 was sent
	deadline time.Time
	wake     chan struct{} // there is something new; holds one
	trailer  http.Header   // the request's: names that were announced
	late     []proxy.Field // what came for it, until the end is read
}

func newBody(st *stream, length int64) *body {
	return &body{st: st, window: streamWindow, length: length, wake: make(chan struct{}, 1)}
}

// complete reports whether the client has sent all, whole whether that is as
// much as it said.
func (b *body) complete() bool { return b.last }
func (b *body) whole() bool    { return b.length < 0 || b.received == b.length }

// onData takes content of a request.
func (c *conn) onData(f *http2.DataFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, n, data := f.StreamID, int(f.Length), f.Data()
	if int64(n) > c.recv {
		return connError(http2.ErrCodeFlowControl, "more was sent than the window allows")
	}
	c.recv -= int64(n)
	st := c.streams[id]
	if st == nil {
		c.refund(n)
		switch {
		case id > c.lastID:
			return c.idle()
		case c.howEnded(id) == endedByUs: // it was on its way
			return c.noisy()
		}
		return c.refuse(id, http2.ErrCodeStreamClosed)
	}
	b := st.body
	if b == nil || b.last {
		c.refund(n)
		return c.refuse(id, http2.ErrCodeStreamClosed)
	}
	if n > b.window {
		c.refund(n)
		return c.refuse(id, http2.ErrCodeFlowControl)
	}
	b.window -= n
	b.received += int64(len(data))
	if b.length >= 0 && b.received > b.length || f.StreamEnded() && !b.whole() {
		c.refund(n)
		return c.refuse(id, http2.ErrCodeProtocol)
	}
	if len(b.buf)-b.at+len(data) > littleContent && c.s.unread.Load()+int64(len(data)) > mostContent {
		c.refund(n)
		c.reset(st, http2.ErrCodeEnhanceYourCalm, errCrowded)
		return nil
	}
	c.refund(n - len(data)) // padding
	b.credit += n - len(data)
	b.take(data, f.StreamEnded())
	if len(data) == 0 && !f.StreamEnded() {
		return c.noisy()
	}
	c.noise.earn(float64(len(data) / useful))
	return nil
}

// take keeps content until it is read.
func (b *body) take(data []byte, last bool) {
	if b.closed {
		b.st.c.refund(len(data))
	} else if len(data) > 0 {
		if b.at > 0 && len(b.buf)+len(data) > cap(b.buf) {
			b.buf = b.buf[:copy(b.buf, b.buf[b.at:])]
			b.at = 0
		}
		b.buf = append(b.buf, data...)
		b.st.c.s.unread.Add(int64(len(data)))
	}
	if last {
		b.last, b.err = true, io.EOF
	}
	b.signal()
}

// trail takes the trailer, which ends the content.
func (b *body) trail(fields []proxy.Field) {
	b.late = slices.Clone(fields)
	b.take(nil, true)
}

// fillTrailer completes the request's trailer when the end of the content is
// read: the map is the handler's before. As with net/http only names that were
// announced count.
func (b *body) fillTrailer() {
	for _, f := range b.late {
		name := http.CanonicalHeaderKey(f.Name)
		if _, ok := b.trailer[name]; ok {
			b.trailer[name] = append(b.trailer[name], f.Value)
		}
	}
	b.late = nil
}

// end ends the content early, with the stream.
func (b *body) end(err error) {
	if b.err == nil {
		if err == nil {
			err = http.ErrBodyReadAfterClose
		}
		b.err = err
	}
	if b.st.err != nil {
		if b.at < len(b.buf) { // what is given up must not look like the end
			b.err = b.st.err
		}
		b.discard()
	}
	b.signal()
}

// discard gives up what was not read.
func (b *body) discard() {
	c, n := b.st.c, len(b.buf)-b.at
	c.s.unread.Add(-int64(n))
	c.refund(n)
	b.buf, b.at = nil, 0
}

func (b *body) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// refund lets the client send on all streams what it sent and nobody keeps.
func (c *conn) refund(n int) {
	if c.credit += n; c.credit >= connWindow/4 {
		c.out = appendWindowUpdate(c.out, 0, c.credit)
		c.recv += int64(c.credit)
		c.credit = 0
	}
}

// Read reads content. It waits for the client, until the deadline set by
// SetReadDeadline.
func (b *body) Read(p []byte) (int, error) {
	c := b.st.c
	for {
		c.mu.Lock()
		n, err, ok := b.next(p)
		deadline := b.deadline
		c.push()
		c.mu.Unlock()
		if ok {
			return n, err
		}
		wait(b.wake, deadline)
	}
}

// next reads what is here; it returns false if there is nothing yet.
func (b *body) next(p []byte) (int, error, bool) {
	if b.closed {
		return 0, http.ErrBodyReadAfterClose, true
	}
	if b.at < len(b.buf) {
		n := copy(p, b.buf[b.at:])
		b.at += n
		switch {
		case b.at >= streamWindow/4: // what was read gives its memory back
			b.buf, b.at = append([]byte(nil), b.buf[b.at:]...), 0
		case b.at == len(b.buf):
			b.buf, b.at = b.buf[:0], 0
		}
		b.consumed(n)
		return n, nil, true
	}
	if b.err != nil {
		b.fillTrailer()
		return 0, b.err, true
	}
	if !b.deadline.IsZero() && !time.Now().Before(b.deadline) {
		return 0, os.ErrDeadlineExceeded, true
	}
	if b.expects {
		b.expects = false
		b.st.c.inform(b.st, http.StatusContinue, nil)
	}
	return 0, nil, len(p) == 0
}

// consumed lets the client send more.
func (b *body) consumed(n int) {
	c := b.st.c
	c.s.unread.Add(-int64(n))
	c.refund(n)
	if b.last || b.err != nil {
		return
	}
	if b.credit += n; b.credit >= streamWindow/4 {
		c.out = appendWindowUpdate(c.out, b.st.id, b.credit)
		b.window += b.credit
		b.credit = 0
	}
}

// Close gives up what was not read.
func (b *body) Close() error {
	c := b.st.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.closed {
		b.closed = true
		b.discard()
		b.signal()
		c.push()
	}
	return nil
}

// wait waits for a signal, or until the deadline if there is one.
func wait(wake <-chan struct{}, deadline time.Time) {
	if deadline.IsZero() {
		<-wake
		return
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
	}
}
