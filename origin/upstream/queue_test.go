package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// slow answers after a second.
func slow(arrival) string { time.Sleep(time.Second); return ok }

// No target has more requests at once than it may, and those that wait go in the order
// in which they came.
func TestQueueIsInOrder(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 1, QueueTime: time.Minute}, "a")
		w.host("a.test", slow)
		for i := range 6 {
			go w.send(u, w.request(u, "GET", fmt.Sprintf("/%d", i), ""))
			synctest.Wait()
		}
		assert.Equal(w, 5, u.Waiting())
		assert.Equal(w, 1, u.Targets()[0].InFlight)
		time.Sleep(10 * time.Second)
		for i, a := range w.asked() {
			assert.Equal(w, fmt.Sprintf("/%d", i), a.uri)
			assert.Equal(w, time.Duration(i)*time.Second, a.at)
		}
		w.idle(u)
	})
}

// The slot is free at the end of the body, not at its beginning.
func TestSlotIsTakenToTheEndOfTheBody(t *testing.T) {
	for name, end := range map[string]func(*world, *body){
		"closed": func(w *world, b *body) { b.Close() },
		"read": func(w *world, b *body) {
			var err error
			for buf := make([]byte, 1); err == nil; {
				_, err = b.Read(buf)
			}
		},
		"written": func(w *world, b *body) {
			n, err := b.WriteTo(discarding{})
			assert.NoError(w, err)
			assert.EqualValues(w, 6, n)
		},
		"written in vain": func(w *world, b *body) {
			_, err := b.WriteTo(failing{})
			assert.ErrorIs(w, err, errFull)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{MaxRequests: 1, QueueTime: time.Minute}, "a")
				w.host("a.test", first("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n"))
				resp, err := u.RoundTrip(w.request(u, "GET", "/", ""))
				require.NoError(w, err)
				require.IsType(w, &body{}, resp.Body)
				done := make(chan got, 1)
				go func() { done <- w.get(u) }()
				time.Sleep(30 * time.Second)
				assert.Empty(w, done)
				end(w, resp.Body.(*body))
				assert.Equal(w, 200, (<-done).status)
				resp.Body.Close()
				resp.Body.Close()
				w.idle(u)
				assert.Empty(w, u.Targets()[0].Failures, "whatever the client's side did")
			})
		})
	}
}

type discarding struct{}

func (discarding) Write(p []byte) (int, error) { return len(p), nil }

var errFull = errors.New("full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestQueueHasADeadline(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 1}, "a")
		w.host("a.test", always(silence))
		go w.get(u)
		synctest.Wait()
		c := &closing{}
		r := w.request(u, "POST", "/", "")
		r.Body = c
		g := w.send(u, r)
		require.Equal(w, origin.Busy, g.failure())
		assert.Equal(w, time.Second, g.err.RetryAfter)
		assert.Equal(w, 5*time.Second, g.took)
		assert.ErrorContains(w, g.err, `upstream "app": no slot free for a request, within 5s`)
		assert.EqualValues(w, 1, c.closed.Load())
		assert.Zero(w, u.Waiting())
		time.Sleep(time.Minute)
	})
}

func TestQueueIsBounded(t *testing.T) {
	for queue, waiting := range map[int]int{3: 3, -1: 0} {
		bubble(t, func(w *world) {
			u := w.upstream(Options{MaxRequests: 1, Queue: queue}, "a")
			w.host("a.test", slow)
			for range waiting + 1 {
				go w.get(u)
			}
			synctest.Wait()
			g := w.get(u)
			require.Equal(w, origin.Busy, g.failure())
			assert.Zero(w, g.took, "at once")
			assert.Equal(w, waiting, u.Waiting())
			time.Sleep(time.Minute)
			w.idle(u)
		})
	}
}

func TestClientLeavesTheQueue(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 1}, "a")
		w.host("a.test", slow)
		go w.get(u)
		synctest.Wait()
		cause := errors.New("the client has left")
		ctx, cancel := context.WithCancelCause(w.Context())
		time.AfterFunc(100*ms, func() { cancel(cause) })
		g := w.send(u, w.request(u, "GET", "/", "").WithContext(ctx))
		require.Equal(w, origin.Canceled, g.failure())
		assert.ErrorIs(w, g.err, cause)
		assert.Equal(w, 100*ms, g.took)
		assert.Zero(w, u.Waiting())
		time.Sleep(time.Second)
		assert.Equal(w, 200, w.get(u).status)
	})
}

// A slot of any target serves who waits.
func TestQueueIsForAllTargets(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 1}, "a", "b")
		w.host("a.test", func(arrival) string { time.Sleep(3 * time.Second); return ok })
		w.host("b.test", slow)
		go w.get(u)
		go w.get(u)
		synctest.Wait()
		g := w.get(u)
		assert.Equal(w, "b.test", g.target)
		assert.Equal(w, 2*time.Second, g.took)
		time.Sleep(3 * time.Second)
	})
}

// When the last target goes out of order, nobody waits for its slots.
func TestOpeningReleasesTheQueue(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{
			MaxRequests: 1, Retry: single, Ejection: Ejection{Failures: 1}, Origin: origin.Options{ResponseHeader: time.Second},
		}, "a")
		w.host("a.test", always(silence))
		done := make(chan got, 4)
		for range 4 {
			go func() { done <- w.get(u) }()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(w, done, 4)
		failures := map[origin.Failure]int{}
		for range 4 {
			failures[(<-done).failure()]++
		}
		assert.Equal(w, map[origin.Failure]int{origin.Timeout: 1, origin.Unavailable: 3}, failures)
		w.idle(u)
	})
}

func TestNoBound(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: -1}, "a")
		w.host("a.test", slow)
		for range 2000 {
			go w.get(u)
		}
		synctest.Wait()
		assert.Equal(w, 2000, u.Targets()[0].InFlight)
		time.Sleep(time.Second)
	})
}

// A body that came with its head takes no slot any more.
func TestSmallBodyTakesNoSlot(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{MaxRequests: 1}, "a")
		resp, err := u.RoundTrip(w.request(u, "GET", "/", ""))
		require.NoError(w, err)
		w.idle(u)
		assert.Equal(w, 200, w.get(u).status)
		text, err := io.ReadAll(resp.Body)
		require.NoError(w, err)
		assert.Equal(w, "ok", string(text))
		resp.Body.Close()
		w.idle(u)
	})
}
