package origin

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// splice is how much goes from socket to socket before the origin's time is
// looked at again.
const splice = 1 << 20

// copyBuffers are for what cannot go from socket to socket.
var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// WriteTo writes the rest of the body to dst. If its length is known and both
// sides are sockets in clear, the kernel moves it. nil is a complete body, and
// the errors of the origin are those of Read; an error of dst is returned as it
// is.
func (b *body) WriteTo(dst io.Writer) (int64, error) {
	b.mu.Lock()
	defer b.unlock()
	if err := b.ended(); err != nil {
		if err == io.EOF {
			err = nil
		}
		return 0, err
	}
	n, err := b.writeTo(dst)
	if b.err == nil { // dst took no more, and nobody knows what is left
		b.err = err
		b.x.end(false)
	}
	if b.err == io.EOF {
		return n, nil
	}
	return n, err
}

func (b *body) writeTo(dst io.Writer) (int64, error) {
	sink, ok := dst.(io.ReaderFrom)
	if !ok || b.kind != sized || b.x.conn.plain == nil {
		return b.copyTo(dst)
	}
	n, err := b.writeBuffered(dst)
	if err != nil {
		return n, err
	}
	moved, err := b.spliceTo(sink)
	return n + moved, err
}

// writeBuffered writes what has arrived already.
func (b *body) writeBuffered(dst io.Writer) (int64, error) {
	in := &b.x.in
	held := in.buf[in.from:in.to]
	held = held[:min(int64(len(held)), b.left)]
	if len(held) == 0 {
		return 0, nil
	}
	n, err := dst.Write(held)
	in.from += n
	b.left -= int64(n)
	return int64(n), err
}

// spliceTo moves what is left from the connection to dst. The deadline of a
// piece that takes long since dst is slow says nothing about the origin: only
// if nothing has moved is it too slow.
func (b *body) spliceTo(dst io.ReaderFrom) (total int64, err error) {
	var src io.LimitedReader
	if b.left > 0 {
		b.x.in.drop()
	}
	for b.left > 0 {
		size := min(b.left, splice)
		src.R, src.N = b.x.conn.plain, size
		until := b.extend()
		n, err := dst.ReadFrom(&src)
		total += n
		b.left -= size - src.N
		late := errors.Is(err, os.ErrDeadlineExceeded) && !until.IsZero() && !time.Now().Before(until)
		switch {
		case late && src.N < size:
		case late:
			return total, b.finish(err)
		case err != nil && b.x.conn.broken():
			return total, b.finish(err)
		case err != nil: // dst's, unless we have given up
			return total, b.x.why(err, func(err error) error { return err })
		case src.N > 0:
			return total, b.finish(io.ErrUnexpectedEOF)
		}
	}
	return total, b.finish(io.EOF)
}

// copyTo reads and writes in turn.
func (b *body) copyTo(dst io.Writer) (total int64, err error) {
	buf := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := b.read(buf[:])
		if n > 0 {
			written, writeErr := dst.Write(buf[:n])
			total += int64(written)
			if writeErr != nil {
				return total, writeErr
			}
		}
		if err != nil {
			return total, b.finish(err)
		}
	}
}
