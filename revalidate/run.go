package revalidate

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"cacheproxy/policy"
)

// run does a flight's work.
func (fl *flight) run(j *Job) {
	defer fl.cancelIfIdle()
	if carry := fl.ask(j, fl.addInterim); carry != nil {
		carry()
	}
}

// ask asks the origin and judges the response head. It returns what is left to
// be done, which sees the body home, or nil.
func (fl *flight) ask(j *Job, interim func(int, http.Header)) (carry func()) {
	req, conditional := request(j)
	j.traceAsked(req, conditional)
	resp, times, err := fl.f.exchange(&fl.life, j.Origin, req, interim)
	j.traceAnswered(resp, times, err)
	if err != nil {
		fl.fail(err)
		return nil
	}
	fl.originTime, fl.target = times.Received.Sub(times.Requested), targetOf(resp)
	rules := j.arrived(resp, times)
	carry, done, again := fl.useStored(j, resp, times, rules, conditional)
	if again { // the answer does not fit what is stored: ask for all of it
		drain(resp)
		if conditional {
			withoutConditions(req.Header)
		}
		j.traceAgain(conditional)
		resp, times, err = fl.f.exchange(&fl.life, j.Origin, j.Request, interim)
		j.traceAnswered(resp, times, err)
		if err != nil {
			fl.fail(err)
			return nil
		}
		fl.target = targetOf(resp)
		rules = j.arrived(resp, times)
		done = false
	}
	if !done {
		return fl.deliver(j, resp, times, rules)
	}
	return carry
}

// request returns what is sent: the client's request with our own conditions,
// or with the range that is missing.
func request(j *Job) (r *http.Request, conditional bool) {
	r = j.Request
	if e := j.selected(); e != nil && j.Decision.Missing != nil {
		r = withOwnHeader(r)
		r.Header.Set("Range", j.Decision.Missing.Request(e.Length()))
		r.Header.Del("If-Range")
		if v := e.IfRangeFor(); v != "" {
			r.Header.Set("If-Range", v)
		}
		return r, false
	}
	if j.Anew {
		return r, false
	}
	noneMatch, since := policy.Conditions(j.Facts, j.Resource.judged(), j.Decision.Index)
	if noneMatch == "" && since == "" {
		return r, false
	}
	withoutConditions(r.Header)
	if noneMatch != "" {
		r.Header["If-None-Match"] = []string{noneMatch}
	}
	if since != "" {
		r.Header["If-Modified-Since"] = []string{since}
	}
	return r, true
}

func withoutConditions(h http.Header) {
	delete(h, "If-None-Match")
	delete(h, "If-Modified-Since")
}

// withOwnHeader returns a request whose header can be changed: the job's stays
// as it is, for another try.
func withOwnHeader(r *http.Request) *http.Request {
	out := *r
	out.Header = maps.Clone(r.Header)
	return &out
}

// useStored handles answers that say something about what is stored: a 304, a
// part that was missing, the answer to a HEAD. done: the flight has its
// verdict, and carry is what is left to be done; again: the request must be made
// anew, as the client made it.
func (fl *flight) useStored(j *Job, resp *http.Response, t policy.Times, rules *policy.Rules, conditional bool) (carry func(), done, again bool) {
	switch {
	case conditional && resp.StatusCode == http.StatusNotModified:
		e, refused := fl.f.freshen(fl, j, resp, t, rules)
		if e == nil {
			return nil, false, true
		}
		drain(resp)
		fl.useEntry(resp.StatusCode, e, refused)
		return nil, true, false
	case j.Decision.Missing != nil && resp.StatusCode == http.StatusPartialContent:
		carry, done = fl.complete(j, resp, t, rules)
		return carry, done, !done
	case j.Decision.Missing != nil && resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return nil, false, true
	case j.Facts.Method == http.MethodHead && resp.StatusCode < 500:
		if e, refused := fl.f.head(fl, j, resp, t, rules); e != nil {
			j.trace().Note(policy.StepUpdatedByHead)
			drain(resp)
			fl.useEntry(resp.StatusCode, e, refused)
			return nil, true, false
		}
	}
	return nil, false, false
}

// deliver settles what becomes of a response of its own. It returns what is left
// to be done, or nil.
func (fl *flight) deliver(j *Job, resp *http.Response, t policy.Times, rules *policy.Rules) (carry func()) {
	stored, why := admit(j, resp, t, rules)
	length := contentLength(j, resp)
	if most := fl.f.limits.Load().maxObject; stored != nil && length > most {
		stored, why = nil, policy.TooLarge
		j.traceTooLarge(length, most)
	}
	fl.status, fl.header, fl.length = resp.StatusCode, resp.Header, length
	fl.stored, fl.refused = stored, why
	policy.RemoveTags(resp.Header, rules)
	if stored == nil {
		fl.displace(j)
		fl.giveAway(resp)
		return nil
	}
	policy.ApplyCookieRule(resp.Header, rules)
	fl.fields = policy.Storable(resp.Header, rules)
	fl.open(length)
	return func() { fl.carry(resp.Body, resp, stored, func() { fl.publish(stored) }) }
}

// publish lets everybody read the growing body, or the first client only when
// the response could not be reused without asking the origin again.
func (fl *flight) publish(stored *policy.Stored) {
	if stored.NoCache || stored.Lifetime+stored.StaleWhileRevalidate <= stored.InitialAge {
		fl.f.alone(fl)
		fl.settle(ownStore)
		return
	}
	fl.f.lonely.remove(fl.kind)
	fl.settle(shared)
}

// displace forgets the entry that was validated when the answer tells that it
// does not hold any more.
func (fl *flight) displace(j *Job) {
	e := j.selected()
	if e != nil && j.Facts.Method == http.MethodGet && j.Decision.Reason != policy.PartialMiss && policy.Displaces(j.Facts, e.Stored, fl.status, time.Now()) {
		fl.f.update(fl, updates{e.head: nil}, nil, nil)
	}
}

// admit asks for the judgement on a response.
func admit(j *Job, resp *http.Response, t policy.Times, rules *policy.Rules) (*policy.Stored, policy.Reason) {
	return policy.Admit(j.Facts, &policy.Response{
		Status: resp.StatusCode, Fields: resp.Header,
		LocatesTarget: policy.LocatesTarget(j.Target, resp.Header),
	}, t, rules)
}

// contentLength returns how many bytes of content will come, -1 when not known.
func contentLength(j *Job, resp *http.Response) int64 {
	if j.Facts.Method == http.MethodHead || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		return 0
	}
	return resp.ContentLength
}

// giveAway hands a response that is not stored to the first client, if it is
// still here, and releases all others.
func (fl *flight) giveAway(resp *http.Response) {
	fl.f.alone(fl)
	fl.mu.Lock()
	if fl.leader {
		fl.raw = resp
	} else {
		resp.Body.Close()
		fl.cancel()
	}
	fl.mu.Unlock()
	fl.settle(own)
}

// alone remembers that a flight's response cannot be shared.
func (f *Fetcher) alone(fl *flight) {
	f.lonely.add(fl.kind, time.Now())
	f.unlist(fl)
}

// carry reads the body to its end, stores it, and lets the readers know. It
// calls publish before it has to wait for the body, so that all who wait for
// the head get what came with it at once.
func (fl *flight) carry(body io.Reader, resp *http.Response, stored *policy.Stored, publish func()) {
	defer resp.Body.Close()
	publish = sync.OnceFunc(publish)
	defer publish()
	err := fl.read(body, publish)
	if err != nil {
		fl.f.tally.failed(err)
		fl.f.unlist(fl) // who asks from now on asks anew
	}
	fl.end(ending{resp.Trailer, fl.keep(stored, err)})
	fl.release() // now the store counts it
	fl.over()
	fl.body.finish(err)
}

// keep stores what has arrived, or says why not.
func (fl *flight) keep(stored *policy.Stored, err error) policy.Reason {
	switch {
	case err != nil:
		return policy.Incomplete
	case fl.crowded:
		return policy.StoreRefused
	case !fl.body.isKept():
		return policy.TooLarge
	}
	e := newEntry(stored, fl.fields, fl.body.body())
	if e == nil {
		return policy.PartialUnusable
	}
	return fl.f.put(fl, e)
}

// read moves the body into the stream. One that outgrows the largest object, or
// finds no room beside the other bodies on their way, is not kept any more, but
// goes on to its readers.
func (fl *flight) read(body io.Reader, publish func()) error {
	if !fl.hold(fl.length) { // what is expected counts from the beginning
		fl.crowded = true
		fl.letGo()
	}
	for {
		if !isReady(body) {
			publish()
		}
		if err := fl.body.throttle(&fl.life); err != nil {
			return err
		}
		n, err := body.Read(fl.body.space())
		if n > 0 {
			if size := fl.body.wrote(n); fl.body.isKept() && !fl.hold(size) {
				fl.crowded = size <= fl.maxObject()
				fl.letGo()
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// letGo stops keeping the body. Without a reader there is nothing left to do.
func (fl *flight) letGo() {
	fl.f.unlist(fl)
	fl.body.letGo(fl.held, &fl.f.onTheWay)
	fl.held = 0
	if fl.idle() { // see leave
		fl.cancel()
	}
}

// newEntry makes an entry of a complete response; nil when its content
// contradicts its header.
func newEntry(stored *policy.Stored, fields http.Header, body Body) *Entry {
	if stored.Partial != nil {
		partial, ok := stored.Partial.Received(body.Size())
		if !ok {
			return nil
		}
		c := *stored
		c.Partial = partial
		stored = &c
	}
	return &Entry{Stored: stored, Fields: entryFields(stored, fields), Body: body}
}

// entryFields returns the fields of a stored response as a block. What is said
// anew with every use is left out.
func entryFields(s *policy.Stored, h http.Header) Block {
	return newBlock(h, func(name string) bool {
		// A HEAD has no body to count.
		return name == "Content-Length" && s.Method != http.MethodHead || name == "Content-Range" && s.Partial != nil
	})
}

func (fl *flight) useEntry(status int, e *Entry, refused policy.Reason) {
	fl.status, fl.entry, fl.stored, fl.refused = status, e, e.Stored, refused
	if e.NoCache || e.Lifetime <= e.InitialAge { // it answered one request, and will the next one by itself
		fl.f.alone(fl)
	} else {
		fl.f.unlist(fl)
	}
	fl.settle(entry)
}

func (fl *flight) fail(err error) {
	fl.failure = failureOf(err)
	if fl.failure.Reason == policy.ClientGone && fl.f.life.Err() == nil {
		fl.failure.Reason = policy.OriginTimeout // nobody waited until the origin answered
	}
	fl.f.unlist(fl)
	fl.settle(failed)
}

// cancelIfIdle frees the flight's context unless a client reads the response.
func (fl *flight) cancelIfIdle() {
	if fl.verdict != own {
		fl.cancel()
	}
	fl.mu.Lock()
	fl.landed = true
	if fl.timer != nil {
		fl.timer.Stop()
	}
	fl.mu.Unlock()
}

// drain reads the rest of a small body, so that its connection can be kept.
func drain(resp *http.Response) {
	if resp.Body == http.NoBody {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	resp.Body.Close()
}
