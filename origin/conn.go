package origin

import (
	"net"
	"syscall"
	"time"
)

// conn is a connection to the origin.
type conn struct {
	net.Conn
	tcp   *net.TCPConn // the same, if it is one
	raw   syscall.RawConn
	abort func()    // closes it
	used  bool      // it has carried an exchange
	since time.Time // it has been idle

	look  func(fd uintptr) // fills in quiet
	quiet bool
	waste [1]byte

	turn     func(fd uintptr) bool // works on question
	question question
}

func newConn(nc net.Conn) *conn {
	c := &conn{Conn: nc}
	c.abort = func() { nc.Close() }
	c.tcp, _ = nc.(*net.TCPConn)
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.look, c.turn = c.peek, c.take
	return c
}

// silent reports whether nothing has come on an idle connection: neither its
// end nor bytes that nobody asked for, which must not be taken for the answer
// to what is asked next (RFC 9112, 9.2). What cannot be looked at is taken for
// silent.
func (c *conn) silent() bool {
	if c.raw == nil {
		return true
	}
	c.quiet = false
	err := c.raw.Control(c.look)
	return err == nil && c.quiet
}
