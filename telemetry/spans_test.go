package telemetry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

const (
	theTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	theSpan  = "00f067aa0ba902b7"
	sampled  = "00-" + theTrace + "-" + theSpan + "-01"
	quiet    = "00-" + theTrace + "-" + theSpan + "-00"
)

func TestAMissAndAHit(t *testing.T) {
	var sent http.Header
	origin := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "hello")
	})
	w := newWorld(t, setup{trusted: true, targets: []string{origin}})
	w.get("/a?b=c", "Traceparent", sampled, "Tracestate", "one=1,two=2", "User-Agent", "test")
	w.get("/a?b=c", "Traceparent", sampled)
	all := w.finish()
	require.Len(t, all, 5)

	miss := find(t, all, onServer, "GET", "cacheproxy.action", "fetch")
	lookup := find(t, all, internal, "lookup", "", nil)
	flight := find(t, all, internal, "flight", "", nil)
	attempt := find(t, all, onClient, "GET", "", nil)
	hit := find(t, all, onServer, "GET", "cacheproxy.action", "serve")
	for _, s := range all {
		assert.Equal(t, theTrace, s.trace())
		assert.False(t, s.end().Before(s.begin()), s.Name)
		assert.WithinDuration(t, time.Now(), s.begin(), time.Minute)
	}
	assert.Equal(t, []string{theSpan, miss.id(), miss.id(), flight.id(), theSpan},
		[]string{miss.parent(), lookup.parent(), flight.parent(), attempt.parent(), hit.parent()})
	assert.Equal(t, "one=1,two=2", miss.TraceState)
	for _, s := range []span{lookup, flight} {
		assert.False(t, s.begin().Before(miss.begin()), s.Name)
		assert.False(t, s.end().After(miss.end()), s.Name)
	}
	assert.Equal(t, "00-"+theTrace+"-"+attempt.id()+"-01", sent.Get("Traceparent"))
	assert.Equal(t, "one=1,two=2", sent.Get("Tracestate"))

	host, port := split(strings.TrimPrefix(w.url, "http://"))
	about := attributes(miss.Attributes)
	for key, want := range map[string]any{
		"http.request.method": "GET", "url.path": "/a", "url.query": "b=c", "url.scheme": "http", "server.address": host,
		"network.protocol.version": "1.1", "network.peer.address": "127.0.0.1", "user_agent.original": "test",
		"http.response.status_code": int64(200), "http.response.body.size": int64(5), "cacheproxy.reason": "uri-miss",
		"cacheproxy.stored": true, "cacheproxy.route": "/", "cacheproxy.target": strings.TrimPrefix(origin, "http://"),
	} {
		assert.Equal(t, want, about[key], key)
	}
	assert.Equal(t, port, fmt.Sprint(about["server.port"]))
	asked := attributes(attempt.Attributes)
	assert.Equal(t, origin+"/a?b=c", asked["url.full"])
	assert.Equal(t, int64(200), asked["http.response.status_code"])
	assert.NotContains(t, asked, "http.request.resend_count")
	assert.NotEqual(t, tracepb.Status_STATUS_CODE_ERROR, miss.Status.GetCode())

	self := attributes(w.receiver.got[0].Resource.Attributes)
	assert.Equal(t, "cacheproxy", self["service.name"])
	assert.Equal(t, "v1.2.3", self["service.version"])
}

// A flight that others share is linked from their traces.
func TestWhoSharesAFlightLinksToIt(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	origin := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		w.Header().Set("Cache-Control", "max-age=60")
	})
	w := newWorld(t, setup{sample: 1, targets: []string{origin}})
	var wg sync.WaitGroup
	wg.Go(func() { w.get("/") })
	<-asked
	wg.Go(func() { w.get("/") })
	require.Eventually(t, func() bool { return w.fetcher.Stats().Waiting == 2 }, 10*time.Second, time.Millisecond)
	close(answer)
	wg.Wait()
	all := w.finish()

	shared := find(t, all, onServer, "GET", "cacheproxy.collapsed", true)
	attempt := find(t, all, onClient, "GET", "", nil)
	assert.NotEqual(t, shared.trace(), attempt.trace())
	var links []*tracepb.Span_Link
	for _, s := range all {
		if s.Name == "flight" && s.trace() == shared.trace() {
			links = s.Links
		} else {
			assert.Empty(t, s.Links)
		}
	}
	require.Len(t, links, 1)
	assert.Equal(t, attempt.TraceId, links[0].TraceId)
	assert.Equal(t, attempt.ParentSpanId, links[0].SpanId, "the flight of the one that began it")
}

func TestEachAttemptHasASpan(t *testing.T) {
	var mu sync.Mutex
	var told []string
	handler := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			told = append(told, r.Header.Get("Traceparent"))
			mu.Unlock()
			w.WriteHeader(status)
		}
	}
	w := newWorld(t, setup{sample: 1, targets: []string{newOrigin(t, handler(503)), newOrigin(t, handler(200))}})
	w.get("/")
	all := w.finish()
	first := find(t, all, onClient, "GET", "http.response.status_code", int64(503))
	second := find(t, all, onClient, "GET", "http.request.resend_count", int64(1))
	assert.Equal(t, tracepb.Status_STATUS_CODE_ERROR, first.Status.GetCode())
	assert.Equal(t, "503", attributes(first.Attributes)["error.type"])
	assert.Equal(t, int64(200), attributes(second.Attributes)["http.response.status_code"])
	assert.Equal(t, first.parent(), second.parent())
	assert.False(t, second.begin().Before(first.end()))
	assert.Equal(t, []string{
		"00-" + first.trace() + "-" + first.id() + "-01", "00-" + second.trace() + "-" + second.id() + "-01",
	}, told)
}

func TestAnOriginThatFails(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	w := newWorld(t, setup{sample: 1, targets: []string{gone.URL}})
	assert.Equal(t, 502, w.get("/").StatusCode)
	all := w.finish()
	request := find(t, all, onServer, "GET", "", nil)
	assert.Equal(t, tracepb.Status_STATUS_CODE_ERROR, request.Status.GetCode())
	assert.Equal(t, "connection_refused", attributes(request.Attributes)["error.type"])
	attempts := 0
	for _, s := range all {
		if s.Kind == onClient {
			attempts++
			assert.Equal(t, tracepb.Status_STATUS_CODE_ERROR, s.Status.GetCode())
			assert.Equal(t, "connection_refused", attributes(s.Attributes)["error.type"])
		}
	}
	assert.Equal(t, 3, attempts)
}

// What a request caused without waiting for it is its child all the same.
func TestPassesAndRefreshes(t *testing.T) {
	done := make(chan struct{}, 3)
	origin := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=0, stale-while-revalidate=60")
		done <- struct{}{}
	})
	w := newWorld(t, setup{sample: 1, targets: []string{origin}})
	w.get("/pass", "Authorization", "secret", "Cache-Control", "no-store")
	w.get("/stale")
	w.get("/stale")
	for range 3 {
		<-done
	}
	require.Eventually(t, func() bool { return w.fetcher.Stats().Running == 0 }, 10*time.Second, time.Millisecond)
	all := w.finish()
	stale := find(t, all, onServer, "GET", "cacheproxy.action", "serve-stale")
	parents := map[string]bool{}
	for _, s := range all {
		parents[s.parent()] = parents[s.parent()] || s.Kind == onClient
	}
	assert.True(t, parents[stale.id()], "the refresh")
	pass := find(t, all, onServer, "GET", "cacheproxy.action", "pass")
	assert.True(t, parents[pass.id()], "the pass")
	assert.Len(t, all, 3*2+2+1, "requests with their attempts, two lookups, one flight")
}

// The memory of a request's head is used again for the next one.
func TestSpansKeepTheirTexts(t *testing.T) {
	origin := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60") })
	w := newWorld(t, setup{sample: 1, targets: []string{origin}})
	want := map[string]int{}
	for range 2 {
		for i := range 20 {
			path := fmt.Sprintf("/%d%s", i, strings.Repeat("x", i))
			w.get(path, "User-Agent", "agent of "+path, "Traceparent", quiet, "Tracestate", fmt.Sprintf("n=%d", i))
			want[fmt.Sprintf("%s n=%d", path, i)]++
		}
	}
	got := map[string]int{}
	hits := 0
	for _, s := range w.finish() {
		if s.Kind == onServer {
			a := attributes(s.Attributes)
			got[fmt.Sprint(a["url.path"], " ", s.TraceState)]++
			assert.Equal(t, fmt.Sprint("agent of ", a["url.path"]), a["user_agent.original"])
			if a["cacheproxy.action"] == "serve" {
				hits++
			}
		}
	}
	assert.Equal(t, want, got)
	assert.Equal(t, 20, hits)
}
