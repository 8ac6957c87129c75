package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"cacheproxy/insight"
	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// objects look into the store for the page.
type objects struct{ fetcher *revalidate.Fetcher }

// List implements insight.Objects. The keys are in order.
func (o objects) List(ctx context.Context, q string, limit int) (l insight.ObjectList) {
	now := time.Now()
	l.Looked, l.Complete = o.fetcher.Each(ctx, q, func(key string, r *revalidate.Resource, bytes int64) bool {
		if len(l.Objects) == limit {
			return false
		}
		e := r.Entries[r.Newest()]
		l.Objects = append(l.Objects, insight.Object{
			Key: key, URL: key, Variants: len(r.Entries), Bytes: bytes, Status: e.Status, ContentType: e.Fields.Header().Get("Content-Type"),
			Age: e.Age(now).Seconds(), TTL: e.FreshFor(now).Seconds(),
		})
		return true
	})
	slices.SortFunc(l.Objects, func(a, b insight.Object) int { return cmp.Compare(a.Key, b.Key) })
	return l
}

// Variants implements insight.Objects. The newest comes first.
func (o objects) Variants(_ context.Context, key string) (all []insight.Variant) {
	r, _ := o.fetcher.Lookup(key)
	if r == nil {
		return nil
	}
	now := time.Now()
	for _, e := range r.Entries {
		all = append(all, variantOf(e, now))
	}
	slices.SortStableFunc(all, func(a, b insight.Variant) int { return b.Stored.Compare(a.Stored) })
	return all
}

func variantOf(e *revalidate.Entry, now time.Time) insight.Variant {
	v := insight.Variant{
		Method: e.Method, Status: e.Status, Vary: make(map[string]string, len(e.Vary)), Length: e.Body.Size(), Partial: e.Partial != nil,
		Stored: e.Received, Age: e.Age(now).Seconds(), Lifetime: e.Lifetime.Seconds(), Source: e.Source.String(), Stale: e.FreshFor(now) <= 0,
		WhileReval: e.StaleWhileRevalidate.Seconds(), IfError: e.StaleIfError.Seconds(), ETag: e.ETag,
		NoCache: e.NoCache, MustRevalid: e.MustRevalidate,
	}
	if !e.LastModified.IsZero() {
		v.Modified = e.LastModified.UTC().Format(http.TimeFormat)
	}
	for i, name := range e.Vary {
		v.Vary[name] = policy.Shown(name, e.VaryValues[i])
	}
	for name, value := range e.Fields.All() {
		if policy.Secret(name) {
			value = policy.NotShown
		}
		v.Header = append(v.Header, [2]string{name, value})
	}
	e.EachTag(func(name string, isGroup bool) bool {
		if isGroup {
			name = "group " + name
		}
		v.Tags = append(v.Tags, name)
		return true
	})
	return v
}
