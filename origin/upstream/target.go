package upstream

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/origin"
)

// never is a time that does not come.
const never = time.Duration(math.MaxInt64)

// target is a server, and what is known about how it fares.
type target struct {
	u      *Upstream
	origin *origin.Origin
	anew   *origin.Origin // the same, with no connection kept
	base   *url.URL
	url    string // as configured
	weight int
	backup bool
	seed   uint64 // for Hash
	turn   int    // for RoundRobin

	blocked atomic.Int64 // the time before which it gets nothing; 0 = it is free
	heard   atomic.Int64 // when it last gave the head of an answer
	slots   slots
	counts  counts

	mu      sync.Mutex
	breaker breaker
	health  health
	held    time.Duration // it wants to be left alone until then
	shown   Condition     // as of the last change
	since   time.Duration
	lastErr string
}

func (u *Upstream) newTarget(to Target) (*target, error) {
	o, err := origin.New(to.URL, u.o.Origin)
	if err != nil {
		return nil, err
	}
	none := u.o.Origin
	none.MaxIdle, none.Idle = 1, time.Nanosecond
	anew, err := origin.New(to.URL, none)
	if err != nil {
		return nil, err
	}
	t := &target{u: u, origin: o, anew: anew, base: o.URL(), url: to.URL, weight: max(to.Weight, 1), backup: to.Backup, seed: hash(to.URL)}
	t.slots.init(u.o.MaxRequests, u.o.FixedLimit)
	return t, nil
}

// permit lets one request be sent to a target. It holds a slot, which goes back
// with end.
type permit struct {
	t     *target
	phase uint32 // of the breaker: what comes of the request says nothing about a later one
	trial bool   // it decides whether the breaker closes
	began time.Duration
}

// admit takes a slot, unless the target is blocked or has none free.
func (t *target) admit(now time.Duration) (permit, bool) {
	p := permit{t: t, phase: t.breaker.phase.Load(), began: now}
	if t.blocked.Load() == 0 {
		return p, t.slots.take()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.settle(now); time.Duration(t.blocked.Load()) > now || !t.slots.take() {
		return p, false
	}
	if b := &t.breaker; b.state != closed {
		if b.state == open {
			b.enter(halfOpen)
		}
		b.until = now + t.u.ejection(b.level) // then there is another trial, should this one take so long
		t.settle(now)
		p.phase, p.trial = b.phase.Load(), true
	}
	return p, true
}

// settle works out from when on the target may be asked. The caller holds mu.
func (t *target) settle(now time.Duration) {
	if t.held != 0 && t.held <= now {
		ended := t.held
		t.held = 0
		t.show(ended, t.condition())
	}
	until := t.held
	switch {
	case t.health.down:
		until = never
	case t.breaker.state != closed:
		until = max(until, t.breaker.until)
	}
	t.blocked.Store(int64(until))
	t.show(now, t.condition())
}

func (t *target) show(now time.Duration, c Condition) {
	if t.shown != c {
		t.shown, t.since = c, now
	}
}

// change changes what is known about the target, and tells those who wait for one.
func (t *target) change(f func(now time.Duration)) {
	t.mu.Lock()
	now := t.u.now()
	f(now)
	t.settle(now)
	t.mu.Unlock()
	t.u.wake()
}

// answered notes the head of an answer: whoever gives one is alive, and passes
// the trial.
func (p permit) answered(now time.Duration) permit {
	p.t.heard.Store(int64(now))
	if p.trial {
		p.t.pass(p.phase)
		p.phase, p.trial = p.phase+1, false
	}
	return p
}

// nobodyHeard reports whether the target has answered nobody since the permit was
// given. Otherwise it is the request that takes so long, and not the target.
func (p permit) nobodyHeard() bool { return time.Duration(p.t.heard.Load()) <= p.began }

// end gives back the slot. err is what the exchange came to: what is no failure
// of the target says nothing about it.
func (p permit) end(err error) {
	t := p.t
	if err == nil {
		t.completed(p)
	} else if failure := blamed(err); failure != nil {
		t.counts.failed(failure.Failure)
		t.fail(p, failure)
	} else if p.trial {
		t.undecided(p.phase)
	}
	t.slots.inUse.Add(-1)
	t.u.wake()
}

// blamed returns the failure that an error tells of, nil if it is not the target's.
func blamed(err error) *origin.Error {
	var known *origin.Error
	if !errors.As(err, &known) {
		return nil
	}
	switch known.Failure {
	case origin.None, origin.Canceled, origin.Unsendable, origin.Unavailable, origin.Busy:
		return nil
	}
	return known
}

// aim returns the request as it is sent to the target: written for the first one, its
// URL names this one.
func (t *target) aim(r *http.Request, content *reading) *http.Request {
	if content == nil && r.URL.Host == t.base.Host && r.URL.Scheme == t.base.Scheme {
		return r
	}
	type both struct {
		request http.Request
		url     url.URL
	}
	out := &both{*r, *r.URL}
	out.request.URL = &out.url
	out.url.Scheme, out.url.Host = t.base.Scheme, t.base.Host
	if content != nil {
		out.request.Body = content
	}
	return &out.request
}
