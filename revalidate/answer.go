package revalidate

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"cacheproxy/policy"
)

// answer is what one client gets of the verdict. Unless it returns a body,
// the client has left the flight.
func (fl *flight) answer(ctx context.Context, j *Job, leads bool) (*Answer, error) {
	if fl.verdict == failed || policy.Failed(fl.status) && j.StandIn(time.Now()) != nil {
		fl.leave(leads)
		if fl.failure != nil {
			return nil, fl.failure
		}
		return nil, &Failure{Reason: policy.StaleIfError, Status: fl.status, Target: fl.target}
	}
	if !leads && !fl.sharedWith(j) {
		fl.leave(leads)
		return nil, errReleased
	}
	a := &Answer{
		FwdStatus: fl.status, Target: fl.target, Status: cmp.Or(fl.answered, fl.status), Length: fl.length,
		Facts: fl.stored, Stored: fl.stored != nil && fl.refused == policy.ReasonNone, Refused: fl.refused,
		Collapsed: !leads, OriginTime: fl.originTime, Traceparent: fl.trace,
	}
	switch fl.verdict {
	case entry:
		fl.leave(leads)
		a.Entry = fl.entry
		return a, nil
	case own:
		return fl.handOver(ctx, a)
	}
	a.Trailer, a.Late = fl.trailer, fl.late
	r := fl.reader(leads)
	if r == nil {
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
	a.Trailer, a.Late = func() http.Header { return resp.Trailer }, notLate
	a.Body = newRawSource(ctx, resp.Body, fl.cancel, &fl.f.tally)
	return a, nil
}

func notLate() policy.Reason { return policy.ReasonNone }

// reader returns a reader for a client, or nil when it comes too late: the
// beginning is gone.
func (fl *flight) reader(leads bool) *reader {
	if !leads {
		return fl.body.reader()
	}
	fl.mu.Lock()
	defer fl.mu.Unlock()
	r := fl.first
	fl.first = nil
	return r
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
