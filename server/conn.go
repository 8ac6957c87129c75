package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"cacheproxy/policy"
	"cacheproxy/server/h2"
)

// conn is a client's connection. One goroutine serves it. While it waits for a
// request it holds no buffer, and of one that is not whole what has come.
type conn struct {
	s      *Server
	nc     net.Conn        // TCP or TLS
	raw    syscall.RawConn // of TCP in clear; nil: it is read and written through nc
	remote string
	tls    *tls.ConnectionState
	ticket ticket

	work   *work
	stowed *stowed // the head that has begun, while the connection waits without work
	held   int     // bytes of a head that are counted as held
	fate   fate
	little [64]byte // to wait for the first bytes, where waiting needs a buffer

	fd      int           // of raw, while its callback runs; otherwise -1
	partial bool          // the time for a head has begun
	served  bool          // a request has come
	skipped bool          // an empty line was, before the next one
	timeout time.Duration // for a slice of what is sent; 0 = none

	multi   atomic.Pointer[h2.Conn]      // it speaks HTTP/2
	state   atomic.Uint32                // busy, waiting or dismissed
	idle    atomic.Bool                  // when it waits, it waits for a further request
	gone    atomic.Bool                  // it was abandoned: nothing is sent any more
	unsure  atomic.Bool                  // it may have ended together with what was read last
	readBy  atomic.Int64                 // when waiting ends, on the server's clock; 0 = never
	queued  atomic.Int64                 // what the kernel had to send when writeBy was set
	term    atomic.Int64                 // what writeBy was set by, in nanoseconds
	writeBy atomic.Int64                 // when the write that waits has failed; 0 = never, or none waits
	since   atomic.Int64                 // when the client was last seen to take a slice, while a write waits; 0 = none waits
	pending atomic.Int64                 // bytes of the write that waits
	holds   atomic.Pointer[func() int64] // memory that the answer of the handler takes; nil = not known

	mu       sync.Mutex         // guards what follows: the sweeper looks after an exchange
	cancel   context.CancelFunc // of the exchange; nil = none
	watching chan struct{}      // closed when the watcher has returned; nil = none
	early    int                // bytes in little that the watcher has read
}

// What a connection is doing. Only the connection leaves busy, and whoever
// takes it out of waiting decides: it goes on, or it ends.
const (
	busy uint32 = iota
	waiting
	dismissed
)

// fate is what becomes of a connection.
type fate uint8

const (
	read  fate = iota // more is wanted
	end               // it is to be closed
	leave             // it is to be closed, though the client may be sending
	once              // net/http is to answer one request
	hand              // it speaks another protocol, of which others take care
	multi             // it speaks HTTP/2
)

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{s: s, nc: nc, remote: nc.RemoteAddr().String(), fd: -1, partial: true}
	if s.o.TLS != nil {
		c.nc = tls.Server(nc, s.o.TLS)
	} else {
		c.raw = rawConn(nc)
	}
	c.readBy.Store(s.clock.after(s.o.ReadHeader))
	return c
}

// serve serves a connection until it ends, or speaks another protocol.
func (c *conn) serve() {
	defer c.s.forget(c)
	defer c.hold(0)
	defer func() {
		if c.fate != hand {
			c.ticket.leave()
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			c.s.panicked(p)
			c.nc.Close()
		}
	}()
	if c.fate = c.greet(); c.fate == end {
		c.nc.Close()
		return
	}
	for {
		switch c.fate {
		case read:
			c.fate = c.read()
		case once:
			c.fate = c.s.loans.lend(c)
			if c.fate == read && c.work != nil { // more came meanwhile
				c.fate = c.step()
			}
		case multi:
			m := c.s.h2.Conn(context.Background(), c.asRead())
			c.multi.Store(m)
			m.Serve()
			return
		case hand:
			return
		case leave:
			c.leave()
			c.rest()
			return
		default:
			c.nc.Close()
			c.rest()
			return
		}
	}
}

// read waits for requests and answers them, until the connection shall do
// something else.
func (c *conn) read() fate {
	if c.raw != nil {
		c.fate = read
		if err := c.raw.Read(c.ready); err != nil {
			return c.overdue()
		}
		return c.fate
	}
	into := c.little[:]
	if c.work != nil {
		c.work.compactFor(c.s.head.bytes)
		into = c.work.in[c.work.n:]
	}
	if !c.await() {
		return end
	}
	n, err := c.nc.Read(into)
	switch {
	case !c.awake():
		if c.work != nil {
			c.work.n += n
		}
		return c.overdue()
	case n == 0 && errors.Is(err, io.EOF):
		return c.ended(policy.BadRequest)
	case n == 0 && err != nil:
		return end
	}
	if n == 0 {
		return read
	}
	if c.work == nil {
		copy(c.begin().in[:], into[:n])
	}
	c.work.n += n
	return c.step()
}

// ready is called with a socket that may be readable. It returns false to wait
// until it is, without the read that would say that there is nothing yet: a
// read that does not fill its buffer has emptied the socket.
func (c *conn) ready(fd uintptr) bool {
	c.fd = int(fd)
	done := c.readable()
	c.fd = -1
	return done
}

func (c *conn) readable() bool {
	for {
		w := c.begin()
		w.compactFor(c.s.head.bytes)
		room := w.in[w.n:]
		n, again := readFD(c.fd, room)
		if again {
			c.rest()
			c.stow()
			return !c.await()
		}
		if n < 0 {
			c.fate = end
			return true
		}
		if !c.awake() { // its time was over just now
			w.n += n
			c.fate = c.overdue()
			return true
		}
		if n == 0 {
			c.fate = c.ended(policy.BadRequest)
			return true
		}
		w.n += n
		if c.fate = c.step(); c.fate != read {
			return true
		}
		// Of a head that is not whole it must be known at once whether it ends.
		if n < len(room) && c.work == nil {
			c.unsure.Store(true)
			return !c.await()
		}
	}
}

// begin returns the work of this connection.
func (c *conn) begin() *work {
	if c.work == nil {
		c.work = newWork()
		c.unstow(c.work)
	}
	return c.work
}

// rest gives the work back when there is nothing in it.
func (c *conn) rest() {
	if w := c.work; w != nil && w.r == w.n {
		c.work = nil
		w.free()
	}
}

// await notes that the connection waits, and until when. It returns false when
// it shall end.
func (c *conn) await() bool {
	begun := c.work != nil || c.stowed != nil
	switch {
	case begun && !c.partial: // a head has begun
		c.partial = true
		c.idle.Store(false)
		c.readBy.Store(c.s.clock.after(c.s.o.ReadHeader))
	case !begun && c.served:
		c.partial = false
		if !c.idle.Load() {
			c.idle.Store(true)
		}
		c.readBy.Store(c.s.clock.after(c.s.o.Idle))
	}
	if !c.state.CompareAndSwap(busy, waiting) && c.state.Load() != waiting {
		c.fate = end
		return false
	}
	if c.s.draining.Load() && c.state.CompareAndSwap(waiting, busy) {
		c.fate = end
		return false
	}
	return true
}

// awake ends waiting. It returns false when the connection was dismissed.
func (c *conn) awake() bool {
	return c.state.CompareAndSwap(waiting, busy) || c.state.Load() == busy
}

// overdue ends a connection whose time is over. A request that comes just when the
// time for the next one ends was not seen: its client may send it elsewhere.
func (c *conn) overdue() fate {
	if c.s.draining.Load() || c.idle.Load() {
		return end
	}
	return c.ended(policy.RequestTimeout)
}

// idleUntil returns when a connection that waits for a further request, and would lose
// nothing, has waited long enough, on the server's clock; false for any other.
func (c *conn) idleUntil() (int64, bool) {
	if m := c.multi.Load(); m != nil {
		since, ok := m.IdleSince()
		return int64(since.Add(c.s.o.Idle).Sub(c.s.clock.start)), ok
	}
	return c.readBy.Load(), c.idle.Load() && c.state.Load() == waiting
}

// giveWay ends a connection that idleUntil told of, unless it is needed by now.
func (c *conn) giveWay() bool {
	if m := c.multi.Load(); m != nil {
		return m.GiveWay()
	}
	return c.dismiss()
}

// dismiss ends a connection if it waits.
func (c *conn) dismiss() bool {
	if !c.state.CompareAndSwap(waiting, dismissed) {
		return false
	}
	_ = c.nc.SetReadDeadline(past)
	return true
}

// abandon ends a connection at once.
func (c *conn) abandon() {
	c.gone.Store(true)
	if c.raw != nil {
		shutDown(c.raw) // to close it would wait for an exchange
	} else {
		under(c.nc).Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}

// past ends what waits for a connection.
var past = time.Unix(1, 0)

// under returns what lies under TLS, which does not wait to say goodbye.
func under(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

// greet finds out what the connection speaks.
func (c *conn) greet() fate {
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return read
	}
	ctx := context.Background()
	if c.s.o.ReadHeader > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.s.o.ReadHeader)
		defer cancel()
	}
	if t.HandshakeContext(ctx) != nil {
		return end
	}
	state := t.ConnectionState()
	c.tls = &state
	if state.NegotiatedProtocol == "h2" {
		return multi
	}
	return read
}
