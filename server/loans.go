package server

import (
	"bytes"
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

// lend gives a connection to net/http: for the request whose head was parsed,
// or for good. For one request it waits until that is answered.
func (l *loans) lend(c *conn, single bool) fate {
	n := newLoan(c, single)
	if c.work != nil {
		until := c.work.n
		if single {
			until = c.work.r + c.work.rq.size
		}
		n.head = c.take(until)
	}
	select {
	case l.conns <- n.asSeen():
	case <-l.closed:
		c.nc.Close()
		return end
	}
	if !single {
		select { // until then nobody would wait for it in a drain
		case <-n.noted:
		case <-l.closed:
		}
		return hand
	}
	<-n.over
	if !n.idle.Load() {
		c.work = nil // net/http may still be reading into it
		return end
	}
	_ = c.nc.SetDeadline(time.Time{})
	return read
}

// take takes what was read, up to some place in it.
func (c *conn) take(until int) []byte {
	w := c.work
	if w == nil {
		return nil
	}
	b := bytes.Clone(w.in[w.r:until])
	w.r = until
	c.rest()
	return b
}

// asRead returns the connection as one of which nothing was read.
func (c *conn) asRead() net.Conn {
	if c.work == nil {
		return c.nc
	}
	n := newLoan(c, false)
	n.head = c.take(c.work.n)
	return n
}

// loan is a connection as net/http sees it. In a single one net/http finds the
// end of the stream after one request.
type loan struct {
	net.Conn
	c      *conn
	single bool
	head   []byte      // what the lane has read of it
	idle   atomic.Bool // net/http waits for the next request

	mu      sync.Mutex
	expired chan struct{} // closed when the read deadline is in the past
	isOver  sync.Once
	noted   chan struct{} // closed when net/http knows of it
	over    chan struct{} // closed when net/http has done with a single one
}

func newLoan(c *conn, single bool) *loan {
	return &loan{
		Conn: c.nc, c: c, single: single,
		expired: make(chan struct{}), over: make(chan struct{}), noted: make(chan struct{}),
	}
}

func (n *loan) Read(p []byte) (int, error) {
	if len(n.head) > 0 {
		size := copy(p, n.head)
		if n.head = n.head[size:]; len(n.head) == 0 {
			n.head = nil
		}
		return size, nil
	}
	if n.c.late {
		return 0, os.ErrDeadlineExceeded
	}
	if !n.single {
		return n.Conn.Read(p)
	}
	if n.idle.Load() {
		return 0, net.ErrClosed
	}
	return 0, n.watch()
}

// watch waits for the client to leave, while net/http answers a request. The
// bytes of later requests are kept for the lane.
func (n *loan) watch() error {
	for {
		w := n.c.begin()
		if w.r > 0 {
			w.n, w.r = copy(w.in[:], w.in[w.r:w.n]), 0
		}
		if w.n == len(w.in) {
			n.mu.Lock()
			expired := n.expired
			n.mu.Unlock()
			<-expired
			return os.ErrDeadlineExceeded
		}
		size, err := n.Conn.Read(w.in[w.n:])
		w.n += size
		if err != nil {
			return err
		}
	}
}

func (n *loan) SetReadDeadline(t time.Time) error {
	if n.single {
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
	}
	return n.Conn.SetReadDeadline(t)
}

func (n *loan) SetDeadline(t time.Time) error {
	_ = n.SetReadDeadline(t)
	return n.SetWriteDeadline(t)
}

// Close closes the connection, unless it goes back to the lane.
func (n *loan) Close() error {
	defer n.isOver.Do(func() { close(n.over) })
	if n.single && n.idle.Load() {
		return nil
	}
	return n.Conn.Close()
}

// NetConn returns the connection to the network, under TLS.
func (n *loan) NetConn() net.Conn { return under(n.Conn) }

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

// connState notes that net/http has a connection, and that it has answered a
// request.
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
	case state == http.StateNew:
		close(n.noted)
	case state == http.StateIdle:
		n.idle.Store(true)
	}
}

// asSeen returns the loan as the connection that net/http gets.
func (n *loan) asSeen() net.Conn {
	if n.c.tls != nil {
		return tlsLoan{n}
	}
	return n
}
