package proxy

import (
	"errors"
	"net/http"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// fetch asks the origin and answers with what comes of it.
func (x *exchange) fetch() {
	if !x.enter() {
		x.overloaded()
		return
	}
	defer x.leave()
	x.o.Spans.board()
	j := x.fetchJob()
	j.Interim, j.Began = x.interim, x.place.hold
	if x.o.Trace != nil {
		x.traceAsked(j.Request)
	}
	a, err := x.p.fetcher.Do(x.r.Context(), j)
	x.o.Spans.land(a)
	if err != nil {
		x.failed(j, err)
		return
	}
	x.take(a)
	if a.Entry != nil {
		x.serveEntry(a.Entry, time.Now())
		return
	}
	x.relay(a, true)
}

// take notes in the outcome what an answer brought.
func (x *exchange) take(a *revalidate.Answer) {
	x.o.FwdStatus, x.o.Target, x.o.OriginTime = a.FwdStatus, a.Target, a.OriginTime
	x.o.Stored, x.o.Refused, x.o.Collapsed = a.Stored, a.Refused, a.Collapsed
	if a.Facts != nil {
		x.o.HasTTL, x.o.TTL = true, a.Facts.Lifetime-a.Facts.Age(time.Now())
	}
}

// failed answers after the origin failed: with a stale response where that is
// allowed, otherwise with an error of our own.
func (x *exchange) failed(j *revalidate.Job, err error) {
	var f *revalidate.Failure
	if !errors.As(err, &f) || f.Reason == policy.ClientGone {
		x.gone()
		return
	}
	x.blame(f)
	if !x.standIn(j) {
		x.failOrigin(f)
	}
}

// blame notes in the outcome which server failed, and how.
func (x *exchange) blame(f *revalidate.Failure) {
	x.o.FwdStatus, x.o.Target, x.o.Error = f.Status, f.Target, f.Kind.String()
}

// standIn answers with a stale response in place of one from the origin, if that
// is allowed.
func (x *exchange) standIn(j *revalidate.Job) bool {
	now := time.Now()
	e := j.StandIn(now)
	if x.o.Trace != nil {
		x.traceStandIn(j, e)
	}
	if e == nil {
		return false
	}
	x.o.Action, x.o.Reason = policy.ServeStale, policy.StaleIfError
	x.serveEntry(e, now)
	return true
}

// gone ends an exchange whose client left.
func (x *exchange) gone() {
	x.o.Action, x.o.Reason, x.o.Status = policy.Fail, policy.ClientGone, StatusClientGone
	x.o.Aborted = true
	panic(http.ErrAbortHandler)
}

// interim passes on a 1xx response (RFC 9110, 15.2). A 100 only lets the content be
// read, and the server sends one of its own to a client that waits for it, at the first
// read. Until that has returned nothing may be written beside it.
func (x *exchange) interim(status int, h http.Header) {
	if !x.r.ProtoAtLeast(1, 1) || status == http.StatusSwitchingProtocols || status == http.StatusContinue {
		return
	}
	if x.content != nil && !x.content.came.Load() && len(x.r.Header["Expect"]) > 0 {
		return
	}
	x.deadline()
	out := x.w.Header()
	for name, lines := range h {
		out[name] = lines
	}
	x.w.WriteHeader(status)
	for name := range h { // not for the final response
		delete(out, name)
	}
}
