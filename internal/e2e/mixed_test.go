package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mixedRequests = 10_000

// expected is a request and what nginx itself answers to it.
type expected struct {
	ask  ask
	want answer
}

func TestMixedSequential(t *testing.T) { testMixed(t, 1) }

func TestMixedParallel(t *testing.T) { testMixed(t, 64) }

// testMixed sends mixedRequests from so many clients and compares every answer with nginx's own.
func testMixed(t *testing.T, clients int) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	pool := askNginx(t, client)
	var next, hits, wrong atomic.Int64
	var wg sync.WaitGroup
	for id := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(id)))
			for next.Add(1) <= mixedRequests && wrong.Load() < 10 {
				e := pool[random.IntN(len(pool))]
				hit, err := compare(client, p.url(""), e)
				if err != nil {
					wrong.Add(1)
					t.Errorf("%s: %v", e.ask, err)
				}
				if hit {
					hits.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.Greater(t, hits.Load(), int64(mixedRequests/2), "most of these can be answered from the cache")
}

func compare(client *http.Client, base string, e expected) (hit bool, err error) {
	got, err := do(client, base, e.ask)
	if err != nil {
		return false, err
	}
	s, err := got.cacheStatus()
	if err != nil {
		return false, err
	}
	if diff := e.want.differs(got); diff != "" {
		return false, fmt.Errorf("%s (Cache-Status: %s)", diff, got.header.Get("Cache-Status"))
	}
	return s.hit, nil
}

// askNginx gives every distinct request of the mix with nginx's own answer.
func askNginx(t *testing.T, client *http.Client) []expected {
	t.Helper()
	var pool []expected
	for _, a := range mix(t, client) {
		pool = append(pool, expected{a, mustDo(t, client, origin.url(""), a)})
	}
	return pool
}

func mix(t *testing.T, client *http.Client) []ask {
	t.Helper()
	asks := []ask{
		get("/static/big.bin"),
		get("/static/big.bin", "Range: bytes=1000000-1000999"),
		get("/missing"),
		get("/gone"),
		get("/moved"),
		get("/redirect"),
		get("/forbidden"),
		get("/broken"),
		get("/static/small.txt?v=1"),
		get("/static/small.txt?v=2"),
		{method: http.MethodHead, path: "/static/big.bin"},
		{method: http.MethodHead, path: "/gone"},
		{method: http.MethodHead, path: "/no-store/small.txt"},
	}
	for _, path := range []string{
		"/static/small.txt", "/static/page.html", "/static/data.json",
		"/short/small.txt", "/short/page.html", "/no-store/page.html",
	} {
		whole := mustDo(t, client, origin.url(""), get(path))
		require.Equal(t, 200, whole.status, path)
		etag, modified := whole.header.Get("Etag"), whole.header.Get("Last-Modified")
		asks = append(asks,
			get(path),
			get(path, "Accept-Encoding: gzip"),
			get(path, "Accept-Encoding: gzip, deflate, br"),
			get(path, "Accept-Encoding: identity"),
			ask{method: http.MethodHead, path: path},
			get(path, "Range: bytes=3-9"),
			get(path, "Range: bytes=-7"),
			get(path, "Range: bytes=0-3,8-12"),
			get(path, "Range: bytes=3-9", "If-Range: "+etag),
			get(path, "Range: bytes=3-9", `If-Range: "other"`),
			get(path, "If-None-Match: "+etag),
			get(path, `If-None-Match: "other"`),
			get(path, "If-Modified-Since: "+modified),
			get(path, "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"),
		)
	}
	for i := range manyFiles {
		asks = append(asks, get(fmt.Sprintf("/static/n/%d.txt", i)))
	}
	return asks
}
