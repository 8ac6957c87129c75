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
	stop   func() bool
	buf    *[rawBuffer]byte
	full   bool // the last read filled the buffer, so that more is at hand
	err    error
}

// newRawSource returns a source that ends the exchange when the client leaves.
func newRawSource(ctx context.Context, body io.ReadCloser, cancel context.CancelFunc) *rawSource {
	return &rawSource{
		body: body, cancel: cancel, stop: context.AfterFunc(ctx, cancel),
		buf: rawBuffers.Get().(*[rawBuffer]byte),
	}
}

func (r *rawSource) Next(context.Context) ([]byte, error) {
	for r.err == nil {
		var n int
		n, r.err = r.body.Read(r.buf[:])
		r.full = n == rawBuffer
		if n > 0 {
			return r.buf[:n], nil
		}
	}
	return nil, r.err
}

func (r *rawSource) More() bool { return r.full || r.err != nil }

func (r *rawSource) Close() {
	if r.buf == nil {
		return
	}
	r.stop()
	r.body.Close()
	r.cancel()
	rawBuffers.Put(r.buf)
	r.buf = nil
}
