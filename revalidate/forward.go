package revalidate

import (
	"context"
	"net/http"

	"cacheproxy/policy"
)

// Forward sends a request by itself: nothing is looked up and nobody waits
// with it. Only the answer to a POST may be stored (RFC 9110, 9.3.3). The error is
// a *Failure, or a *Switched.
func (f *Fetcher) Forward(ctx context.Context, j *Job) (*Answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	purges := f.marks.Load().purges
	resp, t, err := f.exchange(ctx, j.Origin, j.Request, j.Interim)
	j.traceAnswered(resp, t, err)
	if err != nil {
		cancel()
		if _, ok := err.(*Switched); ok {
			return nil, err
		}
		return nil, failureOf(err)
	}
	rules := j.arrived(resp, t)
	a := &Answer{
		FwdStatus: resp.StatusCode, Target: targetOf(resp), Status: resp.StatusCode, Header: resp.Header, Length: resp.ContentLength,
		OriginTime: t.Received.Sub(t.Requested),
		Trailer:    func() http.Header { return resp.Trailer },
		Late:       notLate,
	}
	if m := j.Facts.Method; m != http.MethodGet && m != http.MethodHead { // those have a reason to be passed on
		a.Refused = policy.MethodNotStored
	}
	if j.Facts.Method == http.MethodPost && !j.Facts.Directives.NoStore {
		stored, why := admit(j, resp, t, rules)
		a.Refused = why
		if stored != nil && resp.ContentLength <= f.limits.Load().maxObject {
			if f.keepWhilePassing(ctx, cancel, j, resp, stored, rules, a, purges) {
				return a, nil
			}
		}
	}
	policy.RemoveTags(resp.Header, rules)
	j.traceUnstored()
	a.Body = newRawSource(ctx, resp.Body, cancel, &f.tally)
	return a, nil
}

// keepWhilePassing stores a response while its one client reads it. It returns
// false when the fetcher is closed, or there was a purge since the request was sent,
// which may have hit the response and be out of force.
func (f *Fetcher) keepWhilePassing(ctx context.Context, cancel context.CancelFunc, j *Job, resp *http.Response, stored *policy.Stored, rules *policy.Rules, a *Answer, purges uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.life.Err() != nil {
		return false
	}
	if f.marks.Load().purges != purges {
		a.Refused = policy.Invalidated
		return false
	}
	policy.ApplyCookieRule(resp.Header, rules)
	policy.RemoveTags(resp.Header, rules)
	fl := newFlight(f, "", j)
	fl.landed = true // it ends with its client
	afterFunc(ctx, fl.cancel)
	fl.life.AfterFunc(cancel)
	fl.fields, fl.stored = policy.Storable(resp.Header, rules), stored
	fl.open(resp.ContentLength)
	f.list(fl)
	f.launch(fl, func() {
		defer cancel()
		fl.carry(resp.Body, resp, stored, func() {})
	})
	a.Facts, a.Stored = stored, true
	a.Body = &boarded{reader: fl.reader(true), fl: fl, leads: true}
	a.Trailer, a.Late = fl.trailer, fl.late
	return true
}
