package origin

import (
	"context"
	"net/http"
	"time"
)

// continueWait is how long an origin may take to ask for content that is only
// sent on demand; then it gets it unasked (RFC 9110, 10.1.1).
const continueWait = time.Second

// client speaks HTTP/1.1 with one server.
type client struct {
	target   string
	dial     func(ctx context.Context) (*conn, error)
	idle     pool
	headTime time.Duration // from the request sent to the response head
	bodyTime time.Duration // without a byte of the body
	headSize int64
}

func newClient(d *dialer, o Options) *client {
	return &client{
		target: d.target, idle: pool{most: o.MaxIdle, age: o.Idle, names: d.names},
		dial: func(ctx context.Context) (*conn, error) {
			nc, addr, err := d.connect(ctx)
			if err != nil {
				return nil, err
			}
			c := newConn(nc)
			c.addr = addr
			return c, nil
		},
		headTime: o.ResponseHeader, bodyTime: o.Body, headSize: o.MaxHeaderBytes,
	}
}

// keptTries is how many kept connections a request may find lost before it
// gets a new one.
const keptTries = 2

func (t *client) roundTrip(r *http.Request) (*http.Response, error) {
	o := outlines.Get().(*outline)
	defer o.free()
	if err := o.write(r); err != nil {
		closeContent(r)
		return nil, &Error{Failure: Unsendable, Err: err}
	}
	for try := 0; ; try++ {
		c, err := t.connect(r, try < keptTries)
		if err != nil {
			closeContent(r)
			return nil, err
		}
		x := &exchange{client: t, conn: c, r: r, ctx: r.Context(), in: input{src: c}}
		resp, err := x.run(o.text)
		if err == nil {
			return resp, nil
		}
		if !x.again() {
			x.closeContent()
			return nil, err
		}
	}
}

// connect returns a kept connection or a new one.
func (t *client) connect(r *http.Request, kept bool) (*conn, error) {
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	if kept {
		if c := t.idle.take(hasContent(r)); c != nil {
			return c, nil
		}
	}
	return t.dial(ctx)
}

// repeatable reports whether a request may be sent again when nobody knows
// whether the origin has acted on it (RFC 9110, 9.2.2, but fewer methods: what
// comes between two attempts of ours could be another client's doing).
func repeatable(r *http.Request) bool {
	if hasContent(r) {
		return false
	}
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return len(r.Header["Idempotency-Key"]) > 0 || len(r.Header["X-Idempotency-Key"]) > 0
}

func closeContent(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}
