package cache

import (
	"slices"
	"time"
)

const (
	sweepEvery = 5 * time.Second // at the earliest
	sweepShare = 64              // and at most 1/64 of the time is spent on looking
)

// sweep has a goroutine of its own: a look at millions of items takes long, and the
// writer must not be held up.
func (s *overlay[V]) sweep() {
	timer := time.NewTimer(sweepEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			timer.Reset(s.collect())
		case <-s.stop:
			return
		}
	}
}

// collect removes what has expired and returns the pause until the next time. It
// looks at every item: an index by time would cost memory for each of them, and
// the engine's own stalls when many expire at once.
func (s *overlay[V]) collect() (pause time.Duration) {
	began := time.Now()
	now := s.now()
	var expired []*item[V]
	s.engine.IterValues(func(it *item[V]) (stop bool) { // without the turn: items do not change
		if it.deadline != 0 && now > it.deadline {
			expired = append(expired, it)
		}
		return false
	})
	pause = max(sweepEvery, sweepShare*time.Since(began))
	for len(expired) > 0 {
		n := min(batch, len(expired))
		if !s.take() {
			break
		}
		held := slices.DeleteFunc(expired[:n], func(it *item[V]) bool { return it.gone.Load() })
		s.lapsed.Add(s.discard(held))
		s.applyQueued() // sets do not wait for the whole sweep
		s.give()
		expired = expired[n:]
	}
	return pause
}

// discard removes at most batch items from the engine and returns how many of them
// counted. The caller has the turn and knows that the engine holds none but these
// under their hashes; those that have a newer pending intent do not count any more.
func (s *overlay[V]) discard(items []*item[V]) uint64 {
	var n uint64
	for _, it := range items {
		if s.depart(it) {
			n++
		}
		s.engine.Del(s.hash(it.key))
	}
	s.engine.Wait()
	return n
}
