package revalidate

import (
	"context"
	"io"
	"sync"
)

// rawBuffer is the size of the buffers for bodies that are passed through.
const rawBuffer = 32 << 10

var rawBuffers = sync.Pool{New: func() any { return new([rawBuffer]byte) }}

// rawSource reads a body that is passed to one client and not kept.
type rawSource struct {
	body   io.ReadCloser
	cancel context.CancelFunc // ends the exchange with the origin
	client context.Context
	tally  *tally
	stop   func() bool // of the watch on the client; nil = there is none yet
	buf    *[rawBuffer]byte
	full   bool // the last read filled the buffer, so that more is at hand
	err    error
}

// newRawSource returns a source that ends the exchange when the client leaves.
func newRawSource(ctx context.Context, body io.ReadCloser, cancel context.CancelFunc, t *tally) *rawSource {
	return &rawSource{
		body: body, cancel: cancel, client: ctx, tally: t,
		buf: rawBuffers.Get().(*[rawBuffer]byte),
	}
}

func (r *rawSource) Next(context.Context) ([]byte, error) {
	for r.err == nil {
		if !isReady(r.body) { // it may wait, and the client leave meanwhile
			r.watchClient()
		}
		var n int
		n, r.err = r.body.Read(r.buf[:])
		r.full = n == rawBuffer
		if r.err != nil && r.err != io.EOF {
			r.tally.failed(r.err)
		}
		if n > 0 {
			return r.buf[:n], nil
		}
	}
	return nil, r.err
}

// WriteTo writes the rest to one that can read from connections.
func (r *rawSource) WriteTo(w io.Writer) (int64, error) {
	r.watchClient()
	n, err := io.Copy(w, r.body)
	if ErrorType(err) != "" { // otherwise it is the writer's
		r.tally.failed(err)
	}
	r.err = io.EOF
	return n, err
}

// watchClient ends the exchange with the origin when the client leaves.
func (r *rawSource) watchClient() {
	if r.stop == nil {
		r.stop = afterFunc(r.client, r.cancel)
	}
}

func (r *rawSource) More() bool { return r.full || r.err != nil || isReady(r.body) }

// isReady reports whether a read of a body is known not to wait.
func isReady(body io.Reader) bool {
	b, ok := body.(interface{ Ready() bool })
	return ok && b.Ready()
}

func (r *rawSource) Close() {
	if r.buf == nil {
		return
	}
	if r.stop != nil {
		r.stop()
	}
	r.body.Close()
	r.cancel()
	rawBuffers.Put(r.buf)
	r.buf = nil
}
