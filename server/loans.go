package server

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// loans is the listener of net/http: it accepts what the lane does not serve.
type loans struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newLoans(addr net.Addr) *loans {
	return &loans{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *loans) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *loans) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *loans) Addr() net.Addr { return l.addr }

// lend gives a connection to net/http for the request whose head was parsed, and
// waits until that is answered. net/http reads its head and its content, as far as
// they are framed as they must be, and sees nothing of what follows.
func (l *loans) lend(c *conn) fate {
	n := newLoan(c)
	n.walk = newWalk(&n.work.rq)
	select {
	case l.conns <- n.asSeen():
	case <-l.closed:
		return end
	}
	<-n.over
	c.holds.Store(nil)
	switch {
	case n.kept.Load():
		return hand
	case c.gone.Load():
		return end
	case !n.idle.Load() || !n.read.Load():
		return leave
	}
	c.work = n.work
	c.rest()
	c.hold(0)
	_ = c.nc.SetDeadline(time.Time{})
	return read
}

// asRead returns the connection as one of which nothing was read.
func (c *conn) asRead() net.Conn {
	if c.work == nil {
		return c.nc
	}
	n := newLoan(c)
	n.kept.Store(true)
	return n
}

// loan is a connection as others see it. net/http finds the end of the stream after
// one request, unless that switches to another protocol.
type loan struct {
	net.Conn
	c    *conn
	work *work
	walk walk
	read atomic.Bool // all of the request
	idle atomic.Bool // net/http waits for the next request
	kept atomic.Bool // it speaks another protocol, and does not come back

	mu      sync.Mutex
	expired chan struct{} // closed when the read deadline is in the past
	isOver  sync.Once
	over    chan struct{} // closed when net/http has done with it
}

// newLoan takes what the connection has read.
func newLoan(c *conn) *loan {
	n := &loan{Conn: c.nc, c: c, work: c.work, expired: make(chan struct{}), over: make(chan struct{})}
	c.work = nil
	return n
}

// unframed is what net/http reads in place of a line that is wrong. It is wrong
// wherever in chunked content it stands, and that the handler is told; after an error
// it would be told that the client has left.
const unframed = " \x00\r\n\r\n"

func (n *loan) Read(p []byte) (int, error) {
	switch {
	case n.kept.Load():
		return n.readRest(p)
	case n.idle.Load():
		return 0, net.ErrClosed
	case n.walk.over():
		return 0, n.watch()
	}
	for n.walk.left == 0 {
		whole, ok := n.walk.line(n.work.unread())
		if !ok {
			return copy(p, unframed), nil
		}
		if whole {
			continue
		}
		if err := n.fill(); err != nil {
			return 0, err
		}
	}
	p = p[:min(int64(len(p)), n.walk.left)]
	size := copy(p, n.work.unread())
	n.work.r += size
	n.work.shrink()
	var err error
	if size == 0 {
		size, err = n.Conn.Read(p)
	}
	n.walk.left -= int64(size)
	n.read.Store(n.walk.over())
	return size, err
}

// fill reads more than what was read.
func (n *loan) fill() error {
	w := n.work
	w.compact()
	size, err := n.Conn.Read(w.in[w.n:])
	w.n += size
	if size > 0 {
		return nil
	}
	return err
}

// readRest reads what follows a request.
func (n *loan) readRest(p []byte) (int, error) {
	w := n.work
	if w == nil {
		return n.Conn.Read(p)
	}
	size := copy(p, w.unread())
	if w.r += size; w.r == w.n {
		n.work = nil
		w.free()
		if size == 0 {
			return n.Conn.Read(p)
		}
	}
	return size, nil
}

// Write writes for net/http, which sets the deadlines.
func (n *loan) Write(p []byte) (int, error) {
	n.c.pending.Store(int64(len(p)))
	n.c.waits()
	defer n.c.moves()
	return n.Conn.Write(p)
}

// watch waits for the client to leave, while net/http answers a request. The
// bytes of later requests are kept for the lane.
func (n *loan) watch() error {
	for {
		w := n.work
		w.compact()
		if w.n == len(w.in) {
			n.mu.Lock()
			expired := n.expired
			n.mu.Unlock()
			<-expired
			return os.ErrDeadlineExceeded
		}
		if err := n.fill(); err != nil {
			return err
		}
	}
}

func (n *loan) SetReadDeadline(t time.Time) error {
	n.mu.Lock()
	select {
	case <-n.expired:
		n.expired = make(chan struct{})
	default:
	}
	if !t.IsZero() && time.Until(t) <= 0 {
		close(n.expired)
	}
	n.mu.Unlock()
	return n.Conn.SetReadDeadline(t)
}

func (n *loan) SetDeadline(t time.Time) error {
	_ = n.SetReadDeadline(t)
	return n.SetWriteDeadline(t)
}

// Close gives the connection back to the lane, which closes it or goes on with it;
// when that does not want it back it closes it.
func (n *loan) Close() error {
	n.isOver.Do(func() { close(n.over) })
	if !n.kept.Load() {
		return nil
	}
	n.c.ticket.leave()
	return n.Conn.Close()
}

// NetConn returns the connection to the network, under TLS, for it to be closed
// without goodbye.
func (n *loan) NetConn() net.Conn {
	if n.kept.Load() {
		n.c.ticket.leave()
	}
	return under(n.Conn)
}

// CloseWrite closes our side only.
func (n *loan) CloseWrite() error {
	if t, ok := n.Conn.(interface{ CloseWrite() error }); ok {
		return t.CloseWrite()
	}
	return nil
}

// tlsLoan is a loan over TLS, of which net/http wants to know.
type tlsLoan struct{ *loan }

// ConnectionState returns what was agreed in the handshake.
func (n tlsLoan) ConnectionState() tls.ConnectionState { return *n.c.tls }

// connState notes that net/http has answered a request, or given the connection
// away.
func connState(nc net.Conn, state http.ConnState) {
	var n *loan
	switch t := nc.(type) {
	case *loan:
		n = t
	case tlsLoan:
		n = t.loan
	}
	switch {
	case n == nil:
	case state == http.StateIdle:
		n.idle.Store(true)
	case state == http.StateHijacked:
		n.kept.Store(true)
		n.isOver.Do(func() { close(n.over) })
	}
}

// asSeen returns the loan as the connection that net/http gets.
func (n *loan) asSeen() net.Conn {
	if n.c.tls != nil {
		return tlsLoan{n}
	}
	return n
}
