package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"

	"cacheproxy/explain"
	"cacheproxy/proxy"
	"cacheproxy/purge"
	"cacheproxy/snapshot"
)

// Options of the operator's side.
type Options struct {
	Metrics *Metrics // required
	Token   string   // what operators send as Authorization: Bearer; empty asks for none
	Pprof   bool     // serve /debug/pprof/

	// API answers below /api/, for the dashboard and for programs; nil = there
	// is neither.
	API http.Handler

	// Draining says whether the proxy is about to stop; nil = never.
	Draining func() bool
	// Origins returns, by name, a check of each origin in use. A check returns
	// nil when its origin can be reached and ends when its context does. With
	// nil or no origins the proxy counts as ready.
	Origins func() map[string]func(context.Context) error

	// Purge throws stored responses away. Its error is a *purge.RequestError, or
	// tells why the purge could not be done now. With nil there is no /api/purge.
	Purge func(context.Context, purge.Request) (purge.Result, error)
	// Purges returns the last purges, the newest first. It is needed with Purge.
	Purges func() []purge.Audit

	// Refresh fetches a URL anew, with onlyMissing only where what is stored cannot be
	// served; nil = there is no /api/refresh.
	Refresh func(ctx context.Context, url string, header http.Header, onlyMissing bool) (proxy.RefreshResult, error)
	// SaveSnapshot and LoadSnapshot write what is stored, and read it; nil = there is
	// no /api/snapshot. Their errors are those of package revalidate.
	SaveSnapshot func(io.Writer) (snapshot.Saved, error)
	LoadSnapshot func(io.Reader) (snapshot.Loaded, error)

	// Explain explains a request that is put through the proxy; nil = not offered.
	Explain func(context.Context, explain.Request) (explain.Report, error)
}

// New returns the handler of the operator's side.
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
	if o.Purge != nil {
		mux.HandleFunc("POST /api/purge", o.servePurge)
		mux.HandleFunc("GET /api/purges", o.servePurges)
	}
	if o.Refresh != nil {
		mux.Handle("POST /api/refresh", newRefresher(o.Refresh))
	}
	if o.SaveSnapshot != nil {
		mux.HandleFunc("GET /api/snapshot", o.serveSave)
		mux.HandleFunc("POST /api/snapshot", o.serveLoad)
	}
	if o.Explain != nil {
		mux.Handle("POST /api/explain", serveExplain(o.Explain))
	}
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	if o.API != nil {
		mux.Handle("GET /api/", o.API)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, o.index()+indexOfPage(o)) })
	return withPage(o, guard(o.Token, mux))
}

func (o *Options) index() string {
	text := "cacheproxy, operator's side\n\n" +
		"/healthz        200 while the process runs\n" +
		"/readyz         200, or 503 and why no requests should be sent here\n" +
		"/metrics        figures for Prometheus\n" +
		"/api/upstreams  the servers of all upstreams, and how they are doing\n"
	if o.Purge != nil {
		text += "/api/purge      POST: throw stored responses away\n" +
			"/api/purges     the last purges\n"
	}
	if o.Refresh != nil {
		text += "/api/refresh    POST: fetch URLs anew\n"
	}
	if o.SaveSnapshot != nil {
		text += "/api/snapshot   all that is stored; POST: load it again\n"
	}
	if o.Explain != nil {
		text += "/api/explain    POST {\"url\": \"...\"}: why it is, or is not, answered from the store\n"
	}
	if o.Pprof {
		return text + "/debug/pprof/   Go's profiles\n"
	}
	return text
}
