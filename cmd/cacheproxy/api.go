package main

import (
	"context"
	"net/http"
	"strings"

	"cacheproxy/explain"
	"cacheproxy/insight"
	"cacheproxy/purge"
)

// api is what the page, and programs, ask for.
func (a *app) api() http.Handler {
	return (&insight.API{
		Insight: a.insight, Objects: objects{a.fetcher}, Findings: a.findings, Trace: a.trace,
		Offers: []string{"upstreams", "purge", "purges", "refresh", "explain"},
	}).Handler()
}

// explain puts a request through the proxy and explains what came of it.
func (a *app) explain(ctx context.Context, q explain.Request) (explain.Report, error) {
	return explain.Run(ctx, a.proxy, q)
}

// trace is what is kept of a recent request that was traced.
func (a *app) trace(r insight.Request) (any, bool) {
	answer, ok := a.traces.Get(r.RequestID)
	return answer, ok
}

// findings are those of the linter as the page shows them.
func (a *app) findings() (list []insight.Finding) {
	for _, f := range a.lint.Findings() {
		list = append(list, insight.Finding{
			Rule: strings.TrimSpace(string(f.Kind) + " " + f.Detail), Route: f.Route, Text: f.Text,
			Example: f.Example, Count: f.Count, Misses: f.Misses, Last: f.Last,
		})
	}
	return list
}

// audit leaves a line about a purge.
func (a *app) audit(p purge.Audit) {
	a.log.Info("purged", "by", p.By, "via", string(p.Via), "what", p.What, "soft", p.Soft, "entries", p.Entries, "complete", p.Complete)
}
