package revalidate

import (
	"io"
	"net/http"
	"slices"
	"time"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
	"cacheproxy/snapshot"
)

// Load puts the entries of a snapshot into the store, beside what is there: none takes
// the place of one that is as new. They have aged since the snapshot was saved by what
// the clock on the wall says. Where it is behind that time, nobody knows by how much
// they have; then they are stale, and are validated before they are used.
//
// Whoever can write a snapshot can say what is served: it is checked only as far as
// no other harm can come of it. What was purged or invalidated after it was saved, and
// before it is loaded, comes back with it, but for what the given marks hit, whatever
// their times.
//
// The error is snapshot.ErrBusy, a *snapshot.FormatError, that of r, or tells that the
// fetcher is closed; what was loaded up to then stays.
func (f *Fetcher) Load(r io.Reader, purged []purge.Mark) (loaded snapshot.Loaded, err error) {
	if !f.snapshots.TryLock() {
		return loaded, snapshot.ErrBusy
	}
	defer f.snapshots.Unlock()
	in, err := snapshot.NewReader(r)
	if err != nil {
		return loaded, err
	}
	l := &loading{f: f, in: in, now: time.Now(), before: f.store.Stats(), gone: &gone{keys: make(map[string]bool)}}
	f.gone.Store(l.gone)
	defer f.gone.Store(nil)
	defer f.holdMarks()()
	l.Saved = in.Time()
	l.down = l.now.Round(0).Sub(l.Saved)
	l.ClockBack = l.down < 0
	l.down = max(0, l.down)
	l.purged = justNow(purged, l.now)
	for err == nil {
		err = l.next()
	}
	if err == io.EOF {
		err = nil
	}
	l.finish()
	return l.Loaded, err
}

// loading is a snapshot on its way into the store.
type loading struct {
	snapshot.Loaded
	f      *Fetcher
	in     *snapshot.Reader
	now    time.Time
	down   time.Duration // since it was saved
	before cache.Stats
	gone   *gone
	purged *purge.Marks
}

// justNow takes marks for ones that are set now, which hit all that was saved.
func justNow(marks []purge.Mark, now time.Time) *purge.Marks {
	marks = slices.Clone(marks)
	for i := range marks {
		marks[i].Time = now
	}
	return purge.New(marks)
}

// next loads the next record; io.EOF says that there is none.
func (l *loading) next() error {
	if l.f.life.Err() != nil {
		return errClosed
	}
	head, size, err := l.in.Next()
	if err != nil {
		return err
	}
	key, e, ok := parseSaved(string(head), size, l.now, l.down)
	var found purge.Finding
	if ok {
		found = l.purged.Find(key, e.Stored)
	}
	switch {
	case !ok:
		l.judge(&l.Invalid)
	case found.Hard >= 0:
		l.judge(&l.Purged)
	case size > l.f.limits.Load().maxObject:
		l.judge(&l.Refused)
	case e.KeepFor() <= l.now.Sub(e.Received):
		l.judge(&l.Expired)
	default:
		if found.Soft >= 0 {
			e = e.staleFrom(l.now)
		}
		if l.ClockBack {
			e.Stored = e.Outdated()
		}
		e.Body = readBody(l.in, size)
		if l.in.Intact() {
			*l.restore(key, e)++
		}
	}
	return nil
}

// judge counts a record, unless it is broken: the reader counts those.
func (l *loading) judge(as *int64) {
	if l.in.Intact() {
		*as++
	}
}

// readBody reads so much of a body as comes, into memory that grows with it.
func readBody(r io.Reader, size int64) Body {
	s := newStream(size, nil)
	for s.size < size {
		n, err := r.Read(s.space())
		s.wrote(n)
		if err != nil {
			break
		}
	}
	return s.body()
}

// restore puts an entry into the store, if there is nothing better. It returns what it
// counts as.
func (l *loading) restore(key string, e *Entry) *int64 {
	most := l.f.limits.Load().maxVariants
	as := &l.Entries
	l.f.writes.RLock()
	defer l.f.writes.RUnlock()
	ok := l.f.store.Update(key, func(k Kept, _ bool) cache.Change[Kept] {
		marks := l.f.marks.Load()
		found := marks.set.Find(key, e.Stored)
		if found.Hard >= 0 || l.gone.has(key) {
			as = &l.Older
			return cache.Change[Kept]{Op: cache.Keep}
		}
		if found.Soft >= 0 {
			e = e.staleFrom(marks.set.Mark(found.Soft).Time)
		}
		old, dead := l.f.live(marks, key, k)
		place := false // it would take another one's
		for _, o := range old {
			if outranks(o, e) {
				as = &l.Older
				return cache.Change[Kept]{Op: cache.Keep}
			}
			place = place || replaces(e.Stored, o.Stored)
		}
		if len(old) >= most && !place {
			as = &l.Refused
			return cache.Change[Kept]{Op: cache.Keep}
		}
		change := l.f.change(key, with(old, e, most))
		if change.Cost > l.f.store.Stats().MaxCost { // the store would let go of what is there too
			as = &l.Refused
			return cache.Change[Kept]{Op: cache.Keep}
		}
		marks.count(dead)
		return change
	})
	if !ok { // it was closed, or made smaller, this very moment
		return &l.Refused
	}
	return as
}

// clockSlack is how much newer an entry of a snapshot must be to replace what is stored:
// its times went through the clock on the wall, which is set now and then.
const clockSlack = time.Second

// outranks reports whether what is stored stays when an entry for the same requests
// comes from a snapshot: it is as new, or holds more.
func outranks(o, e *Entry) bool {
	return policy.SameVariant(o.Stored, e.Stored) && (e.Requested.Sub(o.Requested) < clockSlack ||
		e.Method == http.MethodHead && o.Method != http.MethodHead ||
		e.Partial != nil && o.Partial == nil && o.Method != http.MethodHead)
}

// finish counts what is known at the end.
func (l *loading) finish() {
	l.f.store.Flush()
	after := l.f.store.Stats()
	gone := after.Evicted + after.Rejected - l.before.Evicted - l.before.Rejected
	l.Displaced = int64(gone)
	l.Lost, l.Truncated, l.Bytes = l.in.Lost(), l.in.Truncated(), l.in.Bytes()
}
