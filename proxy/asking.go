package proxy

import (
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// Asking is how many requests wait for an origin now, or are answered by one.
func (p *Proxy) Asking() int64 { return p.asking.Load() }

// enter counts a request for which an origin is asked; leave takes it away. It
// returns false when there are as many as there may be.
func (x *exchange) enter() bool {
	n := x.p.asking.Add(1)
	if most := x.c.MaxRequests; most > 0 && n > int64(most) {
		x.p.asking.Add(-1)
		return false
	}
	x.asks = true
	return true
}

func (x *exchange) leave() {
	if x.asks {
		x.asks = false
		x.p.asking.Add(-1)
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
