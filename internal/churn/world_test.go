package churn

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"cacheproxy/cache"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

type kept = revalidate.Kept

// world is an origin with content that changes, the proxy before it, and clients
// that know what they may get; all of them on sockets of 127.0.0.1.
type world struct {
	*testing.T
	store   cache.Store[kept]
	fetcher *revalidate.Fetcher
	url     string // of the proxy
	http    *http.Client

	versions  [keys]atomic.Int64 // at the origin
	confirmed [keys]atomic.Int64 // of which clients know that they are there
	sent      atomic.Int64
	hits      atomic.Int64
	changes   atomic.Int64
	purges    atomic.Int64
}

func newWorld(t *testing.T, engine cache.Engine) *world {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	w := &world{T: t}
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(w.answer))
	upstream.Config.ErrorLog = log.New(io.Discard, "", 0)
	upstream.Start()
	t.Cleanup(upstream.Close)
	o, err := origin.New(upstream.URL, origin.Options{})
	require.NoError(t, err)
	t.Cleanup(o.Close)
	w.store, err = cache.New[kept](cache.Options{MaxCost: size0, Engine: engine, Exponent: cache.DefaultExponent})
	require.NoError(t, err)
	t.Cleanup(func() { w.store.Close() })
	w.fetcher = revalidate.New(revalidate.Options{Store: w.store, MaxObject: 1 << 20, MaxVariants: 3})
	t.Cleanup(w.fetcher.Close)
	handler := proxy.New(w.fetcher, &proxy.Config{
		Name: "cacheproxy", Token: "churn",
		Routes: []*proxy.Route{{Name: "all", Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}, nil)
	front, err := server.Listen("127.0.0.1:0", server.Options{
		Handler: handler, Hit: handler.Hit, ReadHeader: time.Minute, Idle: time.Minute, Write: time.Minute,
	})
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = front.Serve() }()
	t.Cleanup(func() { front.Close(); <-served })
	w.url = "http://" + front.Addr().String()
	transport := &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}
	w.http = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return w
}

var tongues = []string{"de", "en", "fr", "it"}

// size is that of a key's content: from some bytes to more than the store would
// take many of.
func size(key int) int { return 100 << (key % 12) }

// content begins with what it is, so that no other can pass for it.
func content(key int, version int64, tongue string) string {
	name := fmt.Sprintf("%d %d %s\n", key, version, tongue)
	return name + strings.Repeat(name, size(key)/len(name))
}

// answer is the origin. A PUT makes a new version.
func (w *world) answer(rw http.ResponseWriter, r *http.Request) {
	key, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || key < 0 || key >= keys {
		http.NotFound(rw, r)
		return
	}
	if r.Method == http.MethodPut {
		rw.Header().Set("Version", strconv.FormatInt(w.versions[key].Add(1), 10))
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	tongue := ""
	h := rw.Header()
	version := w.versions[key].Load()
	tag := fmt.Sprintf(`"%d-%d"`, key, version)
	h.Set("Cache-Control", "max-age=86400")
	switch key % 5 {
	case 1:
		tongue = r.Header.Get("Tongue")
		h.Set("Vary", "Tongue")
	case 2:
		h.Set("Cache-Control", "max-age=0")
		h.Set("Etag", tag)
		if r.Header.Get("If-None-Match") == tag {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
	case 3:
		h.Set("Cache-Control", "private")
	}
	text := content(key, version, tongue)
	if key%2 == 0 {
		h.Set("Content-Length", strconv.Itoa(len(text)))
	}
	_, _ = io.WriteString(rw, text)
}

// client asks for what is popular most often, and changes some of it.
func (w *world) client(ctx context.Context, n int, more func() bool) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for more() && !w.Failed() {
		key := int(float64(keys) * r.Float64() * r.Float64())
		if r.IntN(20) == 0 {
			w.change(ctx, key)
			continue
		}
		w.look(ctx, key, tongues[r.IntN(len(tongues))])
	}
}

func (w *world) do(ctx context.Context, method string, key int, tongue string) (*http.Response, string) {
	r, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("%s/%d", w.url, key), nil)
	if !assert.NoError(w, err) {
		return nil, ""
	}
	r.Header.Set("Tongue", tongue)
	w.sent.Add(1)
	resp, err := w.http.Do(r)
	if !assert.NoError(w, err) {
		return nil, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if !assert.NoError(w, err) {
		return nil, ""
	}
	return resp, string(text)
}

// change makes a new version. Once it is confirmed, nobody may get an older one.
func (w *world) change(ctx context.Context, key int) {
	resp, _ := w.do(ctx, http.MethodPut, key, "")
	if resp == nil {
		return
	}
	version, err := strconv.ParseInt(resp.Header.Get("Version"), 10, 64)
	assert.NoError(w, err)
	w.changes.Add(1)
	for known := w.confirmed[key].Load(); known < version; known = w.confirmed[key].Load() {
		w.confirmed[key].CompareAndSwap(known, version)
	}
}

// look asks for a key, and holds the answer to what it may be.
func (w *world) look(ctx context.Context, key int, tongue string) {
	least := w.confirmed[key].Load()
	resp, text := w.do(ctx, http.MethodGet, key, tongue)
	if resp == nil {
		return
	}
	w.judge(key, tongue, least, resp, text)
}

// judge holds an answer to what it may be.
func (w *world) judge(key int, tongue string, least int64, resp *http.Response, text string) {
	if strings.HasPrefix(resp.Header.Get("Cache-Status"), "cacheproxy; hit") {
		w.hits.Add(1)
	}
	name, _, _ := strings.Cut(text, "\n")
	var gotKey int
	var version int64
	var gotTongue string
	_, _ = fmt.Sscanf(name, "%d %d %s", &gotKey, &version, &gotTongue)
	if key%5 != 1 {
		tongue = ""
	}
	assert.Equal(w, http.StatusOK, resp.StatusCode)
	assert.Equal(w, key, gotKey, "no content of another key")
	assert.Equal(w, tongue, gotTongue, "no other variant")
	assert.GreaterOrEqual(w, version, least, "key %d: nothing that was invalidated before it was asked for: %s", key, resp.Header.Get("Cache-Status"))
	assert.True(w, content(key, version, tongue) == text, "key %d: all of it, and nothing else", key)
}
