package origin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// upload sends the content of a request while the response is awaited.
type upload struct {
	conn    *conn
	r       *http.Request
	limit   time.Duration // for the origin to take some of it, and to answer afterwards
	started bool
	done    chan struct{} // closed when nothing more is sent
	last    atomic.Bool   // the end of the content is being written

	mu     sync.Mutex
	heard  bool  // the origin has answered: it may be as slow as it likes
	sent   bool  // all of it
	broken error // why it broke off, if that is not the connection's doing
}

func newUpload(c *conn, r *http.Request, limit time.Duration) *upload {
	return &upload{conn: c, r: r, limit: limit, done: make(chan struct{})}
}

// start begins to send. The response has all the time that takes.
func (u *upload) start() {
	u.started = true
	_ = u.conn.SetReadDeadline(time.Time{})
	go u.run()
}

func (u *upload) run() {
	defer close(u.done)
	broken, err := u.send()
	u.r.Body.Close()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		broken = timedOut(WriteTimeout, "nothing of the request's content taken for", u.limit)
	}
	u.mu.Lock()
	u.sent, u.broken = broken == nil && err == nil, broken
	if !u.heard {
		_ = u.conn.SetReadDeadline(time.Now().Add(u.limit))
	}
	u.mu.Unlock()
	// After another error of the connection there may still be an answer to read.
	if broken != nil { // without a word: an end of TLS in good order could bring an answer
		u.conn.abort()
	}
}

// Room for the frame around a piece of content in chunks.
const (
	sizeRoom  = 16       // before it: its size and CRLF
	pieceSize = 32 << 10 // the most in one piece
	endRoom   = 64       // after it: CRLF and what follows the last chunk
)

type (
	pieceBuffer [sizeRoom + pieceSize + endRoom]byte
	smallPiece  [2 << 10]byte
)

var (
	pieceBuffers = sync.Pool{New: func() any { return new(pieceBuffer) }}
	smallPieces  = sync.Pool{New: func() any { return new(smallPiece) }}
)

// send writes the content. broken is why it cannot be had, err why it cannot
// be written.
func (u *upload) send() (broken, err error) {
	if u.r.ContentLength > 0 {
		return u.sendSized()
	}
	buf := pieceBuffers.Get().(*pieceBuffer)
	defer pieceBuffers.Put(buf)
	return u.sendChunks(buf)
}

// sendSized takes a large buffer only once there was content to fill a small one: a
// client that drips costs little.
func (u *upload) sendSized() (broken, err error) {
	small := smallPieces.Get().(*smallPiece)
	defer smallPieces.Put(small)
	buf, full := small[:], false
	for left := u.r.ContentLength; left > 0; {
		if full && len(buf) < pieceSize {
			large := pieceBuffers.Get().(*pieceBuffer)
			defer pieceBuffers.Put(large)
			buf = large[:pieceSize]
		}
		n, err := u.r.Body.Read(buf[:min(left, int64(len(buf)))])
		left, full = left-int64(n), n == len(buf)
		if left == 0 && err == nil {
			err = u.exhausted()
		}
		switch {
		case err == io.EOF && left > 0:
			return failed(Canceled, "the request's content is %d bytes short: %w", left, io.ErrUnexpectedEOF), nil
		case err != nil && err != io.EOF:
			return failed(Canceled, "reading the request's content: %w", err), nil
		}
		u.last.Store(left == 0)
		if err := u.write(buf[:n]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// exhausted returns io.EOF if the content ends where it should. To read the
// end tells its owner that all was read.
func (u *upload) exhausted() error {
	var b [1]byte
	for {
		n, err := u.r.Body.Read(b[:])
		if n > 0 {
			return fmt.Errorf("longer than its Content-Length of %d bytes", u.r.ContentLength)
		}
		if err != nil {
			return err
		}
	}
}

// sendChunks writes content of unknown length, each piece with its frame at
// once, and the trailer.
func (u *upload) sendChunks(buf *pieceBuffer) (broken, err error) {
	for {
		n, err := u.r.Body.Read(buf[sizeRoom : sizeRoom+pieceSize])
		if err != nil && err != io.EOF {
			return failed(Canceled, "reading the request's content: %w", err), nil
		}
		out := chunkOf(buf, n)
		if err == io.EOF {
			if out, err = u.appendEnd(out); err != nil {
				return err, nil
			}
			u.last.Store(true)
			return nil, u.write(out)
		}
		if err := u.write(out); err != nil {
			return nil, err
		}
	}
}

// chunkOf puts the frame around n bytes in buf: nothing around nothing.
func chunkOf(buf *pieceBuffer, n int) []byte {
	if n == 0 {
		return buf[:0]
	}
	var size [sizeRoom]byte
	digits := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	from := sizeRoom - len(digits)
	copy(buf[from:], digits)
	return append(buf[from:sizeRoom+n], "\r\n"...)
}

// appendEnd appends the last chunk and the trailer, whose values are known now.
func (u *upload) appendEnd(b []byte) ([]byte, error) {
	o := outline{text: append(b, "0\r\n"...)}
	names, err := trailerNames(u.r)
	if err == nil {
		err = o.fields(names, u.r.Trailer, framed)
	}
	if err != nil {
		err = &Error{Failure: Unsendable, Err: err}
	}
	return append(o.text, "\r\n"...), err
}

// write writes a piece; until it has answered, the origin must take it in time.
func (u *upload) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	u.mu.Lock()
	if !u.heard {
		_ = u.conn.SetWriteDeadline(time.Now().Add(u.limit))
	}
	u.mu.Unlock()
	_, err := u.conn.Write(b)
	return err
}

// answered notes that the response head is here.
func (u *upload) answered() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.heard = true
	_ = u.conn.SetWriteDeadline(time.Time{})
}

// failure returns why the content broke off, if it did.
func (u *upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.broken
}

// settle is how long the end of a response waits for a write that is about to
// return: an origin may answer faster than that.
const settle = 50 * time.Millisecond

// complete reports whether all of the content was sent.
func (u *upload) complete() bool {
	if !u.last.Load() {
		return false
	}
	select {
	case <-u.done:
	default:
		t := time.NewTimer(settle)
		defer t.Stop()
		select {
		case <-u.done:
		case <-t.C:
			return false
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.sent
}
