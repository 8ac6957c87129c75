package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOrigin(t *testing.T) {
	o := newOrigin()
	for _, tc := range []struct {
		path, field  string
		status, size int
		cacheControl string
		etag         string
	}{
		{path: "/small/1", status: 200, size: 1024, cacheControl: "max-age=3600", etag: `"small-1"`},
		{path: "/medium/2", status: 200, size: 32768, cacheControl: "max-age=3600", etag: `"medium-2"`},
		{path: "/large/3", status: 200, size: 10485760, cacheControl: "max-age=3600", etag: `"large-3"`},
		{path: "/nocache/4", status: 200, size: 1024, cacheControl: "no-store"},
		{path: "/nocache/4", field: `"nocache-4"`, status: 200, size: 1024, cacheControl: "no-store"},
		{path: "/reval/5", status: 200, size: 1024, cacheControl: "max-age=0", etag: `"reval-5"`},
		{path: "/reval/5", field: `"reval-5"`, status: 304, cacheControl: "max-age=0", etag: `"reval-5"`},
		{path: "/reval/5", field: `"reval-6"`, status: 200, size: 1024, cacheControl: "max-age=0", etag: `"reval-5"`},
		{path: "/other/1", status: 404, size: len("404 page not found\n")},
		{path: "/small/", status: 404, size: len("404 page not found\n")},
	} {
		t.Run(tc.path+tc.field, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tc.path, nil)
			r.Header.Set("If-None-Match", tc.field)
			w := httptest.NewRecorder()
			o.ServeHTTP(w, r)
			assert.Equal(t, tc.status, w.Code)
			assert.Equal(t, tc.size, w.Body.Len())
			assert.Equal(t, tc.cacheControl, w.Header().Get("Cache-Control"))
			assert.Equal(t, tc.etag, w.Header().Get("Etag"))
			assert.Equal(t, tc.etag != "", w.Header().Get("Last-Modified") != "")
		})
	}
}

func TestOriginCounts(t *testing.T) {
	o := newOrigin()
	for _, etag := range []string{"", `"reval-1"`, `"reval-1"`} {
		r := httptest.NewRequest(http.MethodGet, "/reval/1", nil)
		r.Header.Set("If-None-Match", etag)
		o.ServeHTTP(httptest.NewRecorder(), r)
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_stats", nil))
	var seen map[string]counts
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &seen))
	assert.Equal(t, counts{Requests: 3, NotModified: 2}, seen["reval"])
	assert.Equal(t, counts{}, seen["small"])
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
}

func TestOriginIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := httptest.NewRecorder()
		newOrigin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/slow/1", nil))
		assert.Equal(t, 50*time.Millisecond, time.Since(start))
		assert.Equal(t, content(64<<10), w.Body.Bytes())
	})
}

func TestContent(t *testing.T) {
	c := content(1 << 10)
	require.Len(t, c, 1<<10)
	lines := map[string]bool{}
	for i := 0; i < len(c); i += 16 {
		lines[string(c[i:i+16])] = true
	}
	assert.Len(t, lines, 64, "no two lines are alike")
}
