package revalidate

import (
	"context"
	"slices"
	"sync"
	"time"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
)

// purges are what was purged and is still to be swept.
type purges struct {
	mu       sync.Mutex // one change of the marks at a time; taken before Fetcher.mu
	pending  []*Purged
	sweeping bool
	wanted   chan struct{} // somebody waits for the next sweep
}

// Purged is a purge whose entries are being counted.
type Purged struct {
	f     *Fetcher
	marks []*standing // as they were given
	then  func(entries []int64, complete bool)

	done     chan struct{}
	complete bool // all entries were looked at; set before done is closed
}

// Purge sets marks. When it returns they are in force: nobody who looks anything up
// from then on is served what a hard mark hits, nor as fresh what a soft one hits,
// and nobody joins a flight that may bring such a thing. That takes no longer with
// more entries; what is dead is taken out of the store afterwards, and counted. The
// times of the marks are set here.
//
// then is called once with the entries that each mark hit, when they are counted, or
// with what is known when the fetcher is closed; it may be nil. What is hit by
// several marks counts for one of them.
func (f *Fetcher) Purge(marks []purge.Mark, then func(entries []int64, complete bool)) *Purged {
	p := &Purged{f: f, marks: make([]*standing, len(marks)), then: then, done: make(chan struct{})}
	for i, m := range marks {
		p.marks[i] = &standing{Mark: m}
	}
	now, waits := f.set(p)
	for _, s := range p.marks {
		if s.Kind == purge.URL {
			s.entries.Store(f.purgeURL(&s.Mark))
		}
	}
	for !time.Now().After(now) { // what is requested from now on must bear a later time
		time.Sleep(time.Nanosecond)
	}
	if !waits {
		p.end(f.life.Err() == nil)
	}
	return p
}

// Wait waits until the entries are counted, or ctx ends, and returns how many each
// mark hit. If complete is false more may be found.
func (p *Purged) Wait(ctx context.Context) (entries []int64, complete bool) {
	select {
	case <-p.done:
		return p.SoFar()
	default:
	}
	p.f.purges.hurry()
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	return p.SoFar()
}

// SoFar is Wait without waiting.
func (p *Purged) SoFar() (entries []int64, complete bool) {
	select {
	case <-p.done:
		return p.counts(), p.complete
	default:
		return p.counts(), false
	}
}

func (p *Purged) counts() []int64 {
	counts := make([]int64, len(p.marks))
	for i, s := range p.marks {
		counts[i] = s.entries.Load()
	}
	return counts
}

// end says that the entries are counted: then hears of it before those who wait.
func (p *Purged) end(complete bool) {
	p.complete = complete
	if p.then != nil {
		p.then(p.counts(), complete)
	}
	close(p.done)
}

// hurry begins the next sweep now.
func (p *purges) hurry() {
	select {
	case p.wanted <- struct{}{}:
	default: // it is known
	}
}

// set puts the marks of a purge in force, but for those of URLs. It returns their time,
// and whether a sweep will end the purge. Marks come into force in the order of their
// times, so that one hits all that the same one before it hits.
func (f *Fetcher) set(p *Purged) (now time.Time, waits bool) {
	f.purges.mu.Lock()
	defer f.purges.mu.Unlock()
	now = time.Now()
	var newer []*standing
	for _, s := range p.marks {
		s.Time = now
		if s.Kind != purge.URL {
			newer = append(newer, s)
		}
	}
	next := f.marks.Load().with(newer)
	next.purges++
	if slices.ContainsFunc(p.marks, func(s *standing) bool { return !s.Soft }) {
		next.hards++
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if waits = len(newer) > 0 && f.life.Err() == nil; waits {
		after := f.cohorts.begin()
		for _, s := range p.marks {
			s.after = after
		}
		f.purges.pending = append(f.purges.pending, p)
		if len(next.states) > mostPending {
			f.purges.hurry()
		}
	}
	f.marks.Store(next)
	f.part(p.marks)
	if waits && !f.purges.sweeping {
		f.purges.sweeping = true
		f.wg.Go(f.sweep)
	}
	return now, waits
}

// mostPending is how many marks may be in force before sweeps follow on one another.
const mostPending = 10_000

// severalMarks is from how many marks on it is not worth while to find out which
// flights they may hit.
const severalMarks = 64

// part keeps those who come from now on from joining flights that marks may hit. The
// tags of a response are not known before its head is there, and what they are by
// then is not worth a lock for each flight: so a mark for a tag parts all. The caller
// holds the lock.
func (f *Fetcher) part(marks []*standing) {
	if len(marks) > severalMarks {
		clear(f.flights)
		return
	}
	for id, fl := range f.flights {
		if slices.ContainsFunc(marks, func(s *standing) bool { return s.Reaches(fl.key) }) {
			delete(f.flights, id)
		}
	}
}

// purgeURL purges what is stored under a key, and what is on its way. It returns how
// many entries were stored. No flight begins meanwhile, which could still find what
// is being purged.
func (f *Fetcher) purgeURL(m *purge.Mark) (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for fl := f.active[m.Value]; fl != nil; fl = fl.next {
		if m.Soft {
			fl.stale.Store(&m.Time)
		} else {
			fl.doomed.Store(true)
		}
	}
	f.lonely.remove(m.Value)
	f.lonely.remove(m.Value + authorized)
	f.gone.Load().note(m.Value)
	f.store.Update(m.Value, func(k Kept, ok bool) cache.Change[Kept] {
		marks := f.marks.Load()
		entries, dead := f.live(marks, m.Value, k)
		n = int64(len(entries))
		if !ok {
			return cache.Change[Kept]{Op: cache.Keep}
		}
		marks.count(dead)
		if !m.Soft || n == 0 {
			return cache.Change[Kept]{Op: cache.Remove}
		}
		for i, e := range entries {
			entries[i] = e.staleFrom(m.Time)
		}
		return f.change(m.Value, entries)
	})
	return n
}

// Match returns how many entries each mark would hit, and the keys of at most so many
// of them. What is hit by several marks counts for one of them. The error is ctx's.
func (f *Fetcher) Match(ctx context.Context, marks []purge.Mark, most int) (entries []int64, some []string, err error) {
	m := matching{f: f, entries: make([]int64, len(marks)), most: most, urls: map[string]bool{}}
	var set []purge.Mark
	for i, mark := range marks {
		mark.Time = time.Now()
		if mark.Kind == purge.URL {
			if _, stored := f.Lookup(mark.Value); len(stored) > 0 && !m.urls[mark.Value] {
				m.urls[mark.Value] = true
				m.entries[i] = int64(len(stored))
				m.note(mark.Value)
			}
			continue
		}
		set = append(set, mark)
		m.places = append(m.places, i)
	}
	if len(set) > 0 {
		m.set = purge.New(set)
		err = m.all(ctx)
	}
	return m.entries, m.some, err
}

// matching is a look for what marks would hit.
type matching struct {
	f       *Fetcher
	set     *purge.Marks
	places  []int // of the marks in the set, in entries
	entries []int64
	urls    map[string]bool // that are counted
	most    int
	some    []string
}

func (m *matching) note(key string) {
	if len(m.some) < m.most {
		m.some = append(m.some, key)
	}
}

func (m *matching) all(ctx context.Context) (err error) {
	alive := m.f.alive()
	m.f.store.Range(func(key string, k Kept, _ int64) bool {
		if err = ctx.Err(); err != nil {
			return false
		}
		if m.urls[key] {
			return true
		}
		if r := alive.read(key, k); r != nil && m.count(key, r.Stored) {
			m.note(key)
		}
		return true
	})
	return err
}

// count counts the stored responses of a key, and reports whether any is hit.
func (m *matching) count(key string, all []*policy.Stored) (hit bool) {
	for _, s := range all {
		found := m.set.Find(key, s)
		if i := max(found.Hard, found.Soft); i >= 0 {
			m.entries[m.places[i]]++
			hit = true
		}
	}
	return hit
}
