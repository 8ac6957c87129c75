package server

import (
	"net"
	"time"
)

// slice is how much a client that is slow has the write timeout for, in bytes.
const slice = 64 << 10

// send writes to the client.
func (c *conn) send(b []byte) error {
	if c.fd >= 0 && !c.gone.Load() {
		n, err := writeFD(c.fd, b)
		if err != nil || n == len(b) {
			return err
		}
		b = b[n:]
	}
	return c.insist(net.Buffers{b})
}

// sendAll writes parts to the client, in one call to the system where it can.
func (c *conn) sendAll(parts net.Buffers) error {
	if c.fd >= 0 && !c.gone.Load() {
		n, err := writevFD(c.fd, parts)
		if err != nil {
			return err
		}
		if parts = without(parts, n); len(parts) == 0 {
			return nil
		}
	}
	return c.insist(parts)
}

// arm gives the client its time for the next slice.
func (c *conn) arm() {
	c.waits()
	c.term.Store(int64(c.timeout))
	c.writeBy.Store(c.s.clock.after(c.timeout))
}

// unsent returns how much the kernel still has to send, or -1.
func (c *conn) unsent() int64 {
	if t, ok := under(c.nc).(*net.TCPConn); ok {
		return outQueue(t)
	}
	return -1
}

// stalls is called when the client's time for a slice is over. It reports whether
// the client has really not taken one: a socket with a large buffer asks for
// more only when much of it is empty.
func (c *conn) stalls(by int64) bool {
	now := c.unsent()
	if now < 0 || c.queued.Load()-now < slice {
		return true
	}
	c.queued.Store(now)
	c.since.Store(c.s.clock.precise())
	c.writeBy.CompareAndSwap(by, c.s.clock.after(time.Duration(c.term.Load())))
	return false
}

// insist writes what the socket did not take at once. The sweeper ends it when
// the client takes too long for a slice.
func (c *conn) insist(parts net.Buffers) (err error) {
	defer c.moves()
	var size int64
	for _, b := range parts {
		size += int64(len(b))
	}
	c.pending.Store(size)
	if c.raw != nil {
		return c.pump(parts)
	}
	for _, b := range parts {
		for len(b) > 0 && err == nil {
			c.arm()
			var n int
			n, err = c.nc.Write(b[:min(len(b), slice)])
			b = b[n:]
		}
	}
	return err
}

// pump writes all at once, again and again as the socket takes it.
func (c *conn) pump(parts net.Buffers) (err error) {
	taken := slice // since the client was given its time
	waited := c.raw.Write(func(fd uintptr) bool {
		for len(parts) > 0 {
			var n int
			if n, err = writevFD(int(fd), parts); err != nil {
				return true
			}
			taken += n
			parts = without(parts, n)
			if n == 0 {
				if taken >= slice {
					taken = 0
					c.arm()
				}
				return false
			}
		}
		return true
	})
	if err == nil {
		err = waited
	}
	return err
}

// without returns the parts without their first n bytes. It changes the slice.
func without(parts net.Buffers, n int) net.Buffers {
	for len(parts) > 0 && n >= len(parts[0]) {
		n -= len(parts[0])
		parts = parts[1:]
	}
	if len(parts) > 0 {
		parts[0] = parts[0][n:]
	}
	return parts
}
