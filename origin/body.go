package origin

import (
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// body is the body of a response. It is read from the connection as the caller
// asks for it; at its end the connection goes back to those that are kept.
type body struct {
	x      *exchange
	kind   framing
	idle   time.Duration // most without a byte; 0 = for ever
	closed atomic.Bool

	mu     sync.Mutex // held while reading, by which Close does not wait
	err    error      // how it ended
	left   int64      // of the body, or of the current chunk
	chunks chunks
}

// direct is how much has to be wanted to be read past the buffer.
const direct = pageSize / 2

// Read reads content. Its errors are io.EOF at the end of a complete body,
// http.ErrBodyReadAfterClose, and *Error: that of a body that broke off wraps
// io.ErrUnexpectedEOF, or what the connection says.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.unlock()
	if err := b.ended(); err != nil || len(p) == 0 {
		return 0, err
	}
	n, err := b.read(p)
	if err != nil {
		err = b.finish(err)
	}
	return n, err
}

func (b *body) unlock() {
	if b.closed.Load() {
		b.x.in.drop()
	}
	b.mu.Unlock()
}

// ended returns why there is nothing more to read, nil if there is.
func (b *body) ended() error {
	if b.closed.Load() {
		return http.ErrBodyReadAfterClose
	}
	return b.err
}

func (b *body) read(p []byte) (n int, err error) {
	switch b.kind {
	case chunked:
		return b.readChunks(p)
	case toEnd:
		return b.take(p, math.MaxInt64)
	}
	n, err = b.take(p, b.left)
	b.left -= int64(n)
	switch {
	case b.left == 0:
		return n, io.EOF
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// take reads at most so many bytes, buffered ones first. Many are read past
// the buffer; few are not, so that it gathers them.
func (b *body) take(p []byte, most int64) (int, error) {
	in := &b.x.in
	p = p[:min(int64(len(p)), most)]
	if in.buffered() == 0 {
		b.extend()
		if len(p) >= direct {
			in.drop()
			return b.x.conn.Read(p)
		}
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	return in.take(p), nil
}

// extend gives the origin its time for the next bytes and returns when it is over.
func (b *body) extend() time.Time {
	if b.idle == 0 {
		return time.Time{}
	}
	until := time.Now().Add(b.idle)
	_ = b.x.conn.SetReadDeadline(until)
	return until
}

// finish ends the body for the given reason, and says it in our words.
func (b *body) finish(err error) error {
	if err != io.EOF {
		err = at(b.x.client.target, b.x.why(err, b.describe))
	}
	if b.closed.Load() {
		err = http.ErrBodyReadAfterClose
	}
	b.err = err
	b.x.end(err == io.EOF && b.x.in.buffered() == 0)
	b.x.in.drop()
	return err
}

func (b *body) describe(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return timedOut(ReadTimeout, "no byte of the body for", b.idle)
	}
	if Classify(err) == Terminated {
		return failed(Incomplete, "the body broke off: %w", err)
	}
	return err
}

// Close ends the exchange. Unless all of the body has arrived, the connection
// is closed.
func (b *body) Close() error {
	b.closed.Store(true)
	b.x.end(false)
	if b.mu.TryLock() { // otherwise who reads is woken, and cleans up
		b.unlock()
	}
	return nil
}
