package upstream

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// Whatever targets and clients do at the same time: every request comes to an end that
// can be told, no target ever has more than it may, and at the end nothing is
// left over and all is well again.
func TestChaos(t *testing.T) {
	for _, balance := range []Balance{RoundRobin, LeastRequests, Hash} {
		bubble(t, func(w *world) {
			const bound = 8
			o := Options{
				Balance: balance, MaxRequests: bound, Queue: 20, QueueTime: time.Second,
				Ejection: Ejection{Failures: 2}, Health: &Health{Path: "/healthz?full", Interval: time.Second, Fall: 2},
				Retry: Retry{Unsafe: true, Budget: NewBudget(1, 100)},
			}
			o.Origin.ResponseHeader, o.Origin.Body = 2*time.Second, 2*time.Second
			u := w.upstream(o, "a", "b:2", "+c")
			var well atomic.Bool
			answers := []string{
				ok, ok, ok, ok, status(404), status(408), status(429), status(503, "Retry-After", "1"), status(503), status(502), status(504), "",
				"?", silence, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n" + ok,
			}
			for _, name := range []string{"a.test", "b.test", "c.test"} {
				w.host(name, func(arrival) string {
					if well.Load() {
						return ok
					}
					time.Sleep(time.Duration(rand.IntN(300)) * ms)
					return answers[rand.IntN(len(answers))]
				})
			}
			var wg sync.WaitGroup
			var good atomic.Int64
			for range 40 {
				wg.Go(func() {
					for range 25 {
						if w.disturb(u) {
							good.Add(1)
						}
						for _, s := range u.Targets() {
							assert.LessOrEqual(w, s.InFlight, bound)
						}
					}
				})
			}
			wg.Wait()
			assert.Positive(w, good.Load())
			well.Store(true)
			w.idle(u)
			time.Sleep(time.Minute)
			for i := range 50 {
				assert.Equal(w, 200, w.send(u, w.request(u, "GET", fmt.Sprintf("/%d", i), "")).status)
			}
			for _, s := range u.Targets()[:2] {
				assert.Equal(w, Up, s.Condition, "%+v", s)
			}
			w.idle(u)
		})
	}
}

// disturb makes a request of a random kind, that may leave at any time. It reports
// whether there was a whole answer.
func (w *world) disturb(u *Upstream) bool {
	method := []string{"GET", "PUT", "POST"}[rand.IntN(3)]
	content := ""
	if method != "GET" {
		content = strings.Repeat("x", rand.IntN(100))
	}
	ctx, cancel := context.WithTimeout(w.Context(), time.Duration(rand.IntN(4000))*ms)
	defer cancel()
	resp, err := u.RoundTrip(w.request(u, method, "/"+content, content).WithContext(ctx))
	if err != nil {
		known, is := err.(*origin.Error)
		require.True(w, is, "%T: %v", err, err)
		assert.NotEqual(w, origin.None, known.Failure)
		if known.Failure == origin.Unavailable || known.Failure == origin.Busy {
			assert.Positive(w, known.RetryAfter)
			assert.Less(w, known.RetryAfter, 40*time.Second)
		}
		return false
	}
	defer resp.Body.Close()
	if rand.IntN(4) == 0 { // it leaves amid the body
		return false
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil
}
