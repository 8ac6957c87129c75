package origin

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// headStart is for how long an address is tried before the next one is tried
// beside it (RFC 8305, 5).
const headStart = 250 * time.Millisecond

// attempt is what became of one address.
type attempt struct {
	conn net.Conn
	addr netip.Addr
	err  error
}

// spread makes a connection to one of the addresses: the first in order that can be
// had. The error is that of the first.
func (d *dialer) spread(ctx context.Context, addrs []netip.Addr) (net.Conn, netip.Addr, error) {
	addrs = d.names.order(addrs)
	if len(addrs) == 1 {
		a := d.try(ctx, addrs[0])
		return a.conn, a.addr, a.err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the attempts that are not needed any more
	attempts := make(chan attempt)
	start := func(addr netip.Addr) {
		go func() {
			a := d.try(ctx, addr)
			select {
			case attempts <- a:
			case <-ctx.Done():
				if a.conn != nil {
					a.conn.Close()
				}
			}
		}()
	}
	start(addrs[0])
	next, running := 1, 1
	timer := time.NewTimer(headStart)
	defer timer.Stop()
	var first error
	for {
		select {
		case a := <-attempts:
			if a.err == nil {
				return a.conn, a.addr, nil
			}
			if first == nil {
				first = a.err
			}
			running--
		case <-timer.C:
		case <-ctx.Done():
			if first == nil {
				first = ctx.Err()
			}
			return nil, netip.Addr{}, first
		}
		switch {
		case next < len(addrs):
			start(addrs[next])
			next, running = next+1, running+1
			timer.Reset(headStart)
		case running == 0:
			return nil, netip.Addr{}, first
		}
	}
}

func (d *dialer) try(ctx context.Context, addr netip.Addr) attempt {
	nc, err := d.dial(ctx, d.network, net.JoinHostPort(addr.String(), d.port))
	return attempt{nc, addr, err}
}
