package origin

import (
	"net"
	"net/netip"
	"syscall"
	"time"
)

// conn is a connection to the origin.
type conn struct {
	net.Conn
	plain net.Conn // the same, if it is a socket in clear
	tls   *secured // the same, if it is TLS
	raw   syscall.RawConn
	addr  netip.Addr // zero if it does not matter
	abort func()     // closes it, without a word
	used  bool       // it has carried an exchange
	since time.Time  // it has been idle

	look  func(fd uintptr) // fills in quiet and ended
	quiet bool             // nothing has come
	ended bool             // nothing comes any more
	waste [1]byte

	turn     func(fd uintptr) bool // works on question
	question question
}

func newConn(nc net.Conn) *conn {
	c := &conn{Conn: nc}
	below := nc
	if c.tls, _ = nc.(*secured); c.tls != nil {
		below = c.tls.below.Conn
	}
	c.abort = func() { below.Close() }
	if sc, ok := below.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		c.plain = nc
	}
	c.look, c.turn = c.peek, c.take
	return c
}

// silent reports whether nothing has come on an idle connection: neither its
// end nor bytes that nobody asked for, which must not be taken for the answer
// to what is asked next (RFC 9112, 9.2). What cannot be looked at is taken for
// silent.
func (c *conn) silent() bool {
	if c.tls != nil {
		return c.tls.silent(c.empty)
	}
	return c.empty()
}

// empty reports whether nothing is at the socket.
func (c *conn) empty() bool {
	if c.raw == nil {
		return true
	}
	c.quiet, c.ended = false, false
	err := c.raw.Control(c.look)
	return err == nil && c.quiet
}

// broken reports whether the connection is known to have ended.
func (c *conn) broken() bool { return !c.empty() && c.ended }
