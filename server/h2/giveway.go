package h2

import (
	"context"
	"net"
	"time"
)

// Conn is a client's connection, which may have to give way to another.
type Conn conn

// Conn returns a connection that Serve is to serve; see ServeConn.
func (s *Server) Conn(ctx context.Context, nc net.Conn) *Conn {
	return (*Conn)(newConn(ctx, s, nc))
}

// Serve serves the connection until it ends, closes it, and waits for its handlers.
func (k *Conn) Serve() {
	c := (*conn)(k)
	if !c.s.add(c) {
		c.cancel()
		c.nc.Close()
		return
	}
	defer c.s.remove(c)
	c.serve()
}

// IdleSince returns since when there was no new request. It returns false if a stream
// is open, if something is still to be sent, and if the client has not said hello. It
// never waits.
func (k *Conn) IdleSince() (time.Time, bool) {
	c := (*conn)(k)
	if !c.mu.TryLock() { // it is busy
		return time.Time{}, false
	}
	defer c.mu.Unlock()
	return c.active, c.mayGo()
}

// GiveWay ends the connection if it is idle as IdleSince says: with GOAWAY, so that the
// client may send elsewhere what we have not read (RFC 9113, 6.8). It never waits. It
// returns false if the connection goes on.
func (k *Conn) GiveWay() bool {
	c := (*conn)(k)
	if !c.mu.TryLock() {
		return false
	}
	defer c.mu.Unlock()
	if !c.mayGo() {
		return false
	}
	c.gives, c.stall = true, giveWayTime
	c.goAway()
	return true
}

// mayGo reports whether nothing is lost with the connection.
func (c *conn) mayGo() bool {
	return c.ready && c.waiting && c.unused() && !c.writing && !c.hasMore() && c.leaving == staying && c.dead == nil
}
