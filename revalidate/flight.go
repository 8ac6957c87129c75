package revalidate

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/policy"
)

// errReleased tells a waiter to ask for itself.
var errReleased = errors.New("released")

// finishAlone bounds how long a flight goes on when nobody waits for it.
const finishAlone = 60 * time.Second

// verdict is how far a flight is, and what it brought.
type verdict uint8

const (
	pending  verdict = iota // no response head yet
	entry                   // an entry answers: validated, updated or completed
	shared                  // everybody reads the growing body
	ownStore                // only the first client may have it, but it is stored
	own                     // only the first client may have it
	failed                  // no response
)

type interim struct {
	status int
	header http.Header
}

// flight is one fetch for all who wait for it.
//
// Guaranteed: whoever joins gets the response, an error, or is released; a
// response that may not be shared reaches the first client only; a client that
// leaves does not end the flight for others. The alternative, to let the first
// client's request do the work, was rejected since its end would be theirs.
type flight struct {
	f      *Fetcher
	id     string
	key    string
	ctx    context.Context
	cancel context.CancelFunc
	doomed atomic.Bool // the key was invalidated: do not store

	mu       sync.Mutex
	changed  chan struct{} // closed and renewed with every change
	interims []interim
	waiters  int
	leader   bool // the first client is still here
	landed   bool // its work is done
	timer    *time.Timer

	// Set before the verdict, and not changed after it.
	verdict    verdict
	status     int
	header     http.Header // as the origin sent it, edited and without hop-by-hop fields
	fields     http.Header // what others than the first client get
	length     int64
	stored     *policy.Stored
	refused    policy.Reason
	entry      *Entry
	body       *stream
	raw        *http.Response
	failure    *Failure
	originTime time.Duration
	trailer    http.Header   // set before the body ends
	late       policy.Reason // why it was not stored after all; set before the body ends
}

func newFlight(f *Fetcher, id string, j *Job) *flight {
	fl := &flight{f: f, id: id, key: j.Key, changed: make(chan struct{}), waiters: 1, leader: true}
	fl.ctx, fl.cancel = context.WithCancel(f.ctx)
	return fl
}

// join adds a waiter, unless what is on its way is of no use any more.
func (fl *flight) join(now time.Time) bool {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	switch fl.verdict {
	case pending:
	case shared:
		if fl.stored.Lifetime <= fl.stored.Age(now) {
			return false
		}
	default:
		return false
	}
	fl.waiters++
	if fl.timer != nil {
		fl.timer.Stop()
		fl.timer = nil
	}
	return true
}

// leave takes a waiter away. When nobody is left the flight goes on for a
// while if it may be stored, or if that is not known yet.
func (fl *flight) leave(leads bool) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	fl.waiters--
	if leads {
		fl.leader = false
		if fl.raw != nil { // nobody else may have it
			fl.raw.Body.Close()
			fl.cancel()
			return
		}
	}
	if fl.waiters > 0 || fl.landed {
		return
	}
	if fl.body != nil && !fl.body.isKept() {
		fl.cancel()
		return
	}
	fl.timer = time.AfterFunc(finishAlone, fl.cancel)
}

// settle publishes the verdict.
func (fl *flight) settle(v verdict) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	fl.verdict = v
	close(fl.changed)
	fl.changed = make(chan struct{})
}

func (fl *flight) addInterim(status int, h http.Header) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	fl.interims = append(fl.interims, interim{status, h})
	close(fl.changed)
	fl.changed = make(chan struct{})
}

// wait waits for the verdict and turns it into this client's answer.
func (fl *flight) wait(ctx context.Context, j *Job, leads bool) (*Answer, error) {
	fl.f.waiting.Add(1)
	defer fl.f.waiting.Add(-1)
	seen := 0
	for {
		fl.mu.Lock()
		fresh, v, changed := fl.interims[seen:], fl.verdict, fl.changed
		fl.mu.Unlock()
		for _, i := range fresh {
			if j.Interim != nil {
				j.Interim(i.status, i.header)
			}
		}
		seen += len(fresh)
		if v != pending {
			return fl.answer(ctx, j, leads)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			fl.leave(leads)
			return nil, ctx.Err()
		}
	}
}

// answer is what one client gets of the verdict. Unless it returns a body,
// the client has left the flight.
func (fl *flight) answer(ctx context.Context, j *Job, leads bool) (*Answer, error) {
	if fl.verdict == failed || policy.Failed(fl.status) && j.mayStandIn(time.Now()) {
		fl.leave(leads)
		if fl.failure != nil {
			return nil, fl.failure
		}
		return nil, &Failure{Reason: policy.StaleIfError, Status: fl.status}
	}
	if !leads && !fl.sharedWith(j) {
		fl.leave(leads)
		return nil, errReleased
	}
	a := &Answer{
		FwdStatus: fl.status, Status: fl.status, Length: fl.length,
		Facts: fl.stored, Stored: fl.stored != nil, Refused: fl.refused,
		Collapsed: !leads, OriginTime: fl.originTime,
		Trailer: func() http.Header { return fl.trailer },
		Late:    func() policy.Reason { return fl.late },
	}
	switch fl.verdict {
	case entry:
		fl.leave(leads)
		a.Entry = fl.entry
		return a, nil
	case own:
		return fl.handOver(ctx, a)
	}
	r := fl.body.reader()
	if r == nil { // too late: the beginning is gone
		fl.leave(leads)
		return nil, errReleased
	}
	a.Header = fl.fields.Clone()
	if leads {
		a.Header = fl.header.Clone()
	}
	a.Body = &boarded{reader: r, fl: fl, leads: leads}
	return a, nil
}

// sharedWith reports whether a waiter may have what the flight brought
// (RFC 9111, 4: it could be reused for its request if it were stored).
func (fl *flight) sharedWith(j *Job) bool {
	switch fl.verdict {
	case entry:
		s := fl.entry.Stored
		return !s.NoCache && s.Age(time.Now()) < s.Lifetime && s.Matches(j.Facts.Fields)
	case shared:
		return fl.stored.Matches(j.Facts.Fields)
	}
	return false
}

// handOver gives the response to the first client, which ends the flight when
// it closes the body or leaves.
func (fl *flight) handOver(ctx context.Context, a *Answer) (*Answer, error) {
	fl.mu.Lock()
	resp := fl.raw
	fl.raw = nil
	fl.mu.Unlock()
	a.Header = fl.header
	a.Trailer = func() http.Header { return resp.Trailer }
	a.Body = newRawSource(ctx, resp.Body, fl.cancel)
	return a, nil
}

// boarded is a reader that leaves its flight when it is closed.
type boarded struct {
	*reader
	fl    *flight
	leads bool
	once  sync.Once
}

func (b *boarded) Close() {
	b.once.Do(func() {
		b.reader.Close()
		b.fl.leave(b.leads)
	})
}
