package upstream

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
)

// body is the body of a response, with which the slot of its request ends.
type body struct {
	io.ReadCloser
	permit permit
	ctx    context.Context // of the request
	over   atomic.Bool
}

// watch has the slot given back at the end of the body. What has no body, or
// goes on with another protocol, gives it back at once.
func (p permit) watch(ctx context.Context, resp *http.Response) {
	if resp.Body == http.NoBody || resp.StatusCode == http.StatusSwitchingProtocols || arrived(resp.Body) {
		p.end(nil)
		return
	}
	resp.Body = &body{ReadCloser: resp.Body, permit: p, ctx: ctx}
}

// arrived reports whether all of a body is here, and the origin done with.
func arrived(b io.Reader) bool {
	a, ok := b.(interface{ Arrived() bool })
	return ok && a.Arrived()
}

func (b *body) end(err error) {
	if !b.over.CompareAndSwap(false, true) {
		return
	}
	if err != nil && b.ctx.Err() != nil {
		err = errGone
	}
	b.permit.end(err)
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.end(nil)
	case err != nil:
		b.end(err)
	}
	return n, err
}

// WriteTo writes the rest of the body to w, past our memory if it can.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	to, ok := b.ReadCloser.(io.WriterTo)
	if !ok {
		return io.Copy(w, struct{ io.Reader }{b})
	}
	n, err := to.WriteTo(w)
	b.end(err)
	return n, err
}

// Ready reports whether Read is known not to wait.
func (b *body) Ready() bool { return ready(b.ReadCloser) }

func ready(r io.Reader) bool {
	b, ok := r.(interface{ Ready() bool })
	return ok && b.Ready()
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.end(nil)
	return err
}

// mostDrained bounds what is read of an answer that nobody gets, so that its
// connection can be used again.
const mostDrained = 64 << 10

// discard ends an answer that nobody gets. It does not wait for more of it.
func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	var waste [4 << 10]byte
	for n := 0; n < mostDrained && ready(resp.Body); {
		m, err := resp.Body.Read(waste[:])
		if n += m; err != nil {
			break
		}
	}
	resp.Body.Close()
}
