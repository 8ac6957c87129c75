package certs

import (
	"crypto/sha256"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// LookEvery is how often files are looked at, at most.
const LookEvery = 2 * time.Second

// Watch is a value that is made of files, and made anew when they hold something
// else. Who replaces the files need not tell: who asks for the value looks at them
// every two seconds at most. They are read, since neither times nor links tell
// reliably that something is new, and they are small. What cannot be made a value,
// such as a certificate without its key, leaves the one before in use.
type Watch[T any] struct {
	Files []File
	Parse func(texts [][]byte) (*T, error) // in the order of Files
	Took  func(before, now *T)             // called with each value; before is nil for the first
	Log   *slog.Logger                     // its attributes tell what the files are for

	mu      sync.Mutex // held by who looks
	looked  time.Time
	seen    string
	current atomic.Pointer[T]
}

// Begin makes the first value. What is wrong with it is an error that names the
// file at fault and what to do, unless a value of old (which may be nil) is in use: then
// that stays, and the log says so.
func (w *Watch[T]) Begin(old *Watch[T]) error {
	if old != nil {
		w.current.Store(old.current.Load())
	}
	w.looked = time.Now()
	err := w.refresh()
	if err != nil && w.current.Load() != nil {
		w.complain(err)
		return nil
	}
	return err
}

// Current returns the value. It never waits for who looks at the files.
func (w *Watch[T]) Current() *T {
	w.look()
	return w.current.Load()
}

// look takes in what has changed. One at a time does it, so a slow disk holds up
// no other.
func (w *Watch[T]) look() {
	if !w.mu.TryLock() {
		return
	}
	defer w.mu.Unlock()
	if time.Since(w.looked) < LookEvery {
		return
	}
	if err := w.refresh(); err != nil {
		w.complain(err)
	}
	w.looked = time.Now()
}

// refresh makes the value anew if the files hold something else than when it last
// looked. An error is returned once for each change.
func (w *Watch[T]) refresh() error {
	texts, err := readAll(w.Files)
	seen := fingerprint(texts, err)
	if seen == w.seen {
		return nil
	}
	w.seen = seen
	if err != nil {
		return err
	}
	next, err := w.Parse(texts)
	if err != nil {
		return err
	}
	w.Took(w.current.Swap(next), next)
	return nil
}

func (w *Watch[T]) complain(err error) {
	w.Log.Error("a changed certificate is not taken, the one before stays in use", "error", err)
}

// fingerprint is equal for what is read alike, and never empty.
func fingerprint(texts [][]byte, err error) string {
	if err != nil {
		return err.Error()
	}
	all := sha256.New()
	for _, text := range texts {
		sum := sha256.Sum256(text)
		all.Write(sum[:])
	}
	return string(all.Sum(nil))
}
