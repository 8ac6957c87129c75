package load

import (
	"sync"
	"time"

	"cacheproxy/bench/workload"
)

// Source yields the requests of a workload, one after the other, until it
// returns false. It is used by one goroutine at a time.
type Source interface {
	Next() (workload.Request, bool)
}

// Part is how long a part of a run takes: so many requests, so much time, or
// what is over first. Zero is no limit; both zero is nothing at all.
type Part struct {
	Requests int64
	Duration time.Duration
}

func (p Part) empty() bool { return p == Part{} }

// String is the longer form of what was asked for: "10s", "5000 requests".
func (p Part) String() string {
	switch {
	case p.empty():
		return "none"
	case p.Requests == 0:
		return p.Duration.String()
	case p.Duration == 0:
		return requests(p.Requests)
	}
	return requests(p.Requests) + ", at most " + p.Duration.String()
}

// feed gives out the requests of one part of a run.
type feed struct {
	source Source
	stop   <-chan struct{} // closed when no more are wanted

	mu     sync.Mutex
	left   int64
	until  time.Time // zero = no limit
	ended  bool      // for whatever reason
	dried  bool      // because the source has ended
	halted bool      // because stop was closed
}

func newFeed(source Source, p Part, start time.Time, stop <-chan struct{}) *feed {
	f := &feed{source: source, stop: stop, left: p.Requests}
	if p.Requests == 0 {
		f.left = 1<<63 - 1
	}
	if p.Duration > 0 {
		f.until = start.Add(p.Duration)
	}
	return f
}

// next returns the request that is to be sent at a time, unless the part is over.
func (f *feed) next(at time.Time) (workload.Request, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.stop:
		f.ended, f.halted = true, true
	default:
	}
	if f.left == 0 || !f.until.IsZero() && !at.Before(f.until) {
		f.ended = true
	}
	if f.ended {
		return workload.Request{}, false
	}
	r, ok := f.source.Next()
	if !ok {
		f.ended, f.dried = true, true
		return r, false
	}
	f.left--
	return r, true
}
