package proxy

import (
	"context"
	"net/http"
	"time"

	"cacheproxy/policy"
	"cacheproxy/purge"
)

// mostExamples is how many URLs a dry run tells.
const mostExamples = 20

// Purge throws stored responses away, or makes them stale: what is asked for is no
// longer served, or as fresh, when Purge returns, also what was on its way. Unless
// the request says otherwise it waits until the entries are counted, at most as long
// as ctx lasts. The error is a *[purge.RequestError], or ctx's when a dry run was cut
// short.
func (p *Proxy) Purge(ctx context.Context, rq purge.Request) (purge.Result, error) {
	items, err := p.config.Load().purgeItems(&rq)
	if err != nil {
		return purge.Result{}, err
	}
	return p.purge(ctx, &rq, items)
}

// Purges returns the last purges that were counted, the newest first; at most 100.
func (p *Proxy) Purges() []purge.Audit { return p.audits.list() }

// purge does what Purge does with what was asked for.
func (p *Proxy) purge(ctx context.Context, rq *purge.Request, items []purgeItem) (result purge.Result, err error) {
	began := time.Now()
	marks := marksOf(items, rq.Soft)
	result = purge.Result{Soft: rq.Soft, DryRun: rq.DryRun}
	var entries []int64
	if rq.DryRun {
		if entries, result.Examples, err = p.fetcher.Match(ctx, marks, mostExamples); err != nil {
			return purge.Result{}, err
		}
		result.Complete = true
	} else {
		audit := purge.Audit{Time: began, By: rq.By, Via: rq.Via, What: summary(items), Soft: rq.Soft}
		purged := p.fetcher.Purge(marks, func(entries []int64, complete bool) {
			for _, n := range entries {
				audit.Entries += n
			}
			audit.Complete, audit.Took = complete, time.Since(began)
			p.audit(audit)
		})
		if hear := p.config.Load().OnMarks; hear != nil {
			hear(marks)
		}
		if rq.Wait != nil && !*rq.Wait {
			entries, result.Complete = purged.SoFar()
		} else {
			entries, result.Complete = purged.Wait(ctx)
		}
	}
	for _, item := range items {
		for range item.values {
			item.Entries += entries[0]
			entries = entries[1:]
		}
		result.Purged += item.Entries
		result.Marks = append(result.Marks, item.Marked)
	}
	return result, nil
}

// audit notes a purge that is counted.
func (p *Proxy) audit(a purge.Audit) {
	p.audits.add(a)
	if hear := p.config.Load().OnPurge; hear != nil {
		hear(a)
	}
}

// invalidateGroups makes the groups dead that an answer says are invalid: those of
// the target's origin (RFC 9875, 3). That the groups of a response go with it when it
// is invalidated by itself is an option (2.2.1) that is not taken: who wants it says
// so in this field.
func (x *exchange) invalidateGroups(resp *http.Response) {
	names := policy.InvalidatedGroups(x.r.Method, resp.Header)
	if len(names) == 0 {
		return
	}
	rq := purge.Request{Wait: new(bool), By: x.r.RemoteAddr, Via: purge.ViaGroup}
	items := make([]purgeItem, len(names))
	for i, name := range names {
		items[i] = groupItem(x.target.Scheme+"://"+x.target.Host, name)
	}
	_, _ = x.p.purge(x.r.Context(), &rq, items) // only a dry run fails
}
