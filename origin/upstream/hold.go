package upstream

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// longestHold bounds for how long a target can have itself left alone.
const longestHold = 5 * time.Minute

// hold leaves a target alone for a time that it has asked for.
func (t *target) hold(d time.Duration) {
	if d <= 0 {
		return
	}
	t.change(func(now time.Duration) { t.held = max(t.held, now+d) })
}

// freeIn returns when the target may be asked again, as far as is known, and what
// it is until then.
func (t *target) freeIn(now time.Duration) (time.Duration, Condition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(now)
	until := time.Duration(t.blocked.Load())
	if t.health.down {
		return t.u.o.Health.Interval, Down
	}
	return max(until-now, time.Millisecond), t.shown
}

// retryAfter returns how long Retry-After asks to wait from now on, longestHold at
// most (RFC 9110, 10.2.3). ok is false without one that can be read.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	lines := h["Retry-After"]
	if len(lines) != 1 {
		return 0, false
	}
	seconds, err := strconv.ParseUint(lines[0], 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(longestHold/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(lines[0])
	if err != nil {
		return 0, false
	}
	// By the origin's clock, if it says what that is: ours may differ.
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longestHold), true
}
