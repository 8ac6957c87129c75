package upstream

import (
	"sync/atomic"
	"time"

	"cacheproxy/origin"
)

// Condition is whether a target gets requests.
type Condition uint8

// The conditions, of which a target has the last one that fits.
const (
	Up       Condition = iota
	Held               // it has asked to be left alone
	Open               // its breaker is open
	HalfOpen           // one request is on trial
	Down               // by its checks
)

func (c Condition) String() string {
	return [...]string{"up", "held", "open", "half-open", "down"}[c]
}

// condition is that of a target that is settled. The caller holds mu.
func (t *target) condition() Condition {
	switch {
	case t.health.down:
		return Down
	case t.breaker.state == halfOpen:
		return HalfOpen
	case t.breaker.state == open:
		return Open
	case t.held != 0:
		return Held
	}
	return Up
}

// State is what can be seen of a target.
type State struct {
	URL       string // as configured
	Weight    int
	Backup    bool
	Condition Condition
	Since     time.Time // of the condition
	Until     time.Time // when it may get requests again, of Held and Open; past if the next one is a trial
	InFlight  int       // requests, to the end of their bodies
	Limit     int       // of them

	Requests     int64                    // tries sent, since the start
	Retries      int64                    // of them, those that were not the first of their request
	Failures     map[origin.Failure]int64 // what tries ended with that was the target's doing
	Ejections    int64                    // times the breaker has opened
	ChecksFailed int64
	LastError    string // of a try or a check; "" = none yet
}

// counts are numbers since the start.
type counts struct {
	requests, retries, ejections, checksFailed atomic.Int64
	failures                                   [32]atomic.Int64 // by origin.Failure
}

func (c *counts) failed(f origin.Failure) { c.failures[int(f)%len(c.failures)].Add(1) }

// Targets returns the state of each target, in the order of the options.
func (u *Upstream) Targets() []State {
	now := u.now()
	states := make([]State, len(u.targets))
	for i, t := range u.targets {
		states[i] = t.state(now)
	}
	return states
}

// Waiting returns how many requests wait for a slot of any target.
func (u *Upstream) Waiting() int { return int(u.queue.length.Load()) }

func (t *target) state(now time.Duration) State {
	s := State{
		URL: t.url, Weight: t.weight, Backup: t.backup,
		InFlight: int(t.slots.inUse.Load()), Limit: int(t.slots.bound.Load()),
		Requests: t.counts.requests.Load(), Retries: t.counts.retries.Load(),
		Ejections: t.counts.ejections.Load(), ChecksFailed: t.counts.checksFailed.Load(),
		Failures: map[origin.Failure]int64{},
	}
	for f := range t.counts.failures {
		if n := t.counts.failures[f].Load(); n > 0 {
			s.Failures[origin.Failure(f)] = n
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(now)
	s.Condition, s.Since, s.LastError = t.shown, t.u.start.Add(t.since), t.lastErr
	if until := time.Duration(t.blocked.Load()); until != never && (s.Condition == Held || s.Condition == Open) {
		s.Until = t.u.start.Add(until)
	}
	return s
}
