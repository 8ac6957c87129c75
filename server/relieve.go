package server

import (
	"cmp"
	"context"
	"net"
	"slices"
	"time"

	"cacheproxy/proxy"
	"cacheproxy/server/h2"
)

// Which transfers may be ended for the memory that they hold.
const (
	leastHeld = 256 << 10              // bytes; less is not worth it
	patience  = 250 * time.Millisecond // for a slice: a client that takes it within that is not slow
	mostEnded = 16                     // at a time
)

// Relieve ends the transfers to clients that have gone longest without taking 64 KiB
// of an answer that lies in memory, until those ended hold as many bytes as are needed,
// 16 at most. A client that takes 256 KiB in a second is left alone. HTTP/1.1 loses the
// connection, by a reset, so that nobody takes what came for complete; HTTP/2 the
// stream. It returns how many were ended.
//
// What several clients read is counted for each of them, so that less may be freed.
func Relieve(need int64, servers ...*Server) int {
	var all []h2.Stuck
	for _, s := range servers {
		all = append(all, s.stuck()...)
		all = append(all, s.h2.Stuck()...)
	}
	chosen := choose(all, need)
	for _, t := range chosen {
		t.End()
	}
	return len(chosen)
}

// choose returns those to be ended.
func choose(all []h2.Stuck, need int64) []h2.Stuck {
	all = slices.DeleteFunc(all, func(t h2.Stuck) bool { return t.For < patience || t.Held < leastHeld })
	slices.SortFunc(all, func(a, b h2.Stuck) int { return cmp.Compare(b.For, a.For) })
	n := 0
	for n < min(len(all), mostEnded) && need > 0 {
		need -= all[n].Held
		n++
	}
	return all[:n]
}

// stuck lists what waits for clients of HTTP/1.1 that are slow.
func (s *Server) stuck() (all []h2.Stuck) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.precise()
	for c := range s.conns {
		since := c.since.Load()
		if since == 0 {
			continue
		}
		waited := time.Duration(now - since)
		if waited < patience || c.flows(waited) {
			continue
		}
		held := c.pending.Load()
		if size := c.holds.Load(); size != nil {
			held = max(held, (*size)())
		}
		all = append(all, h2.Stuck{For: waited, Held: held, End: c.drop})
	}
	return all
}

// waits notes that a write waits for the client to take a slice.
func (c *conn) waits() {
	c.queued.Store(c.unsent())
	c.since.Store(c.s.clock.precise())
}

// moves notes that no write waits any more.
func (c *conn) moves() {
	c.since.Store(0)
	c.writeBy.Store(0)
}

// flows reports whether the client has taken enough while a write waits: a socket with
// a large buffer lets it wait long.
func (c *conn) flows(waited time.Duration) bool {
	now := c.unsent()
	return now >= 0 && float64(c.queued.Load()-now) >= slice*waited.Seconds()/patience.Seconds()
}

// drop ends the write that waits, and with it the connection. It is reset: to close it
// would end a body without a length as if it were complete (RFC 9112, 6.3).
func (c *conn) drop() {
	c.gone.Store(true)
	if t, ok := under(c.nc).(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.nc.SetWriteDeadline(past)
}

// connContext lets the handler say what an answer through net/http holds.
func connContext(ctx context.Context, nc net.Conn) context.Context {
	switch n := nc.(type) {
	case *loan:
		return proxy.WithHolder(ctx, holder{n.c})
	case tlsLoan:
		return proxy.WithHolder(ctx, holder{n.c})
	}
	return ctx
}

// holder is a connection that was lent.
type holder struct{ c *conn }

func (h holder) Holds(size func() int64) { h.c.holds.Store(&size) }
