package revalidate

import (
	"slices"
	"time"

	"cacheproxy/cache"
	"cacheproxy/purge"
)

// sweepShare bounds what sweeps take while nobody waits for one: after each there is
// a pause of so many times as long.
const sweepShare = 9

// sweep works off purges, as long as there are any: it takes out of the store what
// their marks hit. One sweep serves all that were set before it began.
//
// A mark ends when it was swept for and every flight that began before it has
// landed. What is stored later on can then not be hit: it was requested after the
// mark, or made with a look at it.
func (f *Fetcher) sweep() {
	for {
		all := f.takePending()
		if all == nil {
			return
		}
		began := time.Now()
		complete := f.clean(all)
		f.swept(all)
		for _, p := range all {
			p.end(complete)
		}
		f.rest(sweepShare * time.Since(began))
	}
}

// swept notes that the store is clean of what purges hit.
func (f *Fetcher) swept(all []*Purged) {
	f.purges.mu.Lock()
	defer f.purges.mu.Unlock()
	for _, p := range all {
		for _, s := range p.marks {
			s.swept = true
		}
	}
	f.retire()
}

// takePending returns the purges to sweep for; nil ends the sweeps.
func (f *Fetcher) takePending() (all []*Purged) {
	f.purges.mu.Lock()
	defer f.purges.mu.Unlock()
	all, f.purges.pending = f.purges.pending, nil
	f.purges.sweeping = all != nil
	if all == nil {
		f.retire() // flights that have landed meanwhile left it to the sweeps
	}
	return all
}

// rest waits before the next sweep, if there is one to make, for so long or until
// somebody waits for it.
func (f *Fetcher) rest(d time.Duration) {
	f.purges.mu.Lock()
	more := len(f.purges.pending) > 0
	f.purges.mu.Unlock()
	if !more {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.purges.wanted:
	case <-f.life.Done():
	}
}

// clean applies the marks of purges to all that is stored. It returns false when it
// did not come to the end, since the fetcher is closed.
func (f *Fetcher) clean(all []*Purged) (complete bool) {
	var states []*standing
	for _, p := range all {
		for _, s := range p.marks {
			if s.Kind != purge.URL {
				states = append(states, s)
			}
		}
	}
	m := new(inForce).only(states)
	// Who writes to the store without knowledge of these marks is waited for: what
	// it writes is there when Range begins.
	f.writes.Lock()
	complete = f.life.Err() == nil
	f.writes.Unlock()
	if !complete {
		return false
	}
	var r Resource
	f.store.Range(func(key string, k Kept, _ int64) bool {
		r.fill(k, f.base)
		for _, s := range r.Stored {
			if found := m.set.Find(key, s); found.Hard >= 0 || found.Soft >= 0 {
				f.cleanKey(m, key)
				break
			}
		}
		complete = f.life.Err() == nil
		return complete
	})
	return complete
}

// cleanKey applies marks to what is stored under a key.
func (f *Fetcher) cleanKey(m *inForce, key string) {
	f.store.Update(key, func(k Kept, ok bool) cache.Change[Kept] {
		if !ok {
			return cache.Change[Kept]{Op: cache.Keep}
		}
		r := f.read(k)
		var entries []*Entry
		changed := false
		for _, e := range r.Entries {
			found := m.set.Find(key, e.Stored)
			switch {
			case found.Hard >= 0:
				m.states[found.Hard].entries.Add(1)
				changed = true
				continue
			case found.Soft >= 0:
				m.states[found.Soft].entries.Add(1)
				if ended := e.staleFrom(m.set.Mark(found.Soft).Time); ended.Lifetime < e.Lifetime {
					e, changed = ended, true
				}
			}
			entries = append(entries, e)
		}
		switch {
		case !changed:
			return cache.Change[Kept]{Op: cache.Keep}
		case len(entries) == 0:
			return cache.Change[Kept]{Op: cache.Remove}
		}
		return f.change(key, entries)
	})
}

// cohortEnded takes marks out of force that have waited for flights, when it is half of
// them: to look through very many with each flight that lands would cost more than they
// do. During sweeps the sweeps do it.
func (f *Fetcher) cohortEnded() {
	f.purges.mu.Lock()
	defer f.purges.mu.Unlock()
	if f.purges.sweeping {
		return
	}
	ended := 0
	all := f.marks.Load().states
	f.mu.Lock()
	for _, s := range all {
		if s.swept && f.cohorts.landed(s.after) {
			ended++
		}
	}
	f.mu.Unlock()
	if 2*ended >= len(all) {
		f.retire()
	}
}

// mostStanding bounds the marks that were swept for and wait for flights to land, some
// of which may last for very long.
const mostStanding = 10_000

// retire takes marks out of force that have ended. The caller holds the lock of the
// purges.
func (f *Fetcher) retire() {
	now := f.marks.Load()
	f.mu.Lock()
	defer f.mu.Unlock()
	left := f.notEnded(slices.Clone(now.states))
	waiting := 0
	for _, s := range left {
		if s.swept {
			waiting++
		}
	}
	if waiting > mostStanding {
		f.giveUp()
		left = f.notEnded(left)
	}
	if len(left) < len(now.states) {
		f.marks.Store(now.only(left))
	}
}

// notEnded are the marks that are still to be swept for or wait for flights, each once
// if it is hard. The caller holds both locks.
func (f *Fetcher) notEnded(states []*standing) []*standing {
	return withoutRepeated(slices.DeleteFunc(states, func(s *standing) bool {
		return s.swept && f.cohorts.landed(s.after)
	}))
}

// giveUp ends the wait for flights: what they bring is not stored. The caller holds
// Fetcher.mu.
func (f *Fetcher) giveUp() {
	for _, fl := range f.active {
		for ; fl != nil; fl = fl.next {
			fl.doomed.Store(true)
		}
	}
	f.cohorts.oldest = f.cohorts.newest
	f.gone.Load().noteAll()
}
