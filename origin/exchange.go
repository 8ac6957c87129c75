package origin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// exchange is one request on a connection and the response to it. All that
// one needs is in here, so that it costs one allocation.
type exchange struct {
	client *client
	conn   *conn
	r      *http.Request
	ctx    context.Context
	stop   func() bool // ends the watch over ctx; nil if it cannot end
	up     *upload     // nil without content
	in     input
	heads  int64 // bytes of heads so far

	lost bool // the connection broke
	keep bool // the connection may be used again
	over atomic.Bool

	resp http.Response
	body body
}

// run sends the request and waits for the final response head. After an error
// the connection is closed.
func (x *exchange) run(head []byte) (*http.Response, error) {
	x.stop = watch(x.ctx, x.conn.abort)
	_ = x.conn.SetDeadline(time.Now().Add(x.client.headTime))
	if !hasContent(x.r) && x.conn.asks() {
		x.in.head = head
	} else if err := x.in.write(head); err != nil {
		return nil, x.fail(err)
	}
	if hasContent(x.r) {
		x.offer()
	}
	h, err := x.final()
	if err == nil {
		err = x.deliver(h)
	}
	if err != nil {
		return nil, x.fail(err)
	}
	return &x.resp, nil
}

// watch has f called when a context ends, which takes less where the context has
// a way of its own for that. stop is nil if it cannot end.
func watch(ctx context.Context, f func()) (stop func() bool) {
	if own, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return own.AfterFunc(f)
	}
	if ctx.Done() == nil {
		return nil
	}
	return context.AfterFunc(ctx, f)
}

// offer starts to send the content, unless the origin is to be asked first.
func (x *exchange) offer() {
	x.up = newUpload(x.conn, x.r, x.client.headTime)
	if httpguts.HeaderValuesContainsToken(x.r.Header["Expect"], "100-continue") {
		_ = x.conn.SetReadDeadline(time.Now().Add(continueWait))
		return
	}
	x.up.start()
}

// held reports whether the content waits for the origin's consent.
func (x *exchange) held() bool { return x.up != nil && !x.up.started }

// final waits for the head of the final response.
func (x *exchange) final() (head, error) {
	for {
		h, err := x.head()
		switch {
		case err != nil && x.held() && errors.Is(err, os.ErrDeadlineExceeded):
			x.up.start()
			continue
		case err != nil:
			return h, err
		case h.status >= 200 || h.status == http.StatusSwitchingProtocols:
			return h, nil
		case h.status == http.StatusContinue && x.held():
			x.up.start()
		}
		if err := x.interim(h); err != nil {
			return h, err
		}
	}
}

// head waits for the next head.
func (x *exchange) head() (head, error) {
	for {
		if text, ok := x.in.section(); ok {
			if x.heads += int64(len(text)); x.heads > x.client.headSize {
				return head{}, x.tooLarge()
			}
			return parseHead(text)
		}
		if x.heads+int64(x.in.buffered()) > x.client.headSize {
			return head{}, x.tooLarge()
		}
		if err := x.in.fill(); err != nil {
			return head{}, err
		}
		if !x.in.begins(protocol) {
			b := x.in.buf[x.in.from:x.in.to]
			return head{}, invalid("the response begins with %q and not with %s", b[:min(len(b), 10)], protocol)
		}
	}
}

func (x *exchange) tooLarge() error {
	return failed(HeadTooLarge, "response head over %d bytes", x.client.headSize)
}

// interim hands an interim response to whoever asked for them.
func (x *exchange) interim(h head) error {
	trace := httptrace.ContextClientTrace(x.ctx)
	if trace == nil || trace.Got1xxResponse == nil {
		return nil
	}
	return trace.Got1xxResponse(h.status, textproto.MIMEHeader(h.header))
}

// deliver makes the response from its head.
func (x *exchange) deliver(h head) error {
	resp := &x.resp
	kind, keep, err := h.frame(x.r.Method, resp)
	if err != nil {
		return err
	}
	x.keep = keep && !x.r.Close && !httpguts.HeaderValuesContainsToken(x.r.Header["Connection"], "close")
	resp.Status, resp.StatusCode, resp.Header = h.reason, h.status, h.header
	resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.1", 1, h.minor
	if h.minor == 0 {
		resp.Proto = "HTTP/1.0"
	}
	resp.Close, resp.Request = !x.keep, x.r
	if x.held() { // it is not wanted any more
		closeContent(x.r)
	}
	if x.up != nil {
		x.up.answered()
	}
	if h.status == http.StatusSwitchingProtocols {
		return x.switchProtocols()
	}
	if kind == empty {
		resp.Body = http.NoBody
		x.end(x.in.buffered() == 0)
		x.in.drop()
		return nil
	}
	b := &x.body
	b.x, b.kind, b.left, b.idle = x, kind, resp.ContentLength, patience(h.header, x.client.bodyTime)
	resp.Body = b
	switch rest := int64(x.in.buffered()); {
	case kind == chunked:
		b.left = 0
	case kind == sized && rest >= b.left && x.up == nil:
		x.end(rest == b.left) // all of it is here
		return nil
	}
	if b.idle == 0 {
		_ = x.conn.SetReadDeadline(time.Time{})
	}
	return nil
}

// end ends the use of the connection, which is kept if the exchange is complete
// and nothing speaks against it. Only the first call counts.
func (x *exchange) end(complete bool) {
	if !x.over.CompareAndSwap(false, true) {
		return
	}
	keep := complete && x.keep && (x.up == nil || x.up.complete())
	if x.stop != nil && !x.stop() {
		keep = false // the context has ended, and closes the connection
	}
	if x.resp.Body != nil { // otherwise there may be another try
		finish(x.ctx)
	}
	if !keep {
		x.conn.Close()
		return
	}
	x.conn.used = true
	x.client.idle.put(x.conn)
}

// fail ends an exchange without a response and says why.
func (x *exchange) fail(err error) error {
	err = x.why(err, x.describe)
	x.end(false)
	x.in.drop()
	return err
}

// why finds the reason behind an error on the connection: the end of the
// context and of the content close it. describe words what is the origin's.
func (x *exchange) why(err error, describe func(error) error) error {
	if x.ctx.Err() != nil {
		return ended(x.ctx)
	}
	if x.up != nil {
		if cause := x.up.failure(); cause != nil {
			return cause
		}
	}
	return describe(err)
}

// describe words an error before the response.
func (x *exchange) describe(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return timedOut(Timeout, "no response head within", x.client.headTime)
	}
	if Classify(err) != Terminated { // of TLS, or the hook's
		return err
	}
	x.lost = true
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if x.in.heard {
		return failed(Terminated, "connection lost amid the response head: %w", err)
	}
	return failed(Terminated, "connection lost before a response: %w", err)
}

// again reports whether a request that failed may be sent once more: a kept
// connection broke before anything came back, which it may have done before
// the origin saw the request.
func (x *exchange) again() bool {
	return x.lost && x.conn.used && !x.in.heard && x.up == nil && (x.in.unsent || repeatable(x.r))
}

// closeContent closes the content of a request that failed, unless who sends
// it does.
func (x *exchange) closeContent() {
	if x.up == nil || !x.up.started {
		closeContent(x.r)
	}
}
