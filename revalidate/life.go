package revalidate

import (
	"context"
	"sync"
	"time"
)

// Life is a context that ends when it is cancelled. Unlike those of package
// context it costs next to nothing as long as nobody asks for Done; who wants
// to hear of its end uses AfterFunc. The zero value is ready for use.
type Life struct {
	mu       sync.Mutex
	err      error
	done     chan struct{} // made when it is asked for
	watchers *watcher
}

// watcher is what is to run at the end of a life; one of a list.
type watcher struct {
	of         *Life
	run        func()
	prev, next *watcher
	over       bool // it has run, or was stopped
}

// Deadline: there is none.
func (l *Life) Deadline() (t time.Time, ok bool) { return t, false }

// Value: there are none.
func (l *Life) Value(any) any { return nil }

// Done returns a channel that is closed at the end.
func (l *Life) Done() <-chan struct{} {
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

// Err returns nil until the end, then context.Canceled.
func (l *Life) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Cancel ends it.
func (l *Life) Cancel() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = context.Canceled
	if l.done != nil {
		close(l.done)
	}
	for w := l.watchers; w != nil; w = w.next {
		w.over = true
		go w.run()
	}
	l.watchers = nil
}

// AfterFunc is that of [context.AfterFunc].
func (l *Life) AfterFunc(f func()) (stop func() bool) {
	w := &watcher{run: f}
	l.watch(w)
	return w.stop
}

// watch puts a watcher on the list, or runs it at once when it comes too late.
func (l *Life) watch(w *watcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.of = l
	if l.err != nil {
		w.over = true
		go w.run()
		return
	}
	if w.next = l.watchers; w.next != nil {
		w.next.prev = w
	}
	l.watchers = w
}

// stop keeps a watcher from being run, and reports whether that was in time.
func (w *watcher) stop() bool {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.over {
		return false
	}
	w.over = true
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		w.of.watchers = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	}
	return true
}

// afterFunc is [context.AfterFunc], without its cost where the context has a
// way of its own.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if own, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return own.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}
