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

// joinSilence is how long a body may have been silent for others to join: they
// had better ask anew than wait for an origin that has stalled.
const joinSilence = 5 * time.Second

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
	next   *flight // of those with the same key that may store
	id     string
	key    string
	kind   string // of request, for remembering what cannot be shared
	life   Life
	cancel context.CancelFunc        // ends life
	tie    watcher                   // ends it with the fetcher
	client watcher                   // ends it with its only client
	doomed atomic.Bool               // the key was invalidated: do not store
	stale  atomic.Pointer[time.Time] // the key was purged softly then
	cohort *cohort
	trace  string // Traceparent of the request that started it
	ended  func() // who counts flights; nil for nobody, or when it was called

	mu       sync.Mutex
	changed  chan struct{} // closed with the next change; nil = nobody waits for one
	interims []interim
	waiters  int
	leader   bool // the first client is still here
	landed   bool // its work is done
	timer    *time.Timer

	// Set before the verdict, and not changed after it.
	verdict    verdict
	status     int         // of the origin
	target     string      // that answered
	answered   int         // of the answer, when that is another one
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
	first      *reader // the first client's, until it takes it or leaves; guarded by mu

	ending ending // guarded by mu

	// The flight's own:
	held    int64 // bytes of the body that count as on their way
	crowded bool  // there was no room to keep it
}

// ending is what is known at the end of a body.
type ending struct {
	trailer http.Header
	late    policy.Reason // why it was not stored after all
}

func newFlight(f *Fetcher, id string, j *Job) *flight {
	fl := &flight{f: f, id: id, key: j.Key, kind: j.kind(), waiters: 1, leader: true}
	if lines := j.Request.Header["Traceparent"]; len(lines) == 1 {
		fl.trace = lines[0]
	}
	if j.Began != nil {
		fl.ended = j.Began()
	}
	fl.cancel = fl.finish
	fl.tie.run = fl.cancel
	f.life.watch(&fl.tie)
	return fl
}

// finish ends the flight's life.
func (fl *flight) finish() {
	fl.tie.stop()
	fl.life.Cancel()
}

// join adds a waiter, unless what is on its way is of no use any more.
func (fl *flight) join(now time.Time) bool {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	if !fl.useful(now) || fl.verdict == shared && fl.body.silence(now) > joinSilence || fl.timer != nil && !fl.timer.Stop() {
		return false
	}
	fl.timer = nil
	fl.waiters++
	return true
}

// underWay reports whether the flight brings, or may bring, what others can use.
func (fl *flight) underWay(now time.Time) bool {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	return fl.useful(now)
}

// useful is underWay for a caller that holds the lock.
func (fl *flight) useful(now time.Time) bool {
	switch {
	case fl.life.Err() != nil: // it has ended or is being ended
		return false
	case fl.verdict == shared:
		return fl.stored.Age(now) < fl.stored.Lifetime
	}
	return fl.verdict == pending
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
		if fl.first != nil {
			fl.first.Close()
			fl.first = nil
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

// idle reports whether nobody waits for the flight or reads its body.
func (fl *flight) idle() bool {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	return fl.waiters == 0
}

// open makes the body that everybody reads. The first client's reader is there
// from the beginning, so that it never comes too late.
func (fl *flight) open(length int64) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	fl.body = newStream(length, &fl.f.passing)
	if fl.leader {
		fl.first = fl.body.reader()
	}
}

// end notes what is known once the body is complete, or broke off.
func (fl *flight) end(e ending) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	fl.ending = e
}

func (fl *flight) trailer() http.Header {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	return fl.ending.trailer
}

func (fl *flight) late() policy.Reason {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	return fl.ending.late
}

// over tells who counts the flight that all is here, before a client can hear of it: its
// next request must find the place free. The flight's own goroutine calls it.
func (fl *flight) over() {
	if fl.ended != nil {
		fl.ended()
		fl.ended = nil
	}
}

// settle publishes the verdict.
func (fl *flight) settle(v verdict) {
	if v != shared && v != ownStore { // of those the body is still to come
		fl.over()
	}
	fl.mu.Lock()
	defer fl.mu.Unlock()
	fl.verdict = v
	fl.broadcast()
}

func (fl *flight) addInterim(status int, h http.Header) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	fl.interims = append(fl.interims, interim{status, h})
	fl.broadcast()
}

// broadcast wakes everybody who waits. The caller holds the lock.
func (fl *flight) broadcast() {
	if fl.changed != nil {
		close(fl.changed)
		fl.changed = nil
	}
}

// news returns what is new to somebody who has seen so many interim responses,
// and, before the verdict, a channel that the next change closes.
func (fl *flight) news(seen int) ([]interim, verdict, <-chan struct{}) {
	fl.mu.Lock()
	defer fl.mu.Unlock()
	if fl.verdict == pending && fl.changed == nil {
		fl.changed = make(chan struct{})
	}
	return fl.interims[seen:], fl.verdict, fl.changed
}

// wait waits for the verdict and turns it into this client's answer.
func (fl *flight) wait(ctx context.Context, j *Job, leads bool) (*Answer, error) {
	fl.f.waiting.Add(1)
	defer fl.f.waiting.Add(-1)
	seen := 0
	for {
		fresh, v, changed := fl.news(seen)
		for _, i := range fresh {
			if leads && j.Interim != nil { // nobody knows yet whether others may have it
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
