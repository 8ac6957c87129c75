package revalidate

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/cache"
	"cacheproxy/policy"
)

var errClosed = errors.New("the fetcher is closed")

// Options of a Fetcher.
type Options struct {
	Store       cache.Store[Kept]
	MaxObject   int64 // bytes of a body that is stored; larger ones pass through
	MaxVariants int   // of one resource
}

// Fetcher asks origins and stores what they answer.
type Fetcher struct {
	store  cache.Store[Kept]
	base   time.Time // times in the store are relative to it, so that they keep to the monotonic clock
	limits atomic.Pointer[limits]

	life Life // no flight outlives it
	wg   sync.WaitGroup

	mu      sync.Mutex
	flights map[string]*flight // that may be joined, by flight ID
	active  map[string]*flight // all that may store, by resource key: lists
	lonely  lonely
	cohorts cohorts

	marks  atomic.Pointer[inForce]
	purges purges
	writes sync.RWMutex // read-locked by who writes to the store with a look at the marks

	snapshots sync.Mutex           // one is saved or loaded at a time
	gone      atomic.Pointer[gone] // while one is loaded

	started, collapsed atomic.Int64
	running, waiting   atomic.Int64
	tally              tally
	onTheWay           atomic.Int64 // bytes of bodies that are kept while they arrive
	passing            atomic.Int64 // bodies on their way that are not kept
}

type limits struct {
	maxObject   int64
	maxVariants int
}

// New returns a fetcher; Close ends it.
func New(o Options) *Fetcher {
	f := &Fetcher{
		store:   o.Store,
		base:    time.Now(),
		flights: make(map[string]*flight),
		active:  make(map[string]*flight),
	}
	f.SetLimits(o.MaxObject, o.MaxVariants)
	f.marks.Store(new(inForce))
	f.purges.wanted = make(chan struct{}, 1)
	f.cohorts.begin()
	return f
}

// SetLimits changes the limits for responses that arrive from now on.
func (f *Fetcher) SetLimits(maxObject int64, maxVariants int) {
	f.limits.Store(&limits{maxObject, maxVariants})
}

// Close cancels all flights and waits for them. None begins any more.
func (f *Fetcher) Close() {
	f.mu.Lock()
	f.life.Cancel()
	f.mu.Unlock()
	f.wg.Wait()
}

// Stats are counters of flights.
type Stats struct {
	Started   int64 // flights so far
	Running   int64 // flights now
	Waiting   int64 // clients that wait for a response head now
	Collapsed int64 // requests answered by another client's flight
}

// Stats returns the counters.
func (f *Fetcher) Stats() Stats {
	return Stats{f.started.Load(), f.running.Load(), f.waiting.Load(), f.collapsed.Load()}
}

// Do gets an answer for a job: from a flight that is under way for the same
// thing, or from one of its own. The error is a *Failure when the origin
// failed, or ctx's error when the client left.
func (f *Fetcher) Do(ctx context.Context, j *Job) (*Answer, error) {
	if f.lonely.has(j.kind(), time.Now()) {
		j.trace().Note(policy.StepAlone)
		return f.solo(ctx, j)
	}
	alone := j.Alone
	for {
		fl, leads, e := f.board(j, alone)
		switch {
		case e != nil:
			f.collapsed.Add(1)
			j.trace().Note(policy.StepLanded)
			return &Answer{Entry: e, Facts: e.Stored, Stored: true, Collapsed: true}, nil
		case fl == nil:
			return nil, &Failure{Reason: policy.ClientGone, Err: errClosed}
		}
		if !leads {
			j.trace().Note(policy.StepJoined)
		}
		a, err := fl.wait(ctx, j, leads)
		if err != errReleased {
			j.traceShared(a)
			if a != nil && a.Collapsed {
				f.collapsed.Add(1)
			}
			return a, err
		}
		j.trace().Note(policy.StepReleased)
		if fl.stored != nil && !fl.stored.Matches(j.Facts.Fields) && j.vary == nil {
			j.vary = fl.stored.Vary // wait only for what this request selects
			continue
		}
		alone = true
	}
}

// Refresh starts a flight that nobody waits for, unless one is under way or the
// store has something fresh meanwhile.
func (f *Fetcher) Refresh(j *Job) {
	id := j.flightID()
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.flights[id]; fl != nil && fl.underWay(time.Now()) || f.life.Err() != nil || f.arrived(j) != nil {
		return
	}
	f.renew(j)
	f.start(id, j, false).leave(true)
}

// board returns the flight to wait for, and whether this job started it; or an
// entry that makes a flight needless; or nothing when the fetcher is closed.
func (f *Fetcher) board(j *Job, alone bool) (fl *flight, leads bool, e *Entry) {
	id := j.flightID()
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.flights[id]; fl != nil && !alone && fl.join(time.Now()) {
		return fl, false, nil
	}
	if f.life.Err() != nil {
		return nil, false, nil
	}
	if e := f.arrived(j); e != nil {
		return nil, false, e
	}
	f.renew(j)
	return f.start(id, j, alone), true, nil
}

// arrived returns what came into the store since the job was judged, if it
// answers the job: a flight for the same thing has landed in between.
func (f *Fetcher) arrived(j *Job) *Entry {
	r, stored := f.Lookup(j.Key)
	if r == nil || j.Anew || j.Resource != nil && r.kept == j.Resource.kept {
		return nil
	}
	facts := *j.Facts
	facts.Trace = nil // the judgement that counts was told
	d := policy.Judge(&facts, stored, time.Now())
	if d.Action != policy.Serve {
		return nil
	}
	return r.Entries[d.Index]
}

// start begins a flight. The caller holds the lock.
func (f *Fetcher) start(id string, j *Job, alone bool) *flight {
	fl := newFlight(f, id, j)
	if !alone || f.flights[id] == nil {
		f.flights[id] = fl
	}
	f.started.Add(1)
	f.list(fl)
	j.traceStarted(alone)
	f.launch(fl, func() { fl.run(j) })
	return fl
}

// list notes a flight that may store. The caller holds the lock and has seen
// that the fetcher is open.
func (f *Fetcher) list(fl *flight) {
	fl.next = f.active[fl.key]
	f.active[fl.key] = fl
	fl.cohort = f.cohorts.join()
	f.running.Add(1)
}

// launch does the work of a listed flight in the background. The caller holds
// the lock, or the fetcher cannot be closed meanwhile.
func (f *Fetcher) launch(fl *flight, work func()) {
	f.wg.Go(func() {
		defer f.land(fl)
		work()
	})
}

// unlist keeps others from joining a flight.
func (f *Fetcher) unlist(fl *flight) {
	if fl.id == "" { // nobody could
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flights[fl.id] == fl {
		delete(f.flights, fl.id)
	}
}

// land forgets a flight that ended.
func (f *Fetcher) land(fl *flight) {
	fl.over()
	if f.forget(fl) {
		f.cohortEnded()
	}
}

// forget does the work of land. It reports whether a cohort has ended.
func (f *Fetcher) forget(fl *flight) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.flights[fl.id] == fl {
		delete(f.flights, fl.id)
	}
	switch first := f.active[fl.key]; {
	case first != fl:
		for first.next != fl {
			first = first.next
		}
		first.next = fl.next
	case fl.next != nil:
		f.active[fl.key] = fl.next
	default:
		delete(f.active, fl.key)
	}
	f.running.Add(-1)
	return f.cohorts.leave(fl.cohort)
}

// Invalidate forgets what is stored for a key, and keeps what is on its way
// from being stored or joined (RFC 9111, 4.4). It reports whether something
// was stored.
//
// A flight asks whether it is doomed inside the store's update of its key. So
// either it is doomed before and does not store, or it stores before the
// delete below, which then removes it.
func (f *Fetcher) Invalidate(key string) bool {
	f.mu.Lock()
	for fl := f.active[key]; fl != nil; fl = fl.next {
		fl.doomed.Store(true)
		if f.flights[fl.id] == fl {
			delete(f.flights, fl.id)
		}
	}
	f.mu.Unlock()
	f.lonely.remove(key)
	f.lonely.remove(key + authorized)
	f.gone.Load().note(key)
	return f.store.Delete(key)
}

// Lookup returns what is stored for a key, nil for nothing.
func (f *Fetcher) Lookup(key string) (*Resource, []*policy.Stored) { return f.LookupTraced(key, nil) }

// LookupTraced is Lookup, and tells which marks of purges it looks at and what they hit.
func (f *Fetcher) LookupTraced(key string, t *policy.Trace) (*Resource, []*policy.Stored) {
	f.traceMarks(t)
	r := &Resource{trace: t}
	if !f.LookupIn(r, key, time.Now()) {
		return nil, nil
	}
	return r, r.Stored
}

// LookupIn is Lookup into memory of the caller, who knows the time. It reports
// whether something is stored.
//
// The marks are read before the store: one that is out of force by then has nothing
// left in the store to hit.
func (f *Fetcher) LookupIn(r *Resource, key string, now time.Time) bool {
	m := f.marks.Load()
	k, ok := f.store.GetAt(key, now)
	if !ok {
		return false
	}
	r.fill(k, f.base)
	r.of, r.hards = f, m.hards
	if m.set != nil && !r.strike(m.set, key) {
		r.Forget()
		return false
	}
	return true
}

func (f *Fetcher) read(k Kept) *Resource {
	r := new(Resource)
	r.fill(k, f.base)
	return r
}
