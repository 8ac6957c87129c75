package insight

import (
	"sync"
	"time"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// DefaultObjective is the share of requests that are to be answered without a
// server error.
const DefaultObjective = 0.999

// Options of an Insight.
type Options struct {
	// Objective is the availability that is promised, above 0 and below 1; 0 =
	// DefaultObjective.
	Objective float64
	// Store is asked once a second; nil leaves the store out of the series.
	Store func() cache.Stats
}

// Insight knows what happened. All its methods may be called from any goroutine.
type Insight struct {
	objective float64
	store     func() cache.Stats
	started   time.Time
	shards    []shard
	routes    routes

	mu      sync.Mutex // guards what follows
	history history
	times   [maxRoutes]routeTimes

	top    top
	recent recent
	beats  beats

	stop, done chan struct{}
	once       sync.Once
}

// New starts an Insight; Close ends it.
func New(o Options) *Insight {
	if o.Objective <= 0 || o.Objective >= 1 {
		o.Objective = DefaultObjective
	}
	in := &Insight{
		objective: o.Objective, store: o.Store, started: time.Now(), shards: newShards(),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	in.routes.known.Store(&map[string]*route{})
	in.history.begin(in.started)
	in.top.begin(in.started)
	in.recent.refill()
	in.beats.begin()
	go in.run()
	return in
}

// Close ends the series and the streams of events. It may be called more than once.
func (in *Insight) Close() {
	in.once.Do(func() { close(in.stop) })
	<-in.done
}

// Observe learns from an outcome, and does not keep it. A hit takes a lock that
// few others share, for some ten nanoseconds, and allocates nothing.
func (in *Insight) Observe(o *proxy.Outcome) {
	s := in.take()
	if s.route == nil || s.route.name != o.Route {
		s.route = in.routes.find(o.Route)
	}
	weight := s.count(o)
	s.mu.Unlock()
	if weight > 0 {
		in.top.add(o, weight)
		in.recent.add(o)
	}
}

func (in *Insight) run() {
	defer close(in.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-in.stop:
			in.beats.close()
			return
		case <-tick.C:
			in.tick(time.Now())
		}
	}
}

// tick ends a second.
func (in *Insight) tick(now time.Time) {
	var store cache.Stats
	if in.store != nil {
		store = in.store()
	}
	in.mu.Lock()
	in.collect()
	stride := 1 + int(in.history.second.Hits()/detailed)
	in.history.end(now, store)
	in.mu.Unlock()
	for i := range in.shards {
		s := &in.shards[i]
		s.mu.Lock()
		s.stride = stride
		s.skip = min(s.skip, 2*stride)
		s.mu.Unlock()
	}
	in.top.turn(now)
	in.recent.refill()
	in.beats.beat(func() []byte { return in.event(now) })
}

// collect empties the shards into the running second. The caller holds in.mu.
func (in *Insight) collect() {
	var spared time.Duration
	for i := range in.shards {
		s := &in.shards[i]
		s.mu.Lock()
		if s.tally.Requests() == 0 {
			s.mu.Unlock()
			continue
		}
		in.history.second.add(&s.tally)
		routes := s.routes
		s.tally, s.routes = tally{}, [maxRoutes]routeTimes{}
		s.mu.Unlock()
		for r := range routes {
			t := &in.times[r]
			t.timed += routes[r].timed
			t.origin += routes[r].origin
			spared += time.Duration(routes[r].saved) * t.mean()
		}
	}
	in.history.second.SavedTime += spared
}

// why is what explains best that the origin was asked: what kept the last
// response from being stored, or else what the request found.
func why(o *proxy.Outcome) policy.Reason {
	if o.Refused != policy.ReasonNone {
		return o.Refused
	}
	return o.Reason
}
