package revalidate

import "cacheproxy/purge"

// alive reads what Range of the store comes upon. Range lists what there is long before
// its turn comes, and a mark that was in force then may be swept for and gone: so the
// marks are read before it, too.
type alive struct {
	f      *Fetcher
	before *purge.Marks
	r      Resource
}

// alive is to be had before Range is called.
func (f *Fetcher) alive() *alive { return &alive{f: f, before: f.marks.Load().set} }

// read returns what no mark has hit, which is void after the next call, or nil if that
// is nothing.
func (a *alive) read(key string, k Kept) *Resource {
	a.r.fill(k, a.f.base)
	if a.before != nil && !a.r.strike(a.before, key) {
		return nil
	}
	if set := a.f.marks.Load().set; set != nil && set != a.before && !a.r.strike(set, key) {
		return nil
	}
	return &a.r
}
