package h2

import (
	"errors"
	"io"
	"net"
	"time"

	"golang.org/x/net/http2"
)

// leaving is how far the end of a connection is announced.
type leaving int

const (
	staying   leaving = iota
	announced         // GOAWAY says that there is an end, but still takes every stream
	left              // GOAWAY named the last stream
)

const anyStream = 1<<31 - 1

// leavePing comes back when the client has read the announcement before it.
var leavePing = [8]byte{'g', 'o', 'i', 'n', 'g'}

// drain announces the end, and refuses requests only after the client had the
// time to read that (RFC 9113, 6.8).
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready {
		c.die(errClosed)
		return
	}
	if c.leaving != staying || c.dead != nil {
		return
	}
	c.leaving = announced
	c.out = appendGoAway(c.out, anyStream, http2.ErrCodeNo, "")
	c.out = appendPing(c.out, 0, leavePing)
	c.lastCall = time.AfterFunc(goAwayWait, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.goAway()
	})
	c.push()
}

// goAway says which stream was the last. The connection ends after it.
func (c *conn) goAway() {
	if c.leaving == left || c.dead != nil {
		return
	}
	c.leaving = left
	if c.ready {
		c.out = appendGoAway(c.out, c.lastID, http2.ErrCodeNo, "")
	}
	c.push()
	if c.unused() {
		c.wake()
	}
}

// over returns why nothing more is to be read.
func (c *conn) over() error {
	if c.dead == nil && c.leaving == left && c.unused() {
		return errLeft
	}
	return c.dead
}

// die ends the connection without a word.
func (c *conn) die(err error) {
	if c.dead == nil {
		c.dead = err
	}
	c.cut()
}

// cut closes the connection. TLS would say goodbye first, for which a client
// that does not read lets it wait.
func (c *conn) cut() {
	if t, ok := c.nc.(interface{ NetConn() net.Conn }); ok {
		t.NetConn().Close()
		return
	}
	c.nc.Close()
}

// kill ends the connection without a word, for the server.
func (c *conn) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.die(errClosed)
}

// finish ends the connection, with a last word where that can be heard. The
// goroutine that reads calls it.
func (c *conn) finish(err error) {
	c.mu.Lock()
	heard := c.dead == nil && err == errLeft
	timeout, gives := c.stall, c.gives
	var f *failure
	if errors.As(err, &f) && c.dead == nil {
		heard, timeout = true, lingerTime
		c.out = appendGoAway(c.out, c.lastID, f.code, f.why)
	}
	if c.dead == nil {
		c.dead = err
	}
	for _, st := range c.streams {
		c.drop(st, errGone, endedByClient)
	}
	c.mu.Unlock()
	c.cancel()
	if heard {
		c.lastWrite(timeout)
		if !gives {
			c.linger()
		}
	}
	c.cut()
	c.nc.Close()
	c.mu.Lock()
	c.late.Stop()
	c.ticker.Stop()
	if c.lastCall != nil {
		c.lastCall.Stop()
	}
	done := c.takeFinished()
	c.mu.Unlock()
	report(done)
	if c.in.idle() {
		c.in.shrink()
	}
	close(c.closed)
}

// lastWrite writes what is left, after whoever writes now.
func (c *conn) lastWrite(timeout time.Duration) {
	if timeout > 0 {
		_ = c.nc.SetWriteDeadline(time.Now().Add(timeout))
	}
	c.mu.Lock()
	for c.writing {
		c.written.Wait()
	}
	b := c.out
	c.mu.Unlock()
	if len(b) > 0 {
		_, _ = c.nc.Write(b)
	}
}

// linger waits until the client has taken what was written: to close a
// connection with unread bytes could take it away again.
func (c *conn) linger() {
	if w, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(c.nc, lingerBytes))
}
