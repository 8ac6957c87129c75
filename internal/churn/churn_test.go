// Package churn holds a test that keeps every engine of the store busy through
// the whole proxy: more content than fits, writes that invalidate it, look-ups in
// between. It lasts for so many requests, or for CHURN_TIME:
//
//	CHURN_TIME=5m go test -race -timeout 15m ./internal/churn
package churn

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
)

const (
	keys     = 600
	clients  = 24
	requests = 3_000 // where no time is given

	size0 = 4 << 20 // of the store, most of the time
)

func TestChurn(t *testing.T) {
	for _, engine := range cache.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			w := newWorld(t, engine)
			ctx, more := limits(t)
			var wg sync.WaitGroup
			for n := range clients {
				wg.Go(func() { w.client(ctx, n, more) })
			}
			stop := make(chan struct{})
			resized := make(chan struct{})
			go w.resize(stop, resized)
			wg.Wait()
			close(stop)
			<-resized
			w.wantExact()
			t.Logf("%d requests, %d of them answered from the store, %d changes; %+v", w.sent.Load(), w.hits.Load(), w.changes.Load(), w.store.Stats())
			assert.Positive(t, w.hits.Load(), "the store was of use")
			assert.Positive(t, w.changes.Load())
			assert.Positive(t, w.store.Stats().Evicted, "not all fitted")
		})
	}
}

// limits says how long the test goes on: more is asked before every request.
func limits(t *testing.T) (context.Context, func() bool) {
	text := os.Getenv("CHURN_TIME")
	if text == "" {
		var n atomic.Int64
		return t.Context(), func() bool { return n.Add(1) <= requests }
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "CHURN_TIME")
	ctx, cancel := context.WithTimeout(t.Context(), d/time.Duration(len(cache.Engines())))
	t.Cleanup(cancel)
	return t.Context(), func() bool { return ctx.Err() == nil }
}

// resize makes the store smaller and larger, as the keeper of the process does.
func (w *world) resize(stop, done chan struct{}) {
	defer close(done)
	for n := int64(0); ; n++ {
		select {
		case <-stop:
			w.store.Resize(size0)
			return
		case <-time.After(20 * time.Millisecond):
			w.store.Resize(size0 / (1 + n%3))
		}
	}
}

// wantExact holds the accounts of the store to what is in it.
func (w *world) wantExact() {
	w.fetcher.Close()
	w.store.Flush()
	var sum, entries int64
	w.store.Range(func(_ string, _ kept, cost int64) bool {
		sum += cost
		entries++
		return true
	})
	s := w.store.Stats()
	assert.Equal(w, sum, s.Cost, "the bytes counted are those of all entries")
	assert.Equal(w, entries, s.Entries)
	assert.LessOrEqual(w, s.Cost, s.MaxCost)
	assert.Zero(w, s.Pending)
}
