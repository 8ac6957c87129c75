//go:build linux

package siege

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// good are the clients who ask for what is stored. All of them are answered.
type good struct {
	*testing.T
	url  string
	http *http.Client

	asked   atomic.Int64
	stored  atomic.Int64 // of asked: from the store
	mu      sync.Mutex
	longest time.Duration
}

// patience is what an answer from the store may take on a machine as busy as this one.
const patience = 30 * time.Second

func newGood(t *testing.T, addr string) *good {
	transport := &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &good{T: t, url: "http://" + addr, http: &http.Client{Transport: transport, Timeout: patience}}
}

// get asks for content, which must come whole, and says what Cache-Status says.
func (g *good) get(path string, c content) string {
	r, err := http.NewRequest(http.MethodGet, g.url+path, nil)
	require.NoError(g, err)
	r.Host = "siege.test"
	start := time.Now()
	resp, err := g.http.Do(r)
	if !assert.NoError(g, err, path) {
		return ""
	}
	defer resp.Body.Close()
	to := c.reader()
	_, err = io.Copy(to, resp.Body)
	if err == nil {
		err = to.whole()
	}
	took := time.Since(start)
	g.asked.Add(1)
	g.mu.Lock()
	g.longest = max(g.longest, took)
	g.mu.Unlock()
	assert.Equal(g, http.StatusOK, resp.StatusCode, path)
	assert.NoError(g, err, path)
	return resp.Header.Get("Cache-Status")
}

// warm has what is hot stored, and what attackers want of the store.
func (g *good) warm() {
	for n := range hotKeys {
		g.get(fmt.Sprintf("/hot/%d", n), hot(n))
		require.Contains(g, g.get(fmt.Sprintf("/hot/%d", n), hot(n)), "cacheproxy; hit")
	}
	g.get("/large", large)
	g.get("/parts", parts)
	g.http.CloseIdleConnections()
	g.asked.Store(0)
	g.longest = 0
}

// run asks for what is hot until the context ends, with so many clients that
// pause between requests.
func (g *good) run(ctx context.Context, clients int, pause time.Duration) {
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for n := client; ctx.Err() == nil; n++ {
				status := g.get(fmt.Sprintf("/hot/%d", n%hotKeys), hot(n%hotKeys))
				if strings.HasPrefix(status, "cacheproxy; hit") {
					g.stored.Add(1)
				}
				time.Sleep(pause)
			}
		})
	}
	wg.Wait()
	g.http.CloseIdleConnections()
}

func (g *good) report() string {
	return fmt.Sprintf("%d asked for what is hot, %d answered from the store, slowest %s", g.asked.Load(), g.stored.Load(), g.longest)
}
