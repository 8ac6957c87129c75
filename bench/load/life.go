package load

import (
	"context"
	"slices"
	"sync"
	"time"
)

// life is a context for one request. One of package context costs more than all
// else that is done for it; this costs next to nothing unless it ends early.
type life struct {
	mu       sync.Mutex
	err      error
	done     chan struct{} // made when it is asked for
	watchers []*func()     // to be called at the end
}

// Deadline: there is none; a run looks itself at what lasts too long.
func (l *life) Deadline() (t time.Time, ok bool) { return t, false }

// Value: there are none.
func (l *life) Value(any) any { return nil }

// Err returns nil until the end, then context.Canceled.
func (l *life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Done returns a channel that is closed at the end.
func (l *life) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = make(chan struct{})
		if l.err != nil {
			close(l.done)
		}
	}
	return l.done
}

// AfterFunc is that of [context.AfterFunc], which packages context and origin
// look for.
func (l *life) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		go f()
		return func() bool { return false }
	}
	w := &f
	l.watchers = append(l.watchers, w)
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		i := slices.Index(l.watchers, w)
		if i < 0 {
			return false
		}
		l.watchers = slices.Delete(l.watchers, i, i+1)
		return true
	}
}

// end ends it.
func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = context.Canceled
	if l.done != nil {
		close(l.done)
	}
	for _, w := range l.watchers {
		go (*w)()
	}
	l.watchers = nil
}
