package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/insight"
	"cacheproxy/policy"
)

func read(t *testing.T, url string, to any) {
	t.Helper()
	status, _, body := get(t, url)
	require.Equal(t, 200, status, body)
	require.NoError(t, json.Unmarshal([]byte(body), to))
}

// What is stored is shown on the operators' side, but for the secrets of clients.
func TestObjectsAreShown(t *testing.T) {
	modified := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Format(http.TimeFormat)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/css")
		h.Set("Cache-Control", "public, max-age=600, stale-while-revalidate=30, stale-if-error=60")
		h.Set("Cache-Tag", "styles, red")
		h.Set("Cache-Groups", `"site"`)
		h.Set("ETag", `"v1"`)
		h.Set("Last-Modified", modified)
		h.Set("X-Auth-Token", "secret of the origin")
		if r.URL.Path == "/v.css" {
			h.Set("Vary", "Accept-Encoding, Cookie, X-Api-Key")
		}
		_, _ = w.Write([]byte("body {}"))
	}))
	defer origin.Close()
	_, clients, operators := running(t, "origin: "+origin.URL+"\n")
	get(t, clients+"/a.css?v=1")
	get(t, clients+"/v.css", "Cookie", "session=hidden", "X-Api-Key", "hidden too", "Accept-Encoding", "gzip")
	get(t, clients+"/v.css", "Accept-Encoding", "br")

	var list insight.ObjectList
	read(t, operators+"/api/objects?q=.css", &list)
	require.Len(t, list.Objects, 2)
	assert.True(t, list.Complete)
	a, v := list.Objects[0], list.Objects[1]
	assert.Equal(t, clients+"/a.css?v=1", a.URL, "in order")
	assert.Equal(t, 2, v.Variants)
	assert.Equal(t, "text/css", a.ContentType)
	assert.InDelta(t, 600, a.TTL, 5)
	assert.Greater(t, a.Bytes, int64(100))
	read(t, operators+"/api/objects?limit=1", &list)
	assert.Len(t, list.Objects, 1)
	assert.False(t, list.Complete)

	var one struct{ Variants []insight.Variant }
	read(t, operators+"/api/objects/one?key="+url.QueryEscape(a.Key), &one)
	require.Len(t, one.Variants, 1)
	got := one.Variants[0]
	assert.Contains(t, got.Header, [2]string{"X-Auth-Token", policy.NotShown})
	assert.Contains(t, got.Header, [2]string{"Content-Type", "text/css"})
	assert.WithinDuration(t, time.Now(), got.Stored, time.Minute)
	got.Header, got.Stored, got.Age = nil, time.Time{}, 0
	assert.Equal(t, insight.Variant{
		Method: "GET", Status: 200, Vary: map[string]string{}, Length: 7, Lifetime: 600, Source: "max-age", WhileReval: 30, IfError: 60,
		ETag: `"v1"`, Modified: modified, Tags: got.Tags,
	}, got)
	assert.ElementsMatch(t, []string{"styles", "red", "group site"}, got.Tags)

	read(t, operators+"/api/objects/one?key="+url.QueryEscape(v.Key), &one)
	require.Len(t, one.Variants, 2)
	assert.Equal(t, map[string]string{"Accept-Encoding": `"br"`, "Cookie": "absent", "X-Api-Key": "absent"}, one.Variants[0].Vary, "the newest first")
	assert.Equal(t, map[string]string{"Accept-Encoding": `"gzip"`, "Cookie": policy.NotShown, "X-Api-Key": policy.NotShown}, one.Variants[1].Vary)

	status, _, _ := get(t, operators+"/api/objects/one?key=http://nobody.example/")
	assert.Equal(t, 404, status)
}
