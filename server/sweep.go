package server

import (
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// tick is how often the sweeper looks at every connection. Timeouts are late by
// up to twice as much, never early, and cost a request nothing.
const tick = 500 * time.Millisecond

// clock is a coarse clock: nanoseconds since it was started, at least one.
type clock struct {
	start time.Time
	now   atomic.Int64
}

func (c *clock) set(now time.Time) {
	if c.start.IsZero() {
		c.start = now.Add(-1)
	}
	c.now.Store(int64(now.Sub(c.start)))
}

// after returns the time that is d from now on; 0 = never, for a d of 0.
func (c *clock) after(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	return c.now.Load() + int64(tick) + int64(d) // it may lag behind by a tick
}

// precise returns the time that it is now, without lagging behind.
func (c *clock) precise() int64 { return int64(time.Since(c.start)) }

// passed reports whether a time that after returned is over.
func (c *clock) passed(t int64) bool { return t > 0 && c.now.Load() >= t }

// sweep keeps the clock and looks after the connections.
func (s *Server) sweep() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			s.clock.set(now)
			s.mu.Lock()
			for c := range s.conns {
				c.look()
			}
			s.mu.Unlock()
		}
	}
}

// look ends what takes too long, and finds out about clients that have left.
func (c *conn) look() {
	if by := c.writeBy.Load(); c.s.clock.passed(by) && c.stalls(by) {
		_ = c.nc.SetWriteDeadline(past)
	}
	if c.state.Load() == waiting {
		// With its last bytes a client may have closed its side, which makes no
		// other event.
		if c.s.clock.passed(c.readBy.Load()) || c.raw != nil && c.unsure.Swap(false) && hungUp(c.raw) {
			c.dismiss()
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.cancel == nil || c.watching != nil:
	case c.raw == nil:
		c.watching = make(chan struct{})
		go c.watch(c.watching)
	case hungUp(c.raw):
		c.cancel()
	}
}

// watch waits for the client to leave while its request is being answered. What
// it reads instead is the beginning of the next request.
func (c *conn) watch(done chan struct{}) {
	defer close(done)
	n, err := c.nc.Read(c.little[:1])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.early = n
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && c.cancel != nil {
		c.cancel()
	}
}

// watchOver ends the watcher, if there is one, and keeps what it has read.
func (c *conn) watchOver() {
	c.mu.Lock()
	c.cancel = nil
	watching := c.watching
	c.watching = nil
	c.mu.Unlock()
	if watching == nil {
		return
	}
	_ = c.nc.SetReadDeadline(past)
	<-watching
	_ = c.nc.SetReadDeadline(time.Time{})
	if c.early > 0 {
		w := c.begin()
		w.compactFor(c.s.head.bytes)
		w.n += copy(w.in[w.n:], c.little[:c.early])
		c.early = 0
	}
}
