package server

import "net"

// slice is how much a client that is slow has the write timeout for, in bytes.
const slice = 64 << 10

// send writes to the client.
func (c *conn) send(b []byte) error {
	if c.fd >= 0 && !c.gone.Load() {
		n, err := writeFD(c.fd, b)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return c.insist(b)
}

// sendAll writes parts to the client, in one call to the system where it can.
func (c *conn) sendAll(parts net.Buffers) error {
	if c.fd >= 0 && !c.gone.Load() {
		n, err := writevFD(c.fd, parts)
		if err != nil {
			return err
		}
		for len(parts) > 0 && n >= len(parts[0]) {
			n -= len(parts[0])
			parts = parts[1:]
		}
		if len(parts) > 0 {
			parts[0] = parts[0][n:]
		}
	}
	for _, b := range parts {
		if err := c.insist(b); err != nil {
			return err
		}
	}
	return nil
}

// insist writes what the socket did not take at once. The sweeper ends it when
// the client takes too long for a slice.
func (c *conn) insist(b []byte) (err error) {
	for len(b) > 0 && err == nil {
		c.writeBy.Store(c.s.clock.after(c.timeout))
		var n int
		n, err = c.nc.Write(b[:min(len(b), slice)])
		b = b[n:]
	}
	c.writeBy.Store(0)
	return err
}
