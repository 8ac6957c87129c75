//go:build linux

package soak

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// idField carries the number of a request through the proxy.
const idField = "X-Soak-Id"

// ledger has every request that is under way, and what the origins did with it.
type ledger struct {
	ids  atomic.Int64
	open sync.Map // id -> *entry
}

// entry is one request.
type entry struct {
	id    string
	start time.Time

	mu   sync.Mutex
	seen []string // what origins did with it; whole is the only good thing
}

const whole = "answered it whole"

func (l *ledger) begin() *entry {
	e := &entry{id: strconv.FormatInt(l.ids.Add(1), 10), start: time.Now()}
	l.open.Store(e.id, e)
	return e
}

func (l *ledger) end(e *entry) { l.open.Delete(e.id) }

// note is called by origins. A refresh that goes on after its request is nobody's.
func (l *ledger) note(id, what string) {
	if e, ok := l.open.Load(id); ok {
		e := e.(*entry)
		e.mu.Lock()
		e.seen = append(e.seen, what)
		e.mu.Unlock()
	}
}

func (e *entry) last() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.seen) == 0 {
		return ""
	}
	return e.seen[len(e.seen)-1]
}

func (e *entry) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return fmt.Sprintf("request %s, %s after its start; the origin: %q", e.id, time.Since(e.start).Round(time.Millisecond), e.seen)
}

// troubles are the times at which an origin did wrong, or was gone.
type troubles struct {
	mu   sync.Mutex
	list []span
}

type span struct{ from, to time.Time } // to is zero while it lasts

func (s *troubles) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, span{from: time.Now()})
}

// end ends the last one.
func (s *troubles) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list[len(s.list)-1].to = time.Now()
}

// at notes trouble of this moment.
func (s *troubles) at() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.list = append(s.list, span{now, now})
}

// over is how long ago the last one ended; 0 while it lasts, or if there was none.
func (s *troubles) over() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 || s.list[len(s.list)-1].to.IsZero() {
		return 0
	}
	return time.Since(s.list[len(s.list)-1].to)
}

// since says whether there was trouble at that time or later.
func (s *troubles) since(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return false
	}
	last := s.list[len(s.list)-1]
	return last.to.IsZero() || last.to.After(t)
}
