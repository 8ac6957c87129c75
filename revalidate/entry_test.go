package revalidate

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

// made returns an entry as a flight makes it, with strings of its own.
func made(t testing.TB, i int, body []byte, known bool, request, response []string) *Entry {
	rules := policy.DefaultRules()
	h := fieldsOf(response)
	for _, lines := range h {
		for k := range lines {
			lines[k] = strings.Clone(strings.ReplaceAll(lines[k], "#", fmt.Sprint(i)))
		}
	}
	rq := fieldsOf(request)
	for _, lines := range rq {
		lines[0] = strings.Clone(lines[0])
	}
	now := time.Now()
	status := 200
	if h.Get("Content-Range") != "" {
		status = 206
	}
	stored, why := policy.Admit(policy.NewRequest("GET", rq), &policy.Response{Status: status, Fields: h},
		policy.Times{Requested: now, Received: now}, &rules)
	require.Equal(t, policy.ReasonNone, why)
	s := newStream(-1, new(atomic.Int64))
	if known {
		s = newStream(int64(len(body)), new(atomic.Int64))
	}
	s.feed(t, body)
	s.finish(nil)
	e := newEntry(stored, policy.Storable(h, &rules), s.body())
	require.NotNil(t, e)
	return e
}

// TestKeptCost holds the cost of what is kept to the heap.
func TestKeptCost(t *testing.T) {
	common := []string{"Cache-Control: max-age=60", "Date: Mon, 02 Jan 2006 15:04:05 GMT", "Content-Type: text/html; charset=utf-8"}
	with := func(fields ...string) []string { return slices.Concat(common, fields) }
	etag := `Etag: "0123456789-#"`
	for _, tc := range []struct {
		name              string
		body              int
		known             bool // the length, beforehand
		request, response []string
	}{
		{"empty", 0, true, nil, common},
		{"small, with a validator", 100, true, nil, with(etag)},
		{"1 KiB with Vary", 1024, true, []string{"Accept-Encoding: gzip", "Accept-Language: de"}, with("Vary: Accept-Encoding, Accept-Language")},
		{"10 KB", 10_000, true, nil, with(etag, "Content-Language: en", "Last-Modified: Mon, 02 Jan 2006 15:04:05 GMT")},
		{"a part", 500, true, nil, with(etag, "Content-Range: bytes 0-499/1000")},
		{"worst for the allocator", 28_673, true, nil, common},
		{"a little more than whole pages", 33_000, true, nil, common},
		{"200 KB", 200_000, true, nil, common},
		{"2 MB", 2_000_000, true, nil, common},
		{"1 KB, length not known", 1000, false, nil, common},
		{"33 KB, length not known", 33_000, false, nil, common},
		{"1 MB, length not known", 1_000_000, false, nil, common},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := min(2000, 20_000_000/(tc.body+1))
			body := make([]byte, tc.body)
			kept := make([]Kept, 0, n)
			var cost int64
			base := time.Now()
			before := heap()
			for i := range n {
				k := keep([]*Entry{made(t, i, body, tc.known, tc.request, tc.response)}, base)
				cost += k.cost()
				kept = append(kept, k)
			}
			measured := heap() - before
			t.Logf("an entry counts %d and takes %d bytes", cost/int64(n), measured/int64(n))
			assert.Greater(t, float64(cost), 0.9*float64(measured), "it counts what it takes")
			assert.Less(t, float64(cost), 1.3*float64(measured), "it does not count what is not there")
			assert.Less(t, measured/int64(n), int64(tc.body*8/7+400), "little more than the content is kept")
			runtime.KeepAlive(kept)
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func variant(tongue, method string, used int64) *Entry {
	return &Entry{
		Stored:  &policy.Stored{Method: method, Vary: []string{"X-Tongue"}, VaryValues: []string{tongue}},
		touched: used,
	}
}

func tongues(entries []*Entry) (out []string) {
	for _, e := range entries {
		out = append(out, e.Method+" "+e.VaryValues[0])
	}
	return out
}

func TestWith(t *testing.T) {
	full := []*Entry{variant("en", "GET", 30), variant("de", "GET", 10), variant("fr", "GET", 20)}
	for _, tc := range []struct {
		name  string
		old   []*Entry
		add   *Entry
		limit int
		want  []string
	}{
		{"nothing there", nil, variant("en", "GET", 1), 3, []string{"GET en"}},
		{"room", full, variant("it", "GET", 1), 4, []string{"GET en", "GET de", "GET fr", "GET it"}},
		{"the least recently used goes", full, variant("it", "GET", 1), 3, []string{"GET en", "GET fr", "GET it"}},
		{"the same requests", full, variant("fr", "GET", 1), 3, []string{"GET en", "GET de", "GET fr"}},
		{"the limit was lowered", full, variant("it", "GET", 1), 2, []string{"GET en", "GET it"}},
		{"a limit of one", full, variant("it", "GET", 1), 1, []string{"GET it"}},
		{"a HEAD beside its GET", full, variant("en", "HEAD", 1), 4, []string{"GET en", "GET de", "GET fr", "HEAD en"}},
		{"a GET replaces a HEAD", []*Entry{variant("en", "HEAD", 1)}, variant("en", "GET", 1), 4, []string{"GET en"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			was := tongues(full)
			assert.Equal(t, tc.want, tongues(with(tc.old, tc.add, tc.limit)))
			assert.Equal(t, was, tongues(full), "what is stored is immutable")
		})
	}
}

// Which of several variants was used last is known across look-ups.
func TestTouch(t *testing.T) {
	now := time.Now()
	k := keep([]*Entry{variant("en", "GET", 1), variant("de", "GET", 2)}, now)
	var r Resource
	r.fill(k, now)
	r.Entries[0].Touch(time.Unix(100, 999))
	r.fill(k, now)
	assert.Equal(t, []string{"GET en", "GET it"}, tongues(with(r.Entries, variant("it", "GET", 3), 2)))
}

func TestKeepFor(t *testing.T) {
	now := time.Now()
	at := func(life time.Duration, ago time.Duration) *Entry {
		return &Entry{Stored: &policy.Stored{Lifetime: life, Times: policy.Times{Received: now.Add(-ago)}}}
	}
	assert.Equal(t, 50*time.Second, keepFor([]*Entry{at(time.Minute, 10*time.Second), at(20*time.Second, 0)}, now), "the longest counts")
	assert.Equal(t, time.Second, keepFor([]*Entry{at(time.Second, time.Hour)}, now), "never for ever, which 0 would be")
}

func TestEntryFields(t *testing.T) {
	h := http.Header{"Content-Length": {"5"}, "Content-Range": {"bytes 0-4/10"}, "Etag": {`"1"`}}
	for _, tc := range []struct {
		name   string
		stored policy.Stored
		want   string
	}{
		{"content", policy.Stored{Method: "GET"}, "Content-Range: bytes 0-4/10\r\nEtag: \"1\"\r\n"},
		{"a part", policy.Stored{Method: "GET", Partial: &policy.Partial{}}, "Etag: \"1\"\r\n"},
		{"no content to count", policy.Stored{Method: "HEAD"}, "Content-Length: 5\r\nContent-Range: bytes 0-4/10\r\nEtag: \"1\"\r\n"},
	} {
		assert.Equal(t, tc.want, string(entryFields(&tc.stored, h)), tc.name)
	}
	assert.Len(t, h, 3, "the header is left alone")
}
