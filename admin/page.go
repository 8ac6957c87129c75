package admin

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"cacheproxy/admin/dashboard"
)

// Register adds metrics of another package. It panics when one of them has a
// name that is taken.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

func indexOfPage(o Options) string {
	if o.API == nil {
		return ""
	}
	return "/ui/            the dashboard, for a browser\n" +
		"/api/overview   the same figures as JSON; docs/admin-api.md has the other paths\n"
}

// withPage adds the dashboard to the operator's side. Its files are open to
// everybody, since the page is what asks for the token; it gets all figures from
// behind the guard.
func withPage(o Options, guarded http.Handler) http.Handler {
	if o.API == nil {
		return guarded
	}
	pages := http.NewServeMux()
	pages.Handle("GET /ui/", http.StripPrefix("/ui/", dashboard.Handler()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case toDashboard(r):
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, "/ui/", http.StatusSeeOther)
		case strings.HasPrefix(r.URL.Path, "/ui/"):
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
			pages.ServeHTTP(w, r)
		default:
			guarded.ServeHTTP(w, r)
		}
	})
}

// toDashboard reports whether a request for / comes from a browser, which is
// led to the page; others get a list of paths.
func toDashboard(r *http.Request) bool {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	return read && r.URL.Path == "/" && strings.Contains(r.Header.Get("Accept"), "text/html")
}
