package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// object is a kind of thing that the origin has, under /kind/NAME.
type object struct {
	size         int
	cacheControl string
	validators   bool          // ETag and Last-Modified
	delay        time.Duration // to the first byte
}

var objects = map[string]object{
	"small":   {size: 1 << 10, cacheControl: "max-age=3600", validators: true},
	"medium":  {size: 32 << 10, cacheControl: "max-age=3600", validators: true},
	"large":   {size: 10 << 20, cacheControl: "max-age=3600", validators: true},
	"nocache": {size: 1 << 10, cacheControl: "no-store"},
	"reval":   {size: 1 << 10, cacheControl: "max-age=0", validators: true},
	"slow":    {size: 64 << 10, cacheControl: "max-age=3600", validators: true, delay: 50 * time.Millisecond},
}

// content is what an object of this size holds. Each line of 16 bytes says where
// it stands, so that bytes in the wrong place are seen.
func content(size int) []byte {
	b := make([]byte, 0, size+16)
	line := make([]byte, 16)
	line[15] = '\n'
	for len(b) < size {
		for i, at := len(line)-2, len(b); i >= 0; i-- {
			line[i] = "0123456789abcdef"[at&15]
			at >>= 4
		}
		b = append(b, line...)
	}
	return b[:size]
}

// counts is what the origin saw of one kind of object since it started.
type counts struct {
	Requests    int64 `json:"requests"`
	NotModified int64 `json:"not_modified"` // those of them that it answered with 304
}

// originServer is the origin behind all proxies. /_stats tells what it saw.
type originServer struct {
	kinds map[string]*originKind
}

type originKind struct {
	object
	body                  []byte
	requests, notModified atomic.Int64
}

func newOrigin() *originServer {
	o := &originServer{kinds: make(map[string]*originKind)}
	for name, obj := range objects {
		o.kinds[name] = &originKind{object: obj, body: content(obj.size)}
	}
	return o
}

const lastModified = "Mon, 06 Jan 2025 10:00:00 GMT"

func (o *originServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_stats" {
		o.serveStats(w)
		return
	}
	kind, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	k := o.kinds[kind]
	if k == nil || name == "" {
		http.NotFound(w, r)
		return
	}
	k.requests.Add(1)
	time.Sleep(k.delay)
	h := w.Header()
	h.Set("Cache-Control", k.cacheControl)
	h.Set("Content-Type", "application/octet-stream")
	if k.validators {
		etag := `"` + kind + "-" + name + `"`
		h.Set("Etag", etag)
		h.Set("Last-Modified", lastModified)
		if r.Header.Get("If-None-Match") == etag {
			k.notModified.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(k.body)))
	_, _ = w.Write(k.body) // fails when the proxy has gone
}

func (o *originServer) serveStats(w http.ResponseWriter) {
	seen := make(map[string]counts)
	for name, k := range o.kinds {
		seen[name] = counts{k.requests.Load(), k.notModified.Load()}
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen) // fails when the client has gone
}
