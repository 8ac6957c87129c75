package faults

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	single "cacheproxy/origin"
	"cacheproxy/origin/upstream"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

// patience is each of the timeouts toward an origin.
const patience = 400 * time.Millisecond

// margin is what a busy machine may take beyond a timeout.
const margin = 10 * time.Second

// world is the proxy before one origin for each fault, and its client; all of them
// on sockets of 127.0.0.1.
type world struct {
	*testing.T
	store   cache.Store[revalidate.Kept]
	url     string // of the proxy
	http    *http.Client
	origins []*origin
	ways    []*upstream.Upstream // of the proxy to them
}

func newWorld(t *testing.T) *world {
	w := &world{T: t}
	var routes []*proxy.Route
	for _, f := range faults {
		o := listen(t, f)
		t.Cleanup(o.close)
		way, err := upstream.New(upstream.Options{
			Name: f.name, Targets: []upstream.Target{{URL: "http://" + o.tcp.Addr().String()}}, Retry: upstream.Retry{Attempts: 1},
			Origin: single.Options{Connect: patience, ResponseHeader: patience, Body: patience},
		})
		require.NoError(t, err)
		t.Cleanup(way.Close)
		w.origins, w.ways = append(w.origins, o), append(w.ways, way)
		routes = append(routes, &proxy.Route{Name: f.host(), Host: f.host(), Origin: way, Base: proxy.Settings{Rules: policy.DefaultRules()}})
	}
	var err error
	w.store, err = cache.New[revalidate.Kept](cache.Options{MaxCost: 16 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { w.store.Close() })
	fetcher := revalidate.New(revalidate.Options{Store: w.store, MaxObject: 1 << 20, MaxVariants: 3})
	t.Cleanup(fetcher.Close)
	handler := proxy.New(fetcher, &proxy.Config{Name: "cacheproxy", Token: "faults", Routes: routes}, nil)
	front, err := server.Listen("127.0.0.1:0", server.Options{
		Handler: handler, Hit: handler.Hit, Refuse: handler.Refuse, ReadHeader: time.Minute, Idle: time.Minute, Write: time.Minute,
	})
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = front.Serve() }()
	t.Cleanup(func() { front.Close(); <-served })
	w.url = "http://" + front.Addr().String()
	w.http = &http.Client{Transport: &http.Transport{DisableCompression: true}}
	return w
}

// got is what a client got.
type got struct {
	answer
	cache   string // Cache-Status
	elapsed time.Duration
}

func (g *got) fromStore() bool { return strings.HasPrefix(g.cache, "cacheproxy; hit") }

var errorType = regexp.MustCompile(`^cacheproxy; error=([a-z_]+); `)

// Bytes of content in a POST: few, or more than all buffers on the way hold.
const few, much = 100, 32 << 20

// ask makes a GET.
func (w *world) ask(host, path string, fields ...string) got {
	return w.send(host, http.MethodGet, path, 0, nil, fields...)
}

// send makes a request. The trial, if there is one, hears how far the answer is.
func (w *world) send(host, method, path string, size int, tr *trial, fields ...string) got {
	var content io.Reader
	if method == http.MethodPost {
		content = bytes.NewReader(make([]byte, size))
	}
	ctx, cancel := context.WithTimeout(w.Context(), margin+10*patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, content)
	require.NoError(w, err)
	r.Host = host
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	defer w.http.CloseIdleConnections() // a client that announces it would be cut off amid a large content
	start := time.Now()
	resp, err := w.http.Do(r)
	if tr != nil {
		defer close(tr.body)
		close(tr.head)
	}
	if err != nil {
		w.Logf("%s %s: %v", method, path, err)
		return got{answer: answer{broken: true}, elapsed: time.Since(start)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	g := got{answer{status: resp.StatusCode, body: string(text), broken: err != nil}, resp.Header.Get("Cache-Status"), time.Since(start)}
	if why := errorType.FindStringSubmatch(resp.Header.Get("Proxy-Status")); why != nil {
		g.error, g.body = why[1], ""
		assert.Contains(w, string(text), `"request_id":"`+resp.Header.Get("X-Request-Id"), "an error names its request")
	}
	return g
}

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/dev/fd")
	require.NoError(t, err)
	return len(files)
}
