package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/http/pprof"
	"strings"
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
		h.serveReadyz(w, authorized(r, o.Token))
	})
	mux.Handle("GET /metrics", o.Metrics.handler())
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
		"/healthz       200 while the process runs\n" +
		"/readyz        200, or 503 and why no requests should be sent here\n" +
		"/metrics       figures for Prometheus\n"
	if pprof {
		return text + "/debug/pprof/  Go's profiles\n"
	}
	return text
}

// guard lets only operators through, except to the probes of load balancers.
func guard(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		open := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		if !open && !authorized(r, token) {
			h.Set("WWW-Authenticate", `Bearer realm="cacheproxy"`)
			http.Error(w, "this path needs the admin token: send Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// authorized compares digests, which takes equally long whatever was sent.
func authorized(r *http.Request, token string) bool {
	if token == "" {
		return true
	}
	scheme, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(sent))), sha256.Sum256([]byte(token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
