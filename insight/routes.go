package insight

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/proxy"
)

// maxRoutes are told apart for estimates; all others count as one.
const maxRoutes = 64

// route is the number of a route's name.
type route struct {
	name   string
	number int
}

// routes knows the routes that were seen.
type routes struct {
	known atomic.Pointer[map[string]*route]
	mu    sync.Mutex // held to replace the map
}

// find gives a route that was not seen before a number; the last one is shared.
func (r *routes) find(name string) *route {
	if known := (*r.known.Load())[name]; known != nil {
		return known
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := *r.known.Load()
	if one := known[name]; one != nil {
		return one // two outcomes of a new route came at once
	}
	one := &route{strings.Clone(name), len(known)} // the outcome's name may be part of something larger
	if one.number >= maxRoutes-1 {
		one.number = maxRoutes - 1
		return one
	}
	next := maps.Clone(known)
	next[one.name] = one
	r.known.Store(&next)
	return one
}

// routeTimes are, for one route, the answers that took no request to the
// origin, and what it took for the others.
type routeTimes struct {
	saved  uint64
	timed  uint64
	origin time.Duration
}

func (r *routeTimes) count(o *proxy.Outcome) {
	if saved(o) {
		r.saved++
	} else if o.OriginTime > 0 {
		r.timed++
		r.origin += o.OriginTime
	}
}

// mean is that of all that was timed; 0 before.
func (r *routeTimes) mean() time.Duration {
	if r.timed == 0 {
		return 0
	}
	return r.origin / time.Duration(r.timed)
}
