package lint

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var t0 = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func dated(d time.Duration) string { return t0.Add(d).Format(http.TimeFormat) }

// response is one with the fields of "Name: value | Name: value", and Date and
// Content-Type unless "no Date" or "no Content-Type" is among them.
func response(path, fields string) *Response {
	h := http.Header{"Date": {dated(0)}, "Content-Type": {"text/html"}}
	for field := range strings.SplitSeq(fields, " | ") {
		if name, ok := strings.CutPrefix(field, "no "); ok {
			h.Del(name)
			continue
		}
		if name, value, ok := strings.Cut(field, ": "); ok {
			if name == "Date" || name == "Content-Type" {
				h.Del(name)
			}
			h.Add(name, value)
		}
	}
	path, query, _ := strings.Cut(path, "?")
	return &Response{Route: "site", Target: "10.0.0.1:80", Host: "e.example", Path: path, Query: query, Method: "GET", Status: 200, Fields: h, Request: http.Header{}, Received: t0}
}

const good = "Cache-Control: max-age=60 | Etag: \"a\""

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, path, fields string
		want               []Issue
	}{
		{"good", "/a", good, nil},
		{"good for one user", "/a", "Cache-Control: private, max-age=60", nil},
		{"good, not to be stored", "/a", "Cache-Control: no-store", nil},
		{"usual belt and braces", "/a", "Cache-Control: no-store, no-cache, must-revalidate, max-age=0 | Pragma: no-cache | Expires: 0", nil},
		{"good by Expires", "/a", "Etag: \"a\" | Expires: " + dated(time.Hour), nil},
		{"good by a targeted field", "/a", "Etag: \"a\" | Cdn-Cache-Control: max-age=5", nil},
		{"good with a front cache", "/a", good + " | Age: 50 | Date: " + dated(-50*time.Second), nil},
		{"a slow clock within bounds", "/a", good + " | Date: " + dated(-60*time.Second), nil},
		{"good Vary", "/a", good + " | Vary: Accept-Encoding, Accept", nil},
		{"good static file", "/a.css", good + " | Content-Type: text/css", nil},
		{"a cookie on a page", "/a", good + " | Set-Cookie: a=b", nil},

		{"no-store and max-age", "/a", "Cache-Control: no-store, max-age=60", []Issue{{Contradiction, "no-store and max-age"}}},
		{"no-store and s-maxage", "/a", "Cache-Control: no-store, s-maxage=60", []Issue{{Contradiction, "no-store and s-maxage"}}},
		{"private and s-maxage", "/a", "Cache-Control: private, s-maxage=60", []Issue{{Contradiction, "private and s-maxage"}}},
		{"public and no-store", "/a", "Cache-Control: public, no-store", []Issue{{Contradiction, "no-store and public"}}},
		{"private and public", "/a", "Cache-Control: private, public", []Issue{{Contradiction, "private and public"}}},
		{"no-cache and immutable", "/a", "Etag: \"a\" | Cache-Control: no-cache, immutable", []Issue{{Contradiction, "no-cache and immutable"}}},
		{"no-store and immutable", "/a", "Cache-Control: no-store, immutable", []Issue{{Contradiction, "no-store and immutable"}}},
		{"over two lines", "/a", "Cache-Control: no-store | Cache-Control: public", []Issue{{Contradiction, "no-store and public"}}},
		{"invalid directive", "/a", "Etag: \"a\" | Cache-Control: max-age=1h, public", []Issue{{Invalid, "max-age=1h"}}},
		{"unclosed quote", "/a", good + " | Cache-Control: x=\"a", []Issue{{Invalid, "x=\"a"}}},
		{"Expires before Date", "/a", "Etag: \"a\" | Expires: " + dated(-time.Hour), []Issue{{ExpiresPast, ""}}},
		{"Expires does not count beside max-age", "/a", good + " | Expires: " + dated(-time.Hour), nil},
		{"Vary star", "/a", good + " | Vary: *", []Issue{{VaryStar, ""}}},
		{"Vary by client", "/a", good + " | Vary: user-agent, Cookie", []Issue{{VaryBroad, "Cookie"}, {VaryBroad, "User-Agent"}}},
		{"no validator", "/a", "Cache-Control: max-age=60", []Issue{{NoValidator, ""}}},
		{"cookie on a static file", "/a.css", good + " | Content-Type: text/css | Set-Cookie: a=b", []Issue{{CookieOnStatic, ""}}},
		{"cookie on an image without an ending", "/a", good + " | Content-Type: IMAGE/png | Set-Cookie: a=b", []Issue{{CookieOnStatic, ""}}},
		{"no lifetime", "/a", "Etag: \"a\"", []Issue{{NoLifetime, ""}}},
		{"Pragma only", "/a", "Etag: \"a\" | Pragma: no-cache", []Issue{{PragmaOnly, "no-cache"}}},
		{"Age beyond max-age", "/a", good + " | Age: 60 | Date: " + dated(-time.Minute), []Issue{{AgeBeyond, ""}}},
		{"Age below s-maxage", "/a", "Etag: \"a\" | Cache-Control: max-age=60, s-maxage=100 | Age: 60 | Date: " + dated(-time.Minute), nil},
		{"no Date", "/a", good + " | no Date", []Issue{{DateMissing, ""}}},
		{"Date ahead", "/a", good + " | Date: " + dated(61*time.Second), []Issue{{DateOff, "ahead"}}},
		{"Date behind", "/a", good + " | Date: " + dated(-61*time.Second), []Issue{{DateOff, "behind"}}},
		{"Date is none", "/a", good + " | Date: now", []Issue{{DateInvalid, ""}}},
		{"no Content-Type", "/a", good + " | no Content-Type", []Issue{{TypeMissing, ""}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, Check(response(tc.path, tc.fields)))
		})
	}
}

// An error says nothing about how pages should be cached, but its clock counts.
func TestCheckErrors(t *testing.T) {
	r := response("/a.css", "Set-Cookie: a=b | Date: "+dated(time.Hour))
	r.Status = 503
	assert.Equal(t, []Issue{{DateOff, "ahead"}}, Check(r))
	r = response("/a", good+" | no Content-Type")
	r.Empty = true
	assert.Empty(t, Check(r))
}

func TestKinds(t *testing.T) {
	assert.Len(t, Kinds(), len(texts))
	for _, k := range Kinds() {
		assert.NotEmpty(t, k.Text(), string(k))
	}
}

func find(l *Linter, k Kind) *Finding {
	for _, f := range l.Findings() {
		if f.Kind == k {
			return &f
		}
	}
	return nil
}

func TestCostAndOrder(t *testing.T) {
	l := New()
	for range 3 {
		l.Observe(response("/a", "Cache-Control: max-age=60"))
	}
	for i := range 9 {
		l.Observe(response(fmt.Sprint("/b", i), "Etag: \"b\""))
	}
	all := l.Findings()
	require.Len(t, all, 2)
	assert.Equal(t, NoValidator, all[0].Kind, "what costs misses comes first")
	assert.EqualValues(t, 3, all[0].Count)
	assert.EqualValues(t, 2, all[0].Misses, "the first request of a URL is always a miss")
	assert.Equal(t, "e.example/a", all[0].Example)
	assert.EqualValues(t, 9, all[1].Count)
	assert.Zero(t, all[1].Misses)
	l.Reset()
	assert.Empty(t, l.Findings())
}

// Misses are the cost of what makes them, and of nothing else.
func TestWhatCostsNoHits(t *testing.T) {
	l := New()
	for range 3 {
		l.Observe(response("/a", "Cache-Control: max-age=1 | no Date | no Content-Type"))
		l.Observe(response("/b", good+" | Date: "+dated(time.Hour)))
		l.Observe(response("/c", good+" | Date: "+dated(-time.Hour)))
	}
	misses := map[string]int64{}
	for _, f := range l.Findings() {
		assert.EqualValues(t, 3, f.Count)
		misses[string(f.Kind)+f.Detail] = f.Misses
	}
	assert.Equal(t, map[string]int64{"no-validator": 2, "date-missing": 0, "content-type-missing": 0, "date-offahead": 0, "date-offbehind": 2}, misses)
}

// What says nothing about pages is not looked at.
func TestNotObserved(t *testing.T) {
	l := New()
	post, unchanged := response("/a", ""), response("/a", "")
	post.Method, unchanged.Status = "POST", 304
	l.Observe(post)
	l.Observe(unchanged)
	assert.Empty(t, l.Findings())
}

func TestVaryExplodes(t *testing.T) {
	l := New()
	for i := range 60 {
		r := response("/a", good+" | Vary: Accept, Accept-Encoding, Accept-Language, Origin, X-Device, X-Theme")
		r.Request = http.Header{"Accept": {"text/html"}, "X-Theme": {fmt.Sprint(i)}}
		l.Observe(r)
		if i == 8 {
			require.Nil(t, find(l, VaryExplodes), "a few variants are what Vary is for")
		}
	}
	f := find(l, VaryExplodes)
	require.NotNil(t, f)
	assert.Equal(t, "X-Theme", f.Detail)
	assert.InDelta(t, 60, f.Most, 25)
	assert.Positive(t, f.Misses)
	require.Len(t, l.Findings(), 1)
}

func TestQuery(t *testing.T) {
	for _, tc := range []struct {
		name string
		etag string
		want Kind
	}{
		{"every value has a content of its own", "%d", QueryExplodes},
		{"all values have the same", "same", QueryUnused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := New()
			for i := range 150 {
				etag := tc.etag
				if etag == "%d" {
					etag = fmt.Sprint(i)
				}
				l.Observe(response(fmt.Sprintf("/a?lang=de&utm%%5fid=%d", i), "Cache-Control: max-age=60 | Etag: \""+etag+"\""))
			}
			all := l.Findings()
			f := find(l, tc.want)
			require.NotNil(t, f, "%v", all)
			assert.Equal(t, "utm_id", f.Detail)
			assert.Greater(t, f.Most, manyValues)
			assert.Len(t, all, 1)
		})
	}
	t.Run("a few values are what a query is for", func(t *testing.T) {
		l := New()
		for i := range 1000 {
			l.Observe(response(fmt.Sprintf("/a?page=%d", i%10), good))
		}
		assert.Empty(t, l.Findings())
	})
}

func TestETagDiffers(t *testing.T) {
	from := func(target, etag, modified string) *Response {
		r := response("/a", "Cache-Control: max-age=60 | Etag: \""+etag+"\" | Last-Modified: "+modified)
		r.Target = target
		return r
	}
	l := New()
	l.Observe(from("10.0.0.1:80", "a", dated(-time.Hour)))
	l.Observe(from("10.0.0.1:80", "b", dated(-time.Hour))) // one server may change its mind
	l.Observe(from("10.0.0.2:80", "b", dated(-time.Hour)))
	l.Observe(from("10.0.0.1:80", "c", dated(-time.Minute))) // it was changed
	require.Nil(t, find(l, ETagDiffers))
	l.Observe(from("10.0.0.2:80", "d", dated(-time.Minute)))
	require.NotNil(t, find(l, ETagDiffers))
	assert.EqualValues(t, 1, find(l, ETagDiffers).Count)
}

// Whatever is asked for, memory stays within its bound.
func TestIsBounded(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	l := New()
	long := strings.Repeat("x", 4000)
	for i := range 3000 {
		r := response(fmt.Sprintf("/%d%s?a%d%s=b&c%d=d", i, long, i, long, i), fmt.Sprintf("Vary: V%d, W%s | Cache-Control: max-age=%d%s", i, long, i, long))
		r.Route = fmt.Sprint(i%1000, long)
		l.Observe(r)
	}
	assert.LessOrEqual(t, len(l.Findings()), MostFindings)
	assert.Less(t, int64(heap())-int64(before), int64(5<<20))
	runtime.KeepAlive(l)
}

func TestConcurrent(t *testing.T) {
	l := New()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 100 {
				l.Observe(response(fmt.Sprintf("/%d", i), ""))
				l.Findings()
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 400, find(l, NoLifetime).Count)
}

func BenchmarkObserve(b *testing.B) {
	l, r := New(), response("/a?b=c", good+" | Vary: Accept-Encoding")
	b.ReportAllocs()
	for b.Loop() {
		l.Observe(r)
	}
}
