package server

// mostHeads is how many bytes of heads the connections of a server may hold: of those
// that are not whole, and of those whose requests are being answered. Beyond it only
// heads of up to littleHead bytes are taken, of which there are no more than
// connections: so the large ones of some clients do not keep others from asking.
const (
	mostHeads  = 8 << 20
	littleHead = 4 << 10
)

// hold counts a head of so many bytes, in place of what was counted before for this
// connection. It returns false, and counts nothing, when it is a large one and all
// together take too much.
func (c *conn) hold(size int) bool {
	more := int64(size - c.held)
	if c.s.heads.Add(more) > mostHeads && size > littleHead && more > 0 {
		c.s.heads.Add(-more)
		c.hold(0)
		return false
	}
	c.held = size
	return true
}

// stowed is a head that is not whole, in no more memory than it takes.
type stowed struct {
	head        []byte
	seen, again int // as in work
}

// stow puts a head that is not whole away, and gives the work back.
func (c *conn) stow() {
	w := c.work
	if w == nil {
		return
	}
	c.stowed = &stowed{append([]byte(nil), w.unread()...), w.seen, w.again}
	w.r = w.n
	c.rest()
}

// unstow takes the head out again, into new work.
func (c *conn) unstow(w *work) {
	s := c.stowed
	if s == nil {
		return
	}
	c.stowed = nil
	if len(s.head) > len(w.in) {
		w.in = make([]byte, len(s.head))
	}
	w.n, w.seen, w.again = copy(w.in, s.head), s.seen, s.again
}
