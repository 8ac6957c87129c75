package proxy

import (
	"net"
	"net/http"
	"time"
)

// slice is how much is written under one deadline. A body that is not larger is
// written under that of its head.
const slice = 64 << 10

// write sends content. Of a body that is not small the client must take each
// slice within the write timeout.
func (x *exchange) write(b []byte) error {
	for len(b) > 0 {
		if !x.small {
			x.deadline()
		}
		n, err := x.w.Write(b[:min(len(b), slice)])
		x.o.Bytes += int64(n)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// deadline gives the client its time for the next write. The library takes it
// off at the end of the exchange.
func (x *exchange) deadline() {
	if x.c.WriteTimeout > 0 {
		_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(x.c.WriteTimeout))
	}
}

// flush sends what was written so far.
func (x *exchange) flush() error {
	x.deadline()
	return http.NewResponseController(x.w).Flush()
}

// finish ends a body: one that could not be written to its end breaks the
// connection, so that the client cannot take it for complete.
func (x *exchange) finish(err error) {
	if err != nil {
		x.o.Aborted = true
		x.reset()
		panic(http.ErrAbortHandler)
	}
}

// reset breaks the connection of a client to which the end of the connection
// is the end of the body, since to close it would say that the body is
// complete (RFC 9112, 6.3).
func (x *exchange) reset() {
	if x.r.ProtoAtLeast(1, 1) || len(x.w.Header()["Content-Length"]) > 0 {
		return
	}
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS would say goodbye first
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	conn.Close()
}
