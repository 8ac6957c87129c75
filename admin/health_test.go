package admin

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

type check = func(context.Context) error

// healthOptions are those of a server with the given origins.
func healthOptions(checks map[string]check) Options {
	return Options{Metrics: NewMetrics(Sources{}), Origins: func() map[string]check { return checks }}
}

func reachable(context.Context) error { return nil }

func refused(context.Context) error { return errors.New("connection refused") }

// silent is an origin that never answers.
func silent(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestReadiness(t *testing.T) {
	for _, tc := range []struct {
		name   string
		checks map[string]check
		status int
		body   string
		takes  time.Duration
	}{
		{"no origins to ask", nil, 200, "ready\n", 0},
		{"one, reachable", map[string]check{"a": reachable}, 200, "ready\n", 0},
		{"one of two", map[string]check{"a": refused, "b": reachable}, 200, "ready\n", 0},
		{"a silent one does not hold up a verdict", map[string]check{"a": silent, "b": reachable}, 200, "ready\n", 0},
		{"none", map[string]check{"b": refused, "a": refused}, 503,
			"not ready: no origin is reachable\na: connection refused\nb: connection refused\n", 0},
		{"silence", map[string]check{"a": silent, "b": silent, "c": refused}, 503,
			"not ready: no origin is reachable\na: no answer within 1s\nb: no answer within 1s\nc: connection refused\n", time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := New(healthOptions(tc.checks))
				start := time.Now()
				w := ask(h, "GET", "/readyz", "")
				assert.Equal(t, tc.status, w.Code)
				assert.Equal(t, tc.body, w.Body.String())
				assert.Equal(t, tc.takes, time.Since(start), "all origins are asked at once")
				assert.Equal(t, 200, ask(h, "GET", "/healthz", "").Code)
			})
		})
	}
}

// A check that ignores its context must not hold up the answer.
func TestReadinessIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := func(context.Context) error { time.Sleep(time.Hour); return nil }
		start := time.Now()
		w := ask(New(healthOptions(map[string]check{"a": stuck})), "GET", "/readyz", "")
		assert.Equal(t, 503, w.Code)
		assert.Contains(t, w.Body.String(), "a: no answer within 1s")
		assert.Equal(t, time.Second, time.Since(start))
		time.Sleep(time.Hour) // for the bubble to end
	})
}

func TestReadinessHoldsForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var down atomic.Bool
		h := New(healthOptions(map[string]check{"a": func(ctx context.Context) error {
			asked.Add(1)
			if down.Load() {
				return refused(ctx)
			}
			return nil
		}}))
		status := func() int { return ask(h, "GET", "/readyz", "").Code }
		assert.Equal(t, 200, status())
		down.Store(true)
		time.Sleep(time.Second - time.Nanosecond)
		assert.Equal(t, 200, status())
		assert.EqualValues(t, 1, asked.Load())
		time.Sleep(time.Nanosecond)
		assert.Equal(t, 503, status())
		assert.EqualValues(t, 2, asked.Load())
		down.Store(false)
		time.Sleep(time.Second)
		assert.Equal(t, 200, status(), "an origin that came back")
	})
}

func TestProbesShareACheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		h := New(healthOptions(map[string]check{"a": func(context.Context) error {
			asked.Add(1)
			time.Sleep(time.Second / 2)
			return nil
		}}))
		var probes sync.WaitGroup
		for range 20 {
			probes.Go(func() { assert.Equal(t, 200, ask(h, "GET", "/readyz", "").Code) })
		}
		probes.Wait()
		assert.EqualValues(t, 1, asked.Load())
	})
}

// The client that happens to start a check must not spoil it for the others.
func TestACheckOutlivesItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(healthOptions(map[string]check{"a": func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second / 2):
				return nil
			}
		}}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r, _ := http.NewRequestWithContext(ctx, "GET", "/readyz", nil)
		h.ServeHTTP(&nowhere{header: http.Header{}}, r)
		assert.Equal(t, 200, ask(h, "GET", "/readyz", "").Code)
	})
}

// nowhere is a client that has left.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) WriteHeader(int)             {}
func (n *nowhere) Write(b []byte) (int, error) { return 0, errors.New("gone") }

func TestOriginsMayChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := map[string]check{"old": refused}
		h := New(Options{Metrics: NewMetrics(Sources{}), Origins: func() map[string]check { return now }})
		assert.Equal(t, 503, ask(h, "GET", "/readyz", "").Code)
		now = map[string]check{"new": reachable}
		time.Sleep(time.Second)
		assert.Equal(t, 200, ask(h, "GET", "/readyz", "").Code)
	})
}

func TestDrainingIsNotReadyButHealthy(t *testing.T) {
	var draining atomic.Bool
	var asked atomic.Int64
	o := healthOptions(map[string]check{"a": func(context.Context) error { asked.Add(1); return nil }})
	o.Draining = draining.Load
	h := New(o)
	assert.Equal(t, 200, ask(h, "GET", "/readyz", "").Code)
	draining.Store(true)
	w := ask(h, "GET", "/readyz", "")
	assert.Equal(t, 503, w.Code, "at once, whatever is remembered")
	assert.Equal(t, "not ready: draining: the proxy is about to stop\n", w.Body.String())
	assert.Equal(t, 200, ask(h, "GET", "/healthz", "").Code)
	assert.EqualValues(t, 1, asked.Load())
}
