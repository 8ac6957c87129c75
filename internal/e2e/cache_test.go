package e2e

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSecondGetIsAHit(t *testing.T) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	first := mustDo(t, client, p.url(""), get("/static/small.txt"))
	assert.Equal(t, cacheStatus{fwd: "uri-miss", fwdStatus: 200, stored: true}, withoutTTL(mustCacheStatus(t, first)))
	assert.LessOrEqual(t, mustCacheStatus(t, first).ttl, int64(3599), "of an hour, less the time the answer took, rounded down")

	second := mustDo(t, client, p.url(""), get("/static/small.txt"))
	s := mustCacheStatus(t, second)
	assert.Equal(t, cacheStatus{hit: true}, withoutTTL(s))
	assert.Greater(t, s.ttl, int64(3500), "nginx gives an hour")
	assert.LessOrEqual(t, s.ttl, int64(3600))
	assert.NotEmpty(t, second.header.Get("Age"))
	assert.Equal(t, first.originRequest(), second.originRequest(), "nginx was asked again")
	assert.Equal(t, first.body, second.body)
	assert.Equal(t, 200, second.status)
}

func withoutTTL(s cacheStatus) cacheStatus {
	s.ttl = 0
	return s
}

func TestHeadIsServedFromAStoredGet(t *testing.T) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	stored := mustDo(t, client, p.url(""), get("/static/small.txt"))
	head := mustDo(t, client, p.url(""), ask{method: http.MethodHead, path: "/static/small.txt"})
	assert.True(t, mustCacheStatus(t, head).hit)
	assert.Equal(t, 200, head.status)
	assert.Empty(t, head.body)
	assert.Equal(t, stored.header.Get("Content-Length"), head.header.Get("Content-Length"))
}

func TestStaleIsRevalidated(t *testing.T) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	first := mustDo(t, client, p.url(""), get("/short/page.html"))
	require.True(t, mustCacheStatus(t, first).stored)

	var after answer
	require.Eventually(t, func() bool {
		after = mustDo(t, client, p.url(""), get("/short/page.html"))
		return !mustCacheStatus(t, after).hit
	}, patience, 100*time.Millisecond, "still a hit, though nginx gave two seconds")
	s := mustCacheStatus(t, after)
	assert.Equal(t, "stale", s.fwd)
	assert.Equal(t, int64(304), s.fwdStatus)
	assert.Equal(t, 200, after.status)
	assert.Equal(t, first.body, after.body)
	assert.NotEqual(t, first.originRequest(), after.originRequest(), "the headers of the 304 replace the stored ones")

	fresh := mustDo(t, client, p.url(""), get("/short/page.html"))
	assert.True(t, mustCacheStatus(t, fresh).hit)
	assert.Equal(t, after.originRequest(), fresh.originRequest())
	assert.Equal(t, first.body, fresh.body)
}

func TestWhichAnswersAreStored(t *testing.T) {
	for _, tc := range []struct {
		name, path string
		status     int
		stored     bool
	}{
		{"404 with max-age", "/gone", 404, true},
		{"301 with max-age", "/moved", 301, true},
		{"403 with max-age", "/forbidden", 403, false},
		{"500 with max-age", "/broken", 500, false},
		{"200 with no-store", "/no-store/small.txt", 200, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, client := startProxy(t, origin.url("")), newClient(t)
			direct := mustDo(t, client, origin.url(""), get(tc.path))
			require.Equal(t, tc.status, direct.status)

			first := mustDo(t, client, p.url(""), get(tc.path))
			second := mustDo(t, client, p.url(""), get(tc.path))
			assert.Equal(t, tc.stored, mustCacheStatus(t, first).stored)
			assert.Equal(t, int64(tc.status), mustCacheStatus(t, first).fwdStatus)
			assert.Equal(t, tc.stored, mustCacheStatus(t, second).hit)
			assert.Equal(t, tc.stored, first.originRequest() == second.originRequest())
			assert.Empty(t, direct.differs(first))
			assert.Empty(t, direct.differs(second))
		})
	}
}

func TestVariants(t *testing.T) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	compressed, plain := get("/static/page.html", "Accept-Encoding: gzip"), get("/static/page.html")
	for round := range 3 {
		for _, a := range []ask{compressed, plain} {
			got := mustDo(t, client, p.url(""), a)
			assert.Empty(t, mustDo(t, client, origin.url(""), a).differs(got), a)
			assert.Equal(t, round > 0, mustCacheStatus(t, got).hit, "%s, round %d", a, round)
			assert.Contains(t, got.header.Get("Vary"), "Accept-Encoding")
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(mustDo(t, client, p.url(""), compressed).body))
	require.NoError(t, err)
	unpacked, err := io.ReadAll(z)
	require.NoError(t, err)
	assert.Equal(t, mustDo(t, client, p.url(""), plain).body, unpacked)
}

func TestConditionalsAreAnsweredFromTheCache(t *testing.T) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	stored := mustDo(t, client, p.url(""), get("/static/small.txt"))
	etag, modified := stored.header.Get("Etag"), stored.header.Get("Last-Modified")
	for _, tc := range []struct {
		header string
		status int
	}{
		{"If-None-Match: " + etag, 304},
		{"If-None-Match: W/" + etag, 304},
		{`If-None-Match: "other", ` + etag, 304},
		{"If-None-Match: *", 304},
		{`If-None-Match: "other"`, 200},
		{"If-Modified-Since: " + modified, 304},
		{"If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT", 200},
	} {
		t.Run(tc.header, func(t *testing.T) {
			got := mustDo(t, client, p.url(""), get("/static/small.txt", tc.header))
			assert.Equal(t, tc.status, got.status)
			assert.True(t, mustCacheStatus(t, got).hit)
			if tc.status == 304 {
				assert.Empty(t, got.body)
				assert.Equal(t, etag, got.header.Get("Etag"))
			} else {
				assert.Equal(t, stored.body, got.body)
			}
		})
	}
}
