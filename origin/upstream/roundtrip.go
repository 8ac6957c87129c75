package upstream

import (
	"errors"
	"net/http"
	"time"

	"cacheproxy/origin"
)

// trip is one request on its way, with all its tries.
type trip struct {
	r       *http.Request
	content *content
	had     []*target // that have been asked
	waited  time.Duration
	anew    bool // the next try wants a new connection
	hashed  bool
	hash    uint64
}

// key is what Hash goes by.
func (t *trip) key() uint64 {
	if !t.hashed {
		t.hash, t.hashed = keyOf(t.r), true
	}
	return t.hash
}

// RoundTrip sends a request that is written for URL to one of the targets, and
// perhaps once more to another. Without a Host of its own it gets that of the
// target. The host in the response's Request.URL tells which has answered. Interim
// responses are passed on as they come, those before an answer that nobody gets
// too.
//
// Errors are *origin.Error: that of the last try; Unavailable when no target can be
// asked, at once and with the time when one may be asked again; Busy without a free
// slot in time. The caller closes the response's body; until its end the request
// counts as one of the target's. Bodies are io.WriterTo and have Ready, but for
// that of a 101.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.budget.request()
	t := trip{r: r}
	if r.Body != nil {
		t.content = newContent(r, u.room(r.Method), u.budget)
		defer t.content.settle()
	}
	for {
		p, err := u.choose(&t)
		if err != nil {
			t.content.abandon()
			return nil, err
		}
		resp, o, err := u.send(&t, p)
		if u.row(o) == Never {
			return resp, err
		}
		t.had = append(t.had, p.t)
		wait, ok := u.again(&t, p.t, o)
		if !ok {
			return resp, err
		}
		discard(resp)
		if err := pause(r, wait); err != nil {
			t.content.abandon()
			return nil, err
		}
	}
}

// room is how much content of a request is kept for another try.
func (u *Upstream) room(method string) int64 {
	if u.o.Retry.Attempts > 1 && (idempotent(method) || u.o.Retry.Unsafe) {
		return u.o.Retry.KeepBody
	}
	return -1
}

// send makes one try.
func (u *Upstream) send(t *trip, p permit) (*http.Response, outcome, error) {
	c := p.t
	c.counts.requests.Add(1)
	if len(t.had) > 0 {
		c.counts.retries.Add(1)
	}
	panics := true // as what is called for interim responses may do
	defer func() {
		if panics {
			p.end(errPanic)
		}
	}()
	to := c.origin
	if t.anew {
		to = c.anew
	}
	resp, err := u.attempt(t, to, c.aim(t.r, t.content.reader()))
	panics = false
	now := u.now()
	o := outcome{resp: resp, took: now - p.began}
	if err != nil {
		o.failure = origin.Classify(err)
		if t.r.Context().Err() != nil {
			o.failure = origin.Canceled // whatever else may have come of it
			p.end(errGone)
			return nil, o, err
		}
		if o.failure == origin.Timeout && p.nobodyHeard() {
			c.slots.note(now, 0, true)
		}
		p.end(err)
		return nil, o, err
	}
	timed := o.took
	if t.content != nil { // the client's doing, too
		timed = 0
	}
	c.slots.note(now, timed, resp.StatusCode == http.StatusServiceUnavailable) // and not 429, which is about who asks
	p.answered(now).watch(t.r.Context(), resp)
	return resp, o, nil
}

func (u *Upstream) attempt(t *trip, to *origin.Origin, r *http.Request) (*http.Response, error) {
	if u.o.Attempt == nil {
		return to.RoundTrip(r)
	}
	return u.o.Attempt(r, len(t.had), to.RoundTrip)
}

// Ends of tries that say nothing about the target.
var (
	errPanic = errors.New("a call for an interim response has panicked")
	errGone  = errors.New("the request's context has ended")
)

// pause waits before another try.
func pause(r *http.Request, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return ended(r.Context())
	}
}
