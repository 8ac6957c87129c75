package origin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// stream is the body of a response over HTTP/2.
type stream struct {
	io.ReadCloser
	target string
	resp   *http.Response
	ctx    context.Context
	cancel context.CancelCauseFunc
	up     *content
	idle   time.Duration // most without a byte; 0 = for ever
	timer  *time.Timer
	closed atomic.Bool
	err    error // how it ended
}

// Read reads content. Its errors are those of a body of HTTP/1.1.
func (b *stream) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if b.idle > 0 {
		if b.timer == nil {
			b.timer = time.AfterFunc(b.idle, b.expire)
		} else {
			b.timer.Reset(b.idle)
		}
		defer b.timer.Stop()
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.err = b.finish(err)
	}
	return n, b.err
}

// expire ends the exchange, and with it a read that waits.
func (b *stream) expire() { b.cancel(timedOut(ReadTimeout, "no byte of the body for", b.idle)) }

func (b *stream) finish(err error) error {
	if err == io.EOF {
		dropTrailers(b.resp)
		finish(b.resp.Request.Context())
		return err
	}
	if b.closed.Load() {
		return http.ErrBodyReadAfterClose
	}
	var known *Error
	switch broken := b.up.failure(); {
	case b.ctx.Err() != nil:
		err = ended(b.ctx)
	case broken != nil:
		err = broken
	case errors.As(err, &known):
	case lost(err):
		err = failed(Incomplete, "the body broke off: %w", err)
	}
	return at(b.target, err)
}

// Close ends the exchange.
func (b *stream) Close() error {
	b.closed.Store(true)
	err := b.ReadCloser.Close()
	b.cancel(nil)
	finish(b.resp.Request.Context())
	return err
}
