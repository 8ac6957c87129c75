package proxy

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// Asking is how many requests wait for an origin now, or are answered by one. A fetch
// that goes on without its client counts, too.
func (p *Proxy) Asking() int64 { return p.asking.Load() }

// enter counts a request for which an origin is asked; leave takes it away. It
// returns false when there are as many as there may be, in all or of this client.
func (x *exchange) enter() bool {
	n, client := x.p.asking.Add(1), x.asker()
	if most := x.c.MaxRequests; most > 0 && n > int64(most) ||
		client.IsValid() && !x.p.askers.enter(client, x.c.MaxClientRequests) {
		x.p.asking.Add(-1)
		return false
	}
	x.place = &place{p: x.p, client: client}
	x.place.hold()
	return true
}

func (x *exchange) leave() {
	if x.place != nil {
		x.place.leave()
		x.place = nil
	}
}

// asker is the client that a request counts for: none for one that is trusted, or this
// machine.
func (x *exchange) asker() (client netip.Prefix) {
	if x.c.MaxClientRequests <= 0 {
		return client
	}
	peer, err := netip.ParseAddrPort(x.r.RemoteAddr)
	if err != nil || peer.Addr().Unmap().IsLoopback() {
		return client
	}
	return PeerNetwork(peer.Addr(), x.c.Trusted)
}

// place is what counts for a request, until the exchange has ended and the flight that
// it has begun, too: a client that leaves at once may have any number of those.
type place struct {
	p       *Proxy
	client  netip.Prefix // zero: only the proxy counts it
	holders atomic.Int32
}

// hold keeps the place until the function is called that it returns.
func (p *place) hold() (leave func()) {
	p.holders.Add(1)
	return p.leave
}

func (p *place) leave() {
	if p.holders.Add(-1) > 0 {
		return
	}
	p.p.asking.Add(-1)
	if p.client.IsValid() {
		p.p.askers.leave(p.client)
	}
}

// overloaded answers what would be one request too many: with a stale response
// where one may stand in for an origin that failed.
func (x *exchange) overloaded() {
	if x.facts != nil && x.standIn(&revalidate.Job{Facts: x.facts, Resource: x.resource, Decision: x.decision}) {
		return
	}
	x.failLater(policy.Overloaded, time.Second)
}

// askers counts by client the requests that are with origins. It has no more clients
// than there are such requests.
type askers struct {
	mu sync.Mutex
	by map[netip.Prefix]int
}

// enter counts a request, unless its client has as many as it may have.
func (a *askers) enter(client netip.Prefix, most int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := a.by[client]
	if n >= most {
		return false
	}
	if a.by == nil {
		a.by = make(map[netip.Prefix]int)
	}
	a.by[client] = n + 1
	return true
}

func (a *askers) leave(client netip.Prefix) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := a.by[client]; n > 1 {
		a.by[client] = n - 1
	} else {
		delete(a.by, client)
	}
}
