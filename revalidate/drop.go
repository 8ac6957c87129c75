package revalidate

import "cacheproxy/cache"

// Drop forgets a variant that was read before, if it is still stored as it was then.
func (f *Fetcher) Drop(key string, e *Entry) {
	f.writes.RLock()
	defer f.writes.RUnlock()
	f.store.Update(key, func(k Kept, ok bool) cache.Change[Kept] {
		if !ok {
			return cache.Change[Kept]{Op: cache.Keep}
		}
		marks := f.marks.Load()
		old, dead := f.live(marks, key, k)
		left := make([]*Entry, 0, len(old))
		for _, o := range old {
			if o.head != e.head {
				left = append(left, o)
			}
		}
		if len(left) == len(old) {
			return cache.Change[Kept]{Op: cache.Keep}
		}
		marks.count(dead)
		if len(left) == 0 {
			return cache.Change[Kept]{Op: cache.Remove}
		}
		return f.change(key, left)
	})
}
