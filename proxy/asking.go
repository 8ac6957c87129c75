package proxy

import (
	"net/netip"
	"sync"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// Asking is how many requests wait for an origin now, or are answered by one.
func (p *Proxy) Asking() int64 { return p.asking.Load() }

// enter counts a request for which an origin is asked; leave takes it away. It
// returns false when there are as many as there may be, in all or of this client.
func (x *exchange) enter() bool {
	n := x.p.asking.Add(1)
	if most := x.c.MaxRequests; most > 0 && n > int64(most) || !x.enterClient() {
		x.p.asking.Add(-1)
		return false
	}
	x.asks = true
	return true
}

// enterClient counts a request for its client, unless that is trusted or this machine.
func (x *exchange) enterClient() bool {
	if x.c.MaxClientRequests <= 0 {
		return true
	}
	peer, err := netip.ParseAddrPort(x.r.RemoteAddr)
	if err != nil || peer.Addr().Unmap().IsLoopback() {
		return true
	}
	client := PeerNetwork(peer.Addr(), x.c.Trusted)
	if !client.IsValid() {
		return true
	}
	if !x.p.askers.enter(client, x.c.MaxClientRequests) {
		return false
	}
	x.asker = client
	return true
}

func (x *exchange) leave() {
	if !x.asks {
		return
	}
	x.asks = false
	x.p.asking.Add(-1)
	if x.asker.IsValid() {
		x.p.askers.leave(x.asker)
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
