package origin

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// secured is a connection over TLS that tells an end which the origin announced
// from one that anybody on the way could have made.
type secured struct {
	*tls.Conn
	below *cut
	waste [1]byte
}

// cut is the connection below TLS. It notes its own end.
type cut struct {
	net.Conn
	ended  atomic.Bool // by the origin, or somebody on the way
	empty  func() bool // reports that a read would wait; nil = it may
	once   sync.Once
	closed chan struct{} // by us
}

func newCut(nc net.Conn) *cut { return &cut{Conn: nc, closed: make(chan struct{})} }

func (c *cut) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *cut) Read(p []byte) (int, error) {
	if c.empty != nil && c.empty() {
		return 0, os.ErrDeadlineExceeded // after which TLS goes on, as after no other error
	}
	n, err := c.Conn.Read(p)
	if err == io.EOF {
		c.ended.Store(true)
	}
	return n, err
}

// Read returns io.EOF only after a closure alert: without one a body that ends
// with its connection is incomplete (RFC 9112, 9.8).
func (s *secured) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err == io.EOF && s.below.ended.Load() {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// silent reports whether nothing has come that nobody asked for, the end
// included. empty looks at the socket. It takes TLS itself to tell: it may have read
// more of the socket than it has given out, and what is at the socket may be a
// session ticket.
func (s *secured) silent(empty func() bool) bool {
	s.below.empty = empty
	_ = s.SetReadDeadline(time.Time{})
	n, err := s.Conn.Read(s.waste[:])
	s.below.empty = nil
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}
