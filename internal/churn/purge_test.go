package churn

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/cache"
	"cacheproxy/purge"
)

// TestPurgeAmidChurn changes content behind the proxy's back and purges it, in every
// way, while the store is kept busy: nobody who asks after a purge gets an older
// version.
func TestPurgeAmidChurn(t *testing.T) {
	for _, engine := range cache.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			w := newWorld(t, engine)
			ctx, more := limits(t)
			var wg sync.WaitGroup
			for n := range clients {
				wg.Go(func() { w.client(ctx, n, more) })
			}
			stop := make(chan struct{})
			var purgers sync.WaitGroup
			for n := range 4 {
				purgers.Go(func() { w.purger(n, stop) })
			}
			wg.Wait()
			close(stop)
			purgers.Wait()
			w.wantExact()
			assert.Positive(t, w.hits.Load(), "the store was of use")
			assert.Positive(t, w.purges.Load())
		})
	}
}

// purger changes and purges, some 500 times a second.
func (w *world) purger(n int, stop chan struct{}) {
	r := rand.New(rand.NewPCG(uint64(n), 2))
	host := strings.TrimPrefix(w.url, "http://")
	for !w.Failed() {
		select {
		case <-stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
		key := r.IntN(keys)
		marks := []purge.Mark{
			{Kind: purge.URL, Value: fmt.Sprintf("%s/%d", w.url, key)},
			{Kind: purge.Glob, Value: fmt.Sprintf("*/%d", key)},
			{Kind: purge.Prefix, Value: fmt.Sprintf("%s/%d", host, key)},
			{Kind: purge.Host, Value: host},
			{Kind: purge.Everything},
		}
		i := r.IntN(3)
		if r.IntN(500) == 0 {
			i = 3 + r.IntN(2)
		}
		version := w.versions[key].Add(1)
		w.fetcher.Purge(marks[i:i+1], nil)
		w.purges.Add(1)
		for known := w.confirmed[key].Load(); known < version; known = w.confirmed[key].Load() {
			w.confirmed[key].CompareAndSwap(known, version)
		}
	}
}
