package upstream

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"cacheproxy/origin"
)

// breaker keeps requests from a target that fails. The mutex of the target guards
// it; phase and troubled may be read without.
type breaker struct {
	state    breakerState
	phase    atomic.Uint32 // grows with each change of the state
	troubled atomic.Bool   // streak or level is not 0
	streak   int           // failures in a row
	level    int           // how often it has opened since the last complete answer
	until    time.Duration // when a request may go through, unless it is closed
}

type breakerState uint8

const (
	closed   breakerState = iota
	open                  // nothing goes through
	halfOpen              // a request is on trial
)

func (b *breaker) enter(s breakerState) {
	b.state = s
	b.phase.Add(1)
}

// pass closes the breaker after a trial, or an attempt to connect, that went well.
func (t *target) pass(phase uint32) {
	t.change(func(time.Duration) {
		if t.breaker.phase.Load() == phase {
			t.breaker.enter(closed)
			t.breaker.streak = 0
		}
	})
}

// undecided ends a trial of which nothing came: the next request is the next one.
func (t *target) undecided(phase uint32) {
	t.change(func(now time.Duration) {
		if t.breaker.phase.Load() == phase {
			t.breaker.enter(open)
			t.breaker.until = now
		}
	})
}

// completed notes an exchange without failure.
func (t *target) completed(p permit) {
	b := &t.breaker
	if !b.troubled.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.phase.Load() == p.phase {
		b.streak, b.level = 0, 0
		b.troubled.Store(false)
	}
}

// fail notes a failure of the target. What began before the breaker's last change
// counts no more.
func (t *target) fail(p permit, err *origin.Error) {
	t.u.fails.Lock() // so that no two open since the other one is up
	defer t.u.fails.Unlock()
	t.change(func(now time.Duration) {
		t.lastErr = err.Error()
		b, most := &t.breaker, t.u.o.Ejection.Failures
		switch {
		case b.phase.Load() != p.phase, most < 0:
			return
		case !t.missed(p, err.Failure):
			if p.trial { // it is there again
				b.enter(closed)
				b.streak = 0
			}
			return
		}
		b.streak++
		b.troubled.Store(true)
		if b.state == closed && b.streak < most {
			return
		}
		b.enter(open)
		b.until = now + t.u.ejection(b.level)
		b.level++
		t.counts.ejections.Add(1)
		if unsent(err.Failure) {
			t.u.wanted.Store(int64(now))
			phase, until := b.phase.Load(), b.until
			t.u.background(func() { t.knock(phase, until) })
		}
	})
}

// missed reports whether a failure is a reason to send requests elsewhere, or
// nowhere. A URL that is slow or kills its answer must not take a target that
// answers from all others: without an answer in time it is one if nobody has had
// an answer since; and an answer that breaks off or makes no sense, if another target
// is up that may do better.
func (t *target) missed(p permit, f origin.Failure) bool {
	switch {
	case unsent(f):
		return true
	case f == origin.Timeout:
		return p.nobodyHeard()
	}
	now := t.u.now()
	return slices.ContainsFunc(t.u.targets, func(c *target) bool { return c != t && time.Duration(c.blocked.Load()) <= now })
}

// ejection is for how long a breaker opens that has opened so often before.
func (u *Upstream) ejection(level int) time.Duration {
	return doubled(u.o.Ejection.Time, u.o.Ejection.MaxTime, level)
}

// doubled is d doubled n times, but at most most.
func doubled(d, most time.Duration, n int) time.Duration {
	for ; n > 0 && d < most; n-- {
		d *= 2
	}
	return min(d, most)
}

const (
	knockEach = time.Second      // between attempts to connect
	lately    = 10 * time.Second // a request that wanted a target is a reason for them
)

// knock tries to connect to a target that could not be connected to, so that its
// breaker closes before its time if it can be. It ends with the phase.
func (t *target) knock(phase uint32, until time.Duration) {
	tick := time.NewTicker(knockEach)
	defer tick.Stop()
	for {
		select {
		case <-t.u.ctx.Done():
			return
		case <-tick.C:
		}
		now := t.u.now()
		if now >= until || t.breaker.phase.Load() != phase {
			return
		}
		if now-time.Duration(t.u.wanted.Load()) > lately {
			continue
		}
		ctx, cancel := context.WithTimeout(t.u.ctx, knockEach)
		err := t.origin.Reachable(ctx)
		cancel()
		if err == nil {
			t.pass(phase)
			return
		}
	}
}
