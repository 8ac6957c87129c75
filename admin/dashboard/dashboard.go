// Package dashboard is the page of the operator's side: files that a browser
// loads, and nothing else. What it shows comes from /api/.
//
// The files are served as they are; there is no build step. Charts are drawn by
// uPlot 1.6.32, whose minified file and licence are in static/uplot.
package dashboard

import (
	"embed"
	"io/fs"
	"net/http"
)

//go:embed static
var files embed.FS

// policy lets the page load nothing from elsewhere, run no script that is not a
// file of it, and be framed by nobody.
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

// Handler serves the files, with index.html at the empty path. They are secret
// to nobody.
func Handler() http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the name is a constant, and valid
	}
	serve := http.FileServerFS(static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Del("Content-Type") // each file has its own
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		serve.ServeHTTP(w, r)
	})
}
