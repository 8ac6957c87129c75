package server

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// crowd counts the connections that are open, in all and by client. A client is
// an IPv4 address, or an IPv6 network of 64 bits: who has one has all of it. The
// table is no larger than the number of connections.
type crowd struct {
	mu            sync.Mutex
	most, each    int // 0 = any number
	trusted       []netip.Prefix
	open, refused int64
	by            map[netip.Prefix]int
}

// SetMaxConns changes Options.MaxConns, MaxConnsPerClient and Trusted for connections
// that begin from now on; open ones stay.
func (s *Server) SetMaxConns(most, perClient int, trusted []netip.Prefix) {
	s.crowd.set(most, perClient, trusted)
}

// Stats returns how many connections are open, upgraded ones too, and how many
// were refused so far because there were too many.
func (s *Server) Stats() (open, refused int64) {
	s.crowd.mu.Lock()
	defer s.crowd.mu.Unlock()
	return s.crowd.open, s.crowd.refused
}

func (d *crowd) set(most, each int, trusted []netip.Prefix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.most, d.each, d.trusted = most, each, trusted
	if d.by == nil {
		d.by = make(map[netip.Prefix]int)
	}
}

// ticket is the place of a connection in the crowd.
type ticket struct {
	crowd *crowd
	from  netip.Prefix // zero: it is not counted by client
	taken bool
}

// enter counts a connection, unless there are too many. When they are too many in
// all, full is set, and one that ends makes room.
func (d *crowd) enter(from net.Addr) (t ticket, full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t = ticket{crowd: d}
	if d.each > 0 {
		if t.from = d.client(from); t.from.IsValid() && d.by[t.from] >= d.each {
			return t, false
		}
	}
	if d.most > 0 && d.open >= int64(d.most) {
		return t, true
	}
	d.open++
	if t.from.IsValid() {
		d.by[t.from]++
	}
	t.taken = true
	return t, false
}

// client returns what a peer is counted as, or zero for one that is trusted.
func (d *crowd) client(from net.Addr) netip.Prefix {
	tcp, ok := from.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	return proxy.PeerNetwork(tcp.AddrPort().Addr(), d.trusted)
}

// leave gives the place back, once.
func (t *ticket) leave() {
	d := t.crowd
	d.mu.Lock()
	defer d.mu.Unlock()
	if !t.taken {
		return
	}
	t.taken = false
	d.open--
	if n := d.by[t.from]; n > 1 {
		d.by[t.from] = n - 1
	} else {
		delete(d.by, t.from)
	}
}

// mostLooked is how many connections are looked at to find one that is idle.
const mostLooked = 32

// shed ends the connection that has been idle for longest, of some that are looked
// at by chance. It returns false when none is. The caller holds the lock.
func (s *Server) shed() bool {
	var oldest *conn
	var soonest int64
	looked := 0
	for c := range s.conns { // in an order of chance
		if looked++; looked > mostLooked {
			break
		}
		if until, ok := c.idleUntil(); ok && (oldest == nil || until < soonest) {
			oldest, soonest = c, until
		}
	}
	if oldest == nil || !oldest.giveWay() {
		return false
	}
	oldest.ticket.leave()
	return true
}

// turnAway answers a connection that is one too many, as far as that can be done at
// once, and closes it. Nothing is read of it but what has come already, since to
// close it with that unread would destroy the answer.
func (s *Server) turnAway(nc net.Conn) {
	defer nc.Close()
	s.crowd.mu.Lock()
	s.crowd.refused++
	s.crowd.mu.Unlock()
	if s.o.TLS != nil || s.o.Refuse == nil {
		return
	}
	s.surplus = s.o.Refuse(s.surplus[:0], proxy.Refusal{
		Reason: policy.TooManyConnections, Remote: nc.RemoteAddr().String(), Close: true, RetryAfter: time.Second,
	})
	_ = nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // a new socket has room
	_, _ = nc.Write(s.surplus)
	if raw := rawConn(nc); raw != nil {
		_ = raw.Read(func(fd uintptr) bool {
			var room [1 << 10]byte
			for range 64 {
				if n, again := readFD(int(fd), room[:]); again || n <= 0 {
					break
				}
			}
			return true
		})
	}
}
