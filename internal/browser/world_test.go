package browser

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/admin"
	"cacheproxy/cache"
	"cacheproxy/insight"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/purge"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

// hostile is a URL that would run a script if it were taken for HTML.
const hostile = `/search?q=<img/src=x/onerror=alert(1)>"'</td></table><script>alert(2)</script>`

// world is an origin, the proxy before it, and its operator's side; all of them
// on sockets of 127.0.0.1.
type world struct {
	*testing.T
	url     string // of the proxy
	admin   string // URL of the operator's side
	insight *insight.Insight
	broken  atomic.Bool // the origin answers with 503
	client  *http.Client

	answered, failed atomic.Int64 // requests, and those of them with 5xx
}

// newWorld starts everything, and ends it with the test. The token may be empty.
func newWorld(t *testing.T, token string) *world {
	w := &world{T: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	upstream := httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(upstream.Close)
	o, err := origin.New(upstream.URL, origin.Options{})
	require.NoError(t, err)
	t.Cleanup(o.Close)
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 8 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { store.Close() })
	fetcher := revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 8})
	t.Cleanup(fetcher.Close)

	w.insight = insight.New(insight.Options{Store: store.Stats})
	t.Cleanup(w.insight.Close)
	metrics := admin.NewMetrics(admin.Sources{Store: store.Stats})
	metrics.Register(w.insight.Collector())
	handler := proxy.New(fetcher, &proxy.Config{
		Name: "cacheproxy", Token: "browser",
		Routes: []*proxy.Route{{Name: "site", Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}, func(o *proxy.Outcome) {
		metrics.Observe(o)
		w.insight.Observe(o)
	})
	front, err := server.Listen("127.0.0.1:0", server.Options{
		Handler: handler, Hit: handler.Hit, Refuse: handler.Refuse, ReadHeader: time.Minute, Idle: time.Minute, Write: time.Minute,
	})
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = front.Serve() }()
	t.Cleanup(func() { front.Close(); <-served })
	t.Cleanup(w.client.CloseIdleConnections)
	w.url = "http://" + front.Addr().String()

	api := &insight.API{Insight: w.insight, Objects: shelf{}, Findings: findings, Offers: []string{"purges"}}
	side := httptest.NewServer(admin.New(admin.Options{
		Metrics: metrics, Token: token, API: api.Handler(), Purges: purges,
		Purge: func(context.Context, purge.Request) (purge.Result, error) {
			return purge.Result{}, purge.Errorf("not here")
		},
	}))
	t.Cleanup(side.Close)
	t.Cleanup(side.CloseClientConnections) // streams of events have no end of their own
	w.admin = side.URL
	return w
}

// answer is the origin's.
func (w *world) answer(rw http.ResponseWriter, r *http.Request) {
	if w.broken.Load() {
		http.Error(rw, "down for a while", http.StatusServiceUnavailable)
		return
	}
	h := rw.Header()
	switch {
	case strings.HasPrefix(r.URL.Path, "/account"):
		h.Set("Cache-Control", "private")
	case strings.HasPrefix(r.URL.Path, "/missing"):
		http.NotFound(rw, r)
		return
	case strings.HasPrefix(r.URL.Path, "/short"):
		h.Set("Cache-Control", "max-age=1, stale-if-error=60")
		h.Set("ETag", `"1"`)
	case strings.HasPrefix(r.URL.Path, "/stale"):
		h.Set("Cache-Control", "max-age=0, stale-if-error=60")
		h.Set("ETag", `"1"`)
	default:
		h.Set("Cache-Control", "max-age=600, stale-if-error=600")
	}
	if r.Header.Get("If-None-Match") == `"1"` {
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	time.Sleep(time.Duration(2+rand.IntN(20)) * time.Millisecond)
	h.Set("Content-Type", "text/plain")
	_, _ = io.WriteString(rw, strings.Repeat("content of "+r.URL.Path+"\n", 1+len(r.URL.Path)*8))
}

// get requests a target through the proxy, and returns the status.
func (w *world) get(target string) int {
	r, err := http.NewRequest(http.MethodGet, w.url, nil)
	require.NoError(w, err)
	r.URL.Opaque = target
	r.Host = "shop.example"
	resp, err := w.client.Do(r)
	if err != nil {
		w.Errorf("GET %s: %v", target, err)
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	w.answered.Add(1)
	if resp.StatusCode >= 500 {
		w.failed.Add(1)
	}
	return resp.StatusCode
}

// hear tells of a request all of whose texts are hostile, whatever the server
// would let through.
func (w *world) hear() {
	w.insight.Observe(&proxy.Outcome{
		Action: policy.Fetch, Reason: policy.URIMiss, Start: time.Now(), Method: "<b>GET", Host: "<i>shop.example", URI: hostile,
		Proto: "<u>HTTP/1.1", Remote: "<s>", RequestID: "<script>alert(3)</script>", Route: "<hr>", Key: hostile, Target: "<br>",
		Status: 200, FwdStatus: 200, OriginTime: time.Millisecond, Duration: time.Millisecond,
	})
}

// load is a mixed stream of requests until stop is called.
func (w *world) load(clients int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, 400)
			for ctx.Err() == nil {
				switch n := rand.IntN(100); {
				case n < 80:
					w.get(fmt.Sprintf("/products/%d", zipf.Uint64()))
				case n < 90:
					w.get(fmt.Sprintf("/short/%d", rand.IntN(5)))
				case n < 96:
					w.get(fmt.Sprintf("/account/%d", rand.IntN(50)))
				default:
					w.get(fmt.Sprintf("/missing/%d", rand.IntN(5)))
				}
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// shelf is a store with few things in it.
type shelf struct{}

func (shelf) List(_ context.Context, q string, limit int) insight.ObjectList {
	l := insight.ObjectList{Looked: 3, Complete: true}
	for i, path := range []string{"/products/1", "/short/2", hostile} {
		if url := "http://shop.example" + path; strings.Contains(url, q) && len(l.Objects) < limit {
			l.Objects = append(l.Objects, insight.Object{
				Key: url, URL: url, Variants: 1 + i%2, Bytes: 1900, Status: 200, ContentType: "text/plain", Age: 61, TTL: float64(539 - 600*(i%2)),
			})
		}
	}
	return l
}

func (shelf) Variants(_ context.Context, key string) []insight.Variant {
	return []insight.Variant{{
		Method: "GET", Status: 200, Vary: map[string]string{"accept-encoding": "gzip"}, Length: 1700, Stored: time.Now(),
		Age: 61, Lifetime: 600, Source: "max-age", IfError: 600, ETag: `"1"`,
		Header: [][2]string{{"Content-Type", "text/plain"}, {"X-Note", hostile}, {"Cache-Control", "max-age=600, stale-if-error=600"}},
	}}
}

func purges() []purge.Audit {
	return []purge.Audit{{Time: time.Now(), By: "127.0.0.1", Via: "api", What: "tag " + hostile, Entries: 12, Complete: true, Took: 210 * time.Microsecond}}
}

func findings() []insight.Finding {
	return []insight.Finding{{
		Rule: "no-lifetime", Route: "site", Text: "responses have no lifetime: " + hostile,
		Example: "http://shop.example" + hostile, Count: 1200, Misses: 900, Last: time.Now(),
	}}
}
