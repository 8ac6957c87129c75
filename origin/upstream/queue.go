package upstream

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/origin"
)

// queue is of requests that wait for a slot, whichever target it comes from. The
// first is served first.
type queue struct {
	length atomic.Int32
	mu     sync.Mutex
	list   list.List // of *waiter
}

type waiter struct {
	trip trip        // a copy, so that the original need not be on the heap
	got  chan result // has room for one
}

type result struct {
	permit permit
	err    error
}

// busyAfter is when to come again if there was no slot: nobody knows, but soon.
const busyAfter = time.Second

// wait waits for a slot. Its errors are Busy, when there is none in time or no room
// to wait, Unavailable, when no target is up any more, and the end of the context.
func (u *Upstream) wait(t *trip) (permit, error) {
	w := &waiter{*t, make(chan result, 1)}
	place := u.enqueue(w)
	if place == nil {
		return permit{}, u.busy("and no more than %d may wait for one", max(u.o.Queue, 0))
	}
	ctx := t.r.Context()
	late := time.NewTimer(u.o.QueueTime)
	defer late.Stop()
	var err error
	select {
	case r := <-w.got:
		return r.permit, r.err
	case <-ctx.Done():
		err = ended(ctx)
	case <-late.C:
		err = u.busy("within %s", u.o.QueueTime)
	}
	u.queue.mu.Lock()
	defer u.queue.mu.Unlock()
	select {
	case r := <-w.got: // in the very last moment
		return r.permit, r.err
	default:
		u.queue.list.Remove(place)
		u.queue.length.Add(-1)
		return permit{}, err
	}
}

func (u *Upstream) busy(format string, args ...any) error {
	return &origin.Error{
		Failure: origin.Busy, RetryAfter: busyAfter,
		Err: fmt.Errorf("upstream %q: no slot free for a request, "+format, append([]any{u.o.Name}, args...)...),
	}
}

// ended is why a context has ended.
func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	if known, ok := cause.(*origin.Error); ok {
		return known
	}
	return &origin.Error{Failure: origin.Classify(ctx.Err()), Err: cause}
}

// enqueue puts one at the end of the queue; nil if that is full.
func (u *Upstream) enqueue(w *waiter) *list.Element {
	q := &u.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.list.Len() >= u.o.Queue {
		return nil
	}
	place := q.list.PushBack(w)
	q.length.Add(1) // and only then looks for a slot, as who frees one does it the other way round
	u.serve()
	return place
}

// wake serves those who wait, as a slot is free or a target has changed.
func (u *Upstream) wake() {
	if u.queue.length.Load() == 0 {
		return
	}
	u.queue.mu.Lock()
	defer u.queue.mu.Unlock()
	u.serve()
}

// serve gives slots to those who have waited longest, or tells them that there is
// no target any more. The caller holds the mutex.
func (u *Upstream) serve() {
	q := &u.queue
	for first := q.list.Front(); first != nil; first = q.list.Front() {
		w := first.Value.(*waiter)
		p, s := u.pick(&w.trip)
		switch s {
		case full:
			return
		case granted:
			w.got <- result{permit: p}
		case none:
			w.got <- result{err: u.unavailable()}
		}
		q.list.Remove(first)
		q.length.Add(-1)
	}
}
