package insight

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/proxy"
)

// shelf is a store with one object.
type shelf struct{ waits bool }

func (s shelf) List(ctx context.Context, q string, limit int) ObjectList {
	if s.waits {
		<-ctx.Done()
		return ObjectList{Looked: 5}
	}
	if q == "nothing" {
		return ObjectList{Complete: true}
	}
	return ObjectList{Objects: []Object{{Key: "k", URL: "http://example.com/" + q + fmt.Sprint(limit), Variants: 1}}, Complete: true}
}

func (s shelf) Variants(_ context.Context, key string) []Variant {
	if key != "http://example.com/a?b=c" {
		return nil
	}
	return []Variant{{Method: "GET", Status: 200}}
}

// call asks the API, and reads the answer as JSON.
func call(t *testing.T, h http.Handler, path string) (status int, body map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"), path)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), path)
	return w.Code, body
}

func TestAPI(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		in.Observe(hit())
		in.Observe(miss())
		wait(2 * time.Second)
		h := (&API{
			Insight: in, Objects: shelf{}, Offers: []string{"purge", "purges", "objects"},
			Findings: func() []Finding { return nil },
			Trace: func(r Request) (any, bool) {
				return []map[string]string{{"step": "key", "text": r.Key}}, r.Action == "fetch"
			},
		}).Handler()
		for _, tc := range []struct {
			path   string
			status int
			want   string // part of the answer
		}{
			{"/api/overview", 200, `"offers":["findings","objects","purge","purges","trace"]`},
			{"/api/overview", 200, `"hit_ratio":0.5`},
			{"/api/series?span=5m", 200, `"step_s":1`},
			{"/api/series?span=30d", 200, `"time":[]`},
			{"/api/series", 400, `{"error":"span is \"\": give 5m, 1h, 24h or 30d"}`},
			{"/api/requests", 200, `"reason":"fresh"`},
			{"/api/requests?reason=uri-miss&limit=1", 200, `{"requests":[{"id":"000000000002"`},
			{"/api/requests?status=5xx", 200, `{"requests":[]}`},
			{"/api/requests?limit=0", 400, `limit is \"0\": give a number from 1 to 1000`},
			{"/api/requests?limit=1001", 400, `limit is \"1001\"`},
			{"/api/requests?limit=x", 400, `limit is \"x\"`},
			{"/api/requests/4bf92f35", 200, `"trace":[{"step":"key","text":"http://example.com/a?b=c"}]`},
			{"/api/requests/000000000001", 200, `"trace":null`},
			{"/api/requests/nobody", 404, `request \"nobody\" is not among the recent ones`},
			{"/api/top?by=misses", 200, `"urls":[{"url":"example.com/a?b=c"`},
			{"/api/top?by=beauty", 400, `by is \"beauty\": give requests, misses, bytes or origin_time`},
			{"/api/top?by=bytes&limit=-1", 400, `limit is \"-1\"`},
			{"/api/objects?q=a&limit=7", 200, `"url":"http://example.com/a7"`},
			{"/api/objects?q=nothing", 200, `{"objects":[],"looked_at":0,"complete":true}`},
			{"/api/objects?limit=many", 400, `limit is \"many\"`},
			{"/api/objects/one?key=http%3A%2F%2Fexample.com%2Fa%3Fb%3Dc", 200, `"variants":[{"method":"GET","status":200`},
			{"/api/objects/one?key=z", 404, `nothing is stored for key \"z\"`},
			{"/api/objects/one", 404, `nothing is stored for key \"\"`},
			{"/api/findings", 200, `{"findings":[]}`},
			{"/api/nothing", 404, `{"error":"/api/nothing is not offered here"}`},
		} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, tc.path, nil))
			assert.Equal(t, tc.status, w.Code, tc.path)
			assert.Contains(t, w.Body.String(), tc.want, tc.path)
			assert.True(t, json.Valid(w.Body.Bytes()), tc.path)
		}
	})
}

func TestWhatIsNotThereIsNotOffered(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		h := (&API{Insight: in}).Handler()
		_, o := call(t, h, "/api/overview")
		assert.Equal(t, []any{}, o["offers"])
		for _, path := range []string{"/api/objects", "/api/objects/one?key=k", "/api/findings"} {
			status, body := call(t, h, path)
			assert.Equal(t, 404, status, path)
			assert.Contains(t, body["error"], "is not offered here", path)
		}
	})
}

// A look through a large store ends in time, with what was found.
func TestALongLookEnds(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		start := time.Now()
		_, body := call(t, (&API{Insight: in, Objects: shelf{waits: true}}).Handler(), "/api/objects")
		assert.Equal(t, lookTime, time.Since(start))
		assert.Equal(t, map[string]any{"objects": []any{}, "looked_at": 5., "complete": false}, body)
	})
}

// stream opens a stream of events.
func stream(t *testing.T, url string) *http.Response {
	t.Helper()
	resp, err := http.Get(url + "/api/events")
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestEvents(t *testing.T) {
	in := New(Options{})
	defer in.Close()
	s := httptest.NewServer((&API{Insight: in}).Handler())
	defer s.Close()
	resp := stream(t, s.URL)
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	in.Observe(with(hit(), func(o *proxy.Outcome) { o.URI = "/\n\ndata: forged" }))
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	seen := 0
	for seen < 2 && lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		seen++
		var o Overview
		require.NoError(t, json.Unmarshal([]byte(data), &o))
		assert.EqualValues(t, 1, o.Windows["total"].Requests)
		assert.Len(t, o.Now, len(columns))
	}
	require.NoError(t, lines.Err())
	assert.Equal(t, 2, seen)
	in.Close()
	for lines.Scan() {
		assert.NotContains(t, lines.Text(), "error")
	}
	assert.NoError(t, lines.Err(), "the stream ends cleanly with the Insight")
}

func TestEventsAreBounded(t *testing.T) {
	in := New(Options{})
	defer in.Close()
	s := httptest.NewServer((&API{Insight: in}).Handler())
	defer s.Close()
	var open []*http.Response
	for range maxStreams {
		open = append(open, stream(t, s.URL))
		require.Equal(t, 200, open[len(open)-1].StatusCode)
	}
	full := stream(t, s.URL)
	assert.Equal(t, http.StatusServiceUnavailable, full.StatusCode)
	open[3].Body.Close()
	assert.Eventually(t, func() bool { return stream(t, s.URL).StatusCode == 200 }, 10*time.Second, 20*time.Millisecond,
		"who leaves makes room")
	in.Close() // ends the streams, so that the server can
}

func TestNobodyListensNothingIsMade(t *testing.T) {
	var b beats
	b.begin()
	b.beat(func() []byte { t.Error("made for nobody"); return nil })
	next, ok := b.listen(1)
	require.True(t, ok)
	b.leave()
	b.beat(func() []byte { t.Error("made for nobody"); return nil })
	b.close()
	<-next.came
	assert.Nil(t, next.data)
	b.beat(func() []byte { return nil }) // after the end
}

func BenchmarkOverview(b *testing.B) {
	in := New(Options{})
	defer in.Close()
	for i := range 3 * minutes {
		in.history.end(in.started.Add(time.Duration(i)*time.Minute), cache.Stats{})
	}
	for b.Loop() {
		in.event(time.Now())
	}
}

// Every path that is served stands in the document, and the other way round.
func TestAPIDocument(t *testing.T) {
	doc, err := os.ReadFile("../docs/admin-api.md")
	require.NoError(t, err)
	source, err := os.ReadFile("api.go")
	require.NoError(t, err)
	path := regexp.MustCompile(`"GET (/api/[a-z/]+(?:\{id\})?)"`)
	served := map[string]bool{}
	for _, m := range path.FindAllStringSubmatch(string(source), -1) {
		served[strings.Replace(m[1], "{id}", "ID", 1)] = m[1] != "/api/"
	}
	delete(served, "/api/")
	described := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `GET (/api/[a-zA-Z/]+)").FindAllStringSubmatch(string(doc), -1) {
		described[m[1]] = true
	}
	assert.Equal(t, served, described)
	assert.Len(t, served, 9)
}
