package revalidate

import (
	"io"
	"time"

	"cacheproxy/snapshot"
)

// Save writes all that is stored and may still be of use, with ages and variants, as
// a snapshot. What is stored meanwhile may be in it or not. Nothing is copied but
// through one buffer: a reader that is slow keeps in memory what is evicted meanwhile.
//
// What is in it is as secret as the responses, and has the fields of requests that
// Vary names. The error is snapshot.ErrBusy, that of w, or tells that the fetcher is closed.
func (f *Fetcher) Save(w io.Writer) (saved snapshot.Saved, err error) {
	if !f.snapshots.TryLock() {
		return saved, snapshot.ErrBusy
	}
	defer f.snapshots.Unlock()
	now := time.Now()
	out, err := snapshot.NewWriter(w, now, f.countUseful(now))
	if err != nil {
		return saved, err
	}
	var head []byte
	f.eachUseful(now, func(key string, e *Entry) bool {
		head = appendSaved(head[:0], key, e, now)
		if len(head) > snapshot.MostHead {
			saved.Skipped++
			return true
		}
		err = out.Write(head, e.Body.Chunks())
		return err == nil
	})
	if err == nil && f.life.Err() != nil {
		err = errClosed
	}
	if err == nil {
		err = out.Close()
	}
	saved.Entries, saved.Bytes = out.Records(), out.Bytes()
	return saved, err
}

// eachUseful calls fn for each entry that is not past its use, until fn returns false
// or the fetcher is closed. The entry is void after fn.
func (f *Fetcher) eachUseful(now time.Time, fn func(key string, e *Entry) bool) {
	alive := f.alive()
	f.store.Range(func(key string, k Kept, _ int64) bool {
		if r := alive.read(key, k); r != nil {
			for _, e := range r.Entries {
				if e.KeepFor() > now.Sub(e.Received) && !fn(key, e) {
					return false
				}
			}
		}
		return f.life.Err() == nil
	})
}

func (f *Fetcher) countUseful(now time.Time) (n int64) {
	f.eachUseful(now, func(string, *Entry) bool {
		n++
		return true
	})
	return n
}
