package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// demoModified is the Last-Modified of the demo's files.
const demoModified = "Mon, 06 Jan 2025 08:00:00 GMT"

// demoSlow is how long /slow takes.
const demoSlow = 2 * time.Second

const demoPage = `<!doctype html>
<html lang="en">
<title>cacheproxy demo</title>
<h1>It works</h1>
<p><img src="/image.png" alt="" width="128" height="64"></p>
<p>Open the network tab of the developer tools, reload, and read Cache-Status.</p>
<p><a href="/api/time">time</a> <a href="/api/me">me</a> <a href="/slow">slow</a>
<a href="/flaky">flaky</a> <a href="/fail">fail</a> <a href="/missing">missing</a></p>
</html>
`

// demoOrigin is the origin of the demo. Each answer says in X-Origin-Request
// the how-manieth request it answers, so that one sees whether it is a new one.
type demoOrigin struct {
	mux      *http.ServeMux
	image    []byte
	big      []byte
	modified time.Time
	requests atomic.Int64
	flaky    atomic.Int64
}

func newDemoOrigin() *demoOrigin {
	o := &demoOrigin{mux: http.NewServeMux(), image: demoImage(), big: bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)}
	o.modified, _ = http.ParseTime(demoModified)
	o.mux.HandleFunc("GET /{$}", o.page)
	o.mux.HandleFunc("POST /{$}", o.publish)
	o.mux.HandleFunc("GET /image.png", o.file(o.image, "image/png", "max-age=86400, immutable"))
	o.mux.HandleFunc("GET /big", o.file(o.big, "application/octet-stream", "max-age=3600"))
	o.mux.HandleFunc("GET /api/time", o.time)
	o.mux.HandleFunc("GET /api/me", o.me)
	o.mux.HandleFunc("GET /slow", o.slow)
	o.mux.HandleFunc("GET /fail", o.fail)
	o.mux.HandleFunc("GET /flaky", o.sometimes)
	o.mux.HandleFunc("/", o.missing)
	return o
}

func (o *demoOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Origin-Request", strconv.FormatInt(o.requests.Add(1), 10))
	o.mux.ServeHTTP(w, r)
}

func (o *demoOrigin) page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "max-age=10, stale-while-revalidate=30")
	h.Set("ETag", `"page-1"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader([]byte(demoPage)))
}

// publish stands for an editor who changes the page.
func (o *demoOrigin) publish(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNoContent)
}

func (o *demoOrigin) file(content []byte, contentType, cacheControl string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", cacheControl)
		http.ServeContent(w, r, "", o.modified, bytes.NewReader(content))
	}
}

func (o *demoOrigin) time(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept-Language")
	greeting := "hello"
	if r.Header.Get("Accept-Language") == "de" {
		greeting = "hallo"
	}
	writeDemo(w, http.StatusOK, "max-age=2, stale-if-error=60",
		fmt.Sprintf(`"greeting": %q, "time": %q`, greeting, time.Now().UTC().Format(time.RFC3339Nano)))
}

func (o *demoOrigin) me(w http.ResponseWriter, _ *http.Request) {
	writeDemo(w, http.StatusOK, "private, max-age=60", fmt.Sprintf(`"secret": %d`, o.requests.Load()))
}

func (o *demoOrigin) slow(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(demoSlow):
		writeDemo(w, http.StatusOK, "max-age=30", `"took": "2s"`)
	case <-r.Context().Done():
	}
}

func (o *demoOrigin) fail(w http.ResponseWriter, _ *http.Request) {
	writeDemo(w, http.StatusInternalServerError, "max-age=60", `"error": "this always fails"`)
}

func (o *demoOrigin) sometimes(w http.ResponseWriter, _ *http.Request) {
	if o.flaky.Add(1)%2 == 0 {
		writeDemo(w, http.StatusInternalServerError, "no-store", `"error": "every second request fails"`)
		return
	}
	writeDemo(w, http.StatusOK, "max-age=1, stale-if-error=300", `"error": null`)
}

func (o *demoOrigin) missing(w http.ResponseWriter, _ *http.Request) {
	writeDemo(w, http.StatusNotFound, "max-age=30", `"error": "there is no such thing"`)
}

func writeDemo(w http.ResponseWriter, status int, cacheControl, members string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", cacheControl)
	w.WriteHeader(status)
	fmt.Fprintf(w, "{%s}\n", members)
}

// demoImage draws a small picture.
func demoImage() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 128, 64))
	for y := range 64 {
		for x := range 128 {
			img.Set(x, y, color.RGBA{R: uint8(2 * x), G: uint8(4 * y), B: 0x80, A: 0xff})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // a Buffer takes everything
	return b.Bytes()
}
