package h2

import (
	"errors"
	"os"
	"time"
)

var past = time.Unix(1, 0)

// await returns when the next frame is here, or when the connection is over.
func (c *conn) await() error {
	for {
		c.mu.Lock()
		if err := c.over(); err != nil {
			c.mu.Unlock()
			return err
		}
		if c.asked {
			c.asked, c.active = false, time.Now()
		}
		c.waiting = true
		c.mu.Unlock()
		err := c.in.wait(c.bound)
		woken := c.awake(err == nil)
		if err == nil {
			return nil
		}
		if !woken || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if c.in.idle() {
			c.in.shrink()
			c.head.fields, c.rq.Fields = nil, nil
		}
	}
}

// awake ends a wait, and reports whether it was interrupted.
func (c *conn) awake(more bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = false
	woken := c.woken
	bounded := !c.frameBy.IsZero()
	if more {
		c.bounded, c.frameBy = false, time.Time{}
	}
	if woken || more && bounded {
		c.woken = false
		_ = c.nc.SetReadDeadline(time.Time{})
	}
	if more && c.shrunk {
		c.shrunk = false
		c.ticker.Reset(c.nextTick())
	}
	return woken
}

// bound bounds the time for the rest of a frame of which a part is here, and which may
// turn out to be one of content. Being woken meanwhile gives it no new time.
func (c *conn) bound(content bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready { // before, the whole greeting is bounded
		return
	}
	limit := c.s.ReadHeader
	if content {
		limit = c.content
	}
	switch {
	case c.bounded && content == c.ofContent:
	case limit <= 0:
		c.frameBy = time.Time{}
	case content:
		c.frameBy = time.Now().Add(limit + lingerTime) // so that who reads it ends the stream first, with 408
	default:
		c.frameBy = time.Now().Add(limit)
	}
	c.bounded, c.ofContent = true, content
	if !c.woken {
		_ = c.nc.SetReadDeadline(c.frameBy)
	}
}

// wake interrupts the goroutine that waits for the next frame. Any other
// moment would lose what was read.
func (c *conn) wake() {
	if c.waiting && !c.woken {
		c.woken = true
		_ = c.nc.SetReadDeadline(past)
	}
}

// tick looks after a connection without requests: first its buffers go, in the
// end the connection.
func (c *conn) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead != nil {
		return
	}
	if quiet := time.Since(c.active); c.unused() && !c.asked {
		if c.s.Idle > 0 && quiet >= c.s.Idle {
			c.goAway()
		} else if quiet >= shrinkAfter && c.ready && c.waiting && !c.writing && !c.shrunk {
			c.shrunk = true
			c.enc.shrink()
			c.wake()
		}
	}
	c.ticker.Reset(c.nextTick())
}

// nextTick returns when there may be something to do for tick.
func (c *conn) nextTick() time.Duration {
	next, quiet := time.Hour, time.Since(c.active)
	if !c.shrunk {
		next = shrinkAfter - quiet
		if next <= 0 {
			next = shrinkAfter
		}
	}
	if c.s.Idle > 0 {
		left := c.s.Idle - quiet
		if left <= 0 {
			left = c.s.Idle
		}
		next = min(next, left)
	}
	return next
}

// unused reports whether no request is under way.
func (c *conn) unused() bool { return len(c.streams) == 0 && c.handlers == 0 }
