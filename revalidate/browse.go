package revalidate

import (
	"context"
	"strings"
	"time"
)

// Each calls fn for the keys that contain part, in no order: with what a request would
// find for a key now, and the bytes of memory that all of it takes. It ends when fn
// returns false or ctx ends. What fn gets is void after it. Each returns how many keys
// were looked at, and whether those were all.
func (f *Fetcher) Each(ctx context.Context, part string, fn func(key string, r *Resource, bytes int64) bool) (looked int64, complete bool) {
	complete = true
	alive := f.alive()
	f.store.Range(func(key string, k Kept, cost int64) bool {
		if ctx.Err() != nil {
			complete = false
			return false
		}
		looked++
		if !strings.Contains(key, part) {
			return true
		}
		if r := alive.read(key, k); r != nil {
			complete = fn(key, r, cost)
		}
		return complete
	})
	return looked, complete
}

// Newest returns the index of the entry that was received last.
func (r *Resource) Newest() (newest int) {
	for i, s := range r.Stored {
		if s.Received.After(r.Stored[newest].Received) {
			newest = i
		}
	}
	return newest
}

// FreshFor returns for how long after now an entry is fresh; below 0 it is stale.
func (e *Entry) FreshFor(now time.Time) time.Duration { return e.Lifetime - e.Age(now) }
