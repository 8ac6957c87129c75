package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
)

// Options of the operator's side.
type Options struct {
	Metrics *Metrics // required
	Token   string   // what operators send as Authorization: Bearer; empty asks for none
	Pprof   bool     // serve /debug/pprof/

	// Draining says whether the proxy is about to stop; nil = never.
	Draining func() bool
	// Origins returns, by name, a check of each origin in use. A check returns
	// nil when its origin can be reached and ends when its context does. With
	// nil or no origins the proxy counts as ready.
	Origins func() map[string]func(context.Context) error
}

// New returns the handler of the operator's side. It answers GET and HEAD.
func New(o Options) http.Handler {
	h := newHealth(o.Draining, o.Origins)
	o.Metrics.health.Store(h)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serveHealthz)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		h.serveReadyz(w, operator(r, o.Token))
	})
	mux.Handle("GET /metrics", o.Metrics.handler())
	mux.Handle("GET /api/upstreams", serveUpstreams(o.Metrics.targets))
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, index(o.Pprof)) })
	return guard(o.Token, mux)
}

func index(pprof bool) string {
	text := "cacheproxy, operator's side\n\n" +
		"/healthz        200 while the process runs\n" +
		"/readyz         200, or 503 and why no requests should be sent here\n" +
		"/metrics        figures for Prometheus\n" +
		"/api/upstreams  the servers of all upstreams, and how they are doing\n"
	if pprof {
		return text + "/debug/pprof/   Go's profiles\n"
	}
	return text
}
