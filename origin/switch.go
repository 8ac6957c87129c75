package origin

import (
	"bytes"
	"errors"
	"net"
	"time"
)

// switched is a connection that goes on with another protocol. What had
// arrived with the head is read first.
type switched struct {
	net.Conn
	rest []byte
}

// switchProtocols hands the connection over: it is no business of the
// exchange or its context any more.
func (x *exchange) switchProtocols() error {
	if x.up != nil && !x.up.complete() {
		return invalid("the origin switched protocols before it had the request")
	}
	if x.stop != nil && !x.stop() {
		return ended(x.ctx)
	}
	x.over.Store(true)
	_ = x.conn.SetDeadline(time.Time{})
	x.resp.Body = &switched{x.conn.Conn, bytes.Clone(x.in.buf[x.in.from:x.in.to])}
	x.in.drop()
	return nil
}

func (s *switched) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return s.Conn.Read(p)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// CloseWrite ends our side, where the connection can do that.
func (s *switched) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}
