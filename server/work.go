package server

import (
	"bytes"
	"net"
	"sync"

	"cacheproxy/proxy"
)

// usualHead is how much of a request head there is room for at first, in bytes.
const usualHead = 16 << 10

// maxOut is how much of an answer is copied to be sent with its head, and how
// much waits before it is sent while more requests are at hand.
const maxOut = 16 << 10

// work is what a connection needs while it is not waiting.
type work struct {
	in    []byte // room, or more
	r, n  int    // unread: in[r:n]
	seen  int    // of the unread, when a head was read that is not whole; 0 = none was
	again int    // how much unread there must be to read it again, whatever it is
	out   []byte
	rq    request
	reply proxy.Reply
	parts net.Buffers
	room  [usualHead]byte
}

var works = sync.Pool{New: func() any {
	w := new(work)
	w.in = w.room[:]
	return w
}}

// newWork returns work with nothing in it.
func newWork() *work {
	w := works.Get().(*work)
	w.r, w.n, w.seen, w.out = 0, 0, 0, w.out[:0]
	return w
}

// free gives work back that is done.
func (w *work) free() {
	if cap(w.out) > 4*maxOut {
		w.out = nil
	}
	w.r = w.n
	w.shrink()
	works.Put(w)
}

// shrink gives up the memory for a long head, and what points into it, when nothing
// of it is unread.
func (w *work) shrink() {
	if w.r == w.n && len(w.in) > usualHead {
		w.in, w.r, w.n = w.room[:], 0, 0
		w.rq, w.reply = request{}, proxy.Reply{}
	}
}

// unread is what was read and not yet used.
func (w *work) unread() []byte { return w.in[w.r:w.n] }

// compact makes room behind what is unread.
func (w *work) compact() {
	if w.r > 0 {
		w.n, w.r = copy(w.in, w.in[w.r:w.n]), 0
	}
}

// compactFor makes room for more of a head, of as many bytes in all.
func (w *work) compactFor(most int) {
	w.compact()
	if w.n == len(w.in) && w.n < most {
		more := make([]byte, min(2*len(w.in), most))
		copy(more, w.in)
		w.in = more
	}
}

// leave notes that the head that has begun is not whole.
func (w *work) leave(most *headLimits) {
	w.seen = w.n - w.r
	w.again = min(2*w.seen+usualHead/16, most.bytes)
	if w.seen <= most.target {
		w.again = min(w.again, most.target+maxMethod+2)
	}
}

// mostOften is how long a head may be to be read again for each of its lines.
const mostOften = 4 << 10

// due reports whether a head is to be read. Of one that was not whole another line
// must have come, and of a long one the last, or it must be twice as long: so a
// client that sends it byte by byte costs little.
func (w *work) due() bool {
	b := w.unread()
	if w.seen == 0 || len(b) >= w.again {
		return true
	}
	for at := w.seen; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
		if at <= mostOften || b[at-2] != '\r' || b[at-3] == '\n' || b[at-3] == '\r' { // the last of them, or a broken one
			return true
		}
	}
	w.seen = len(b)
	return false
}
