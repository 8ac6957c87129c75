package upstream

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// slots bound the requests that a target has at once. Unless it is fixed, the bound
// follows how the target fares: it is cut when too many requests are turned away
// with 503, or time out while nobody is answered, or when a typical answer takes far
// longer than usual while nearly all slots are taken; otherwise it grows again.
type slots struct {
	inUse, bound atomic.Int32
	most         int32
	fixed        bool

	mu     sync.Mutex
	window window
	usual  time.Duration // that a typical answer takes; 0 = not known
}

// How the bound is made to follow.
const (
	leastBound   = 16
	windowTime   = time.Second // that is looked at together, at least
	windowCount  = 10          // answers in it, at least
	growth       = 16          // slots, for a window without trouble
	refusalShare = 10          // one refusal in so many answers is trouble
	slowFactor   = 4           // slow is so many times as long as usual
	slowMargin   = 100 * time.Millisecond
)

// cut is what remains of the bound, or of what was in use if that is less.
func cut(n int32) int32 { return n * 3 / 4 }

func (s *slots) init(most int, fixed bool) {
	s.most, s.fixed = int32(most), fixed
	s.bound.Store(s.most)
}

// take takes a slot if one is free.
func (s *slots) take() bool {
	for {
		n := s.inUse.Load()
		if n >= s.bound.Load() {
			return false
		}
		if s.inUse.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *slots) free() bool { return s.inUse.Load() < s.bound.Load() }

// window is what came of the requests of about a second.
type window struct {
	began    time.Duration
	count    int
	refusals int   // of them
	peak     int32 // most slots in use
	timed    int
	times    [4 * 64]int // answers by how long they took, in quarters of octaves
}

// note notes the head of an answer at the time now, or that none came in time. took
// is 0 if it says nothing about the target.
func (s *slots) note(now, took time.Duration, refused bool) {
	if s.fixed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.window
	w.count++
	w.peak = max(w.peak, s.inUse.Load())
	switch {
	case refused:
		w.refusals++
	case took > 0:
		w.timed++
		w.times[quarter(took)]++
	}
	if w.count >= windowCount && now-w.began >= windowTime {
		s.judge(w)
		*w = window{began: now}
	}
}

// judge moves the bound after a window.
func (s *slots) judge(w *window) {
	bound, typical := s.bound.Load(), w.typical()
	near := w.peak >= cut(bound)
	slow := near && s.usual > 0 && typical >= slowFactor*s.usual && typical >= s.usual+slowMargin
	if slow || w.refusals*refusalShare >= w.count {
		s.bound.Store(min(bound, max(cut(min(bound, w.peak)), leastBound)))
	} else {
		s.bound.Store(min(bound+growth, s.most))
	}
	s.learn(typical, slow)
}

// learn moves what is usual toward what was typical. Slowness under load is learned
// so slowly that the bound has time to end it; what lasts becomes usual in the end.
func (s *slots) learn(typical time.Duration, slow bool) {
	switch {
	case typical == 0:
	case s.usual == 0:
		s.usual = typical
	case slow:
		s.usual += (typical - s.usual) / 256
	default:
		s.usual += (typical - s.usual) / 16
	}
}

// typical returns the time within which a quarter of the answers came, up to a quarter
// of it more; 0 if none was timed. Under load all answers are late, but slow requests
// among fast ones, even many, do not move it.
func (w *window) typical() time.Duration {
	seen := 0
	for i, n := range w.times {
		if seen += n; n > 0 && 4*seen >= w.timed {
			return quarterEnd(i)
		}
	}
	return 0
}

// quarter numbers the quarters of octaves: 4 for each power of two.
func quarter(d time.Duration) int {
	octave := bits.Len64(uint64(d)) - 1
	return 4*octave + int(uint64(d)<<2>>octave&3)
}

// quarterEnd returns the end of a quarter.
func quarterEnd(i int) time.Duration {
	return time.Duration((uint64(5+i%4) << (i / 4)) >> 2)
}
