package upstream

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnsafeMethodsByChoice(t *testing.T) {
	large := strings.Repeat("x", 100)
	for _, tc := range []struct {
		status  int
		content string
		want    int
	}{
		{408, "content", 3}, {429, "content", 3}, {503, "content", 3},
		{502, "content", 1}, {504, "content", 1}, {500, "content", 1},
		{503, large, 1}, // more than is kept
		{503, "", 3},
	} {
		t.Run(fmt.Sprintf("%d with %d bytes", tc.status, len(tc.content)), func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{Retry: Retry{Unsafe: true, KeepBody: 99}}, "a")
				w.host("a.test", always(status(tc.status)))
				assert.Equal(w, tc.status, w.send(u, w.request(u, "POST", "/", tc.content)).status)
				log := w.asked()
				assert.Len(w, log, tc.want)
				for _, a := range log {
					assert.Equal(w, tc.content, a.content)
				}
			})
		})
	}
}

// Content of unknown length is kept as far as there is room.
func TestContentIsKeptWhileItIsSent(t *testing.T) {
	for size, want := range map[int]int{1: 2, 1000: 2, 1001: 1, 5000: 1} {
		bubble(t, func(w *world) {
			u := w.upstream(Options{Retry: Retry{KeepBody: 1000}}, "a")
			w.host("a.test", first(status(503)))
			r := w.request(u, "PUT", "/", strings.Repeat("x", size))
			r.ContentLength = -1
			w.send(u, r)
			log := w.asked()
			assert.Len(w, log, want, "%d bytes", size)
			for _, a := range log {
				assert.Len(w, a.content, size)
			}
		})
	}
}

// closing counts how often it is closed.
type closing struct {
	io.Reader
	closed atomic.Int32
}

func (c *closing) Close() error { c.closed.Add(1); return nil }

// Whatever comes of a request, its content is closed, and once.
func TestContentIsClosed(t *testing.T) {
	for name, prepare := range map[string]func(w *world, u *Upstream){
		"answered": func(w *world, u *Upstream) {},
		"retried":  func(w *world, u *Upstream) { w.host("a.test", first(status(503))) },
		"given up": func(w *world, u *Upstream) { w.host("a.test", always(status(503))) },
		"refused":  func(w *world, u *Upstream) { w.refuse("a.test", refused) },
		"held":     func(w *world, u *Upstream) { u.targets[0].hold(time.Minute) },
		"invalid":  func(w *world, u *Upstream) { w.host("a.test", always("?")) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				u := w.upstream(Options{}, "a")
				prepare(w, u)
				c := &closing{Reader: strings.NewReader("content")}
				r := w.request(u, "PUT", "/", "content")
				r.Body = c
				w.send(u, r)
				synctest.Wait()
				assert.EqualValues(w, 1, c.closed.Load())
				w.idle(u)
			})
		})
	}
}

// Content that waits for 100 (Continue) and was not asked for is still whole.
func TestContentThatWasNotAskedFor(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Retry: Retry{KeepBody: -1}}, "a")
		w.host("a.test", first(status(503)))
		c := &closing{Reader: strings.NewReader("content")}
		r := w.request(u, "PUT", "/", "content")
		r.Body = c
		r.Header.Set("Expect", "100-continue")
		assert.Equal(w, 200, w.send(u, r).status)
		assert.Len(w, w.asked(), 2)
	})
}

// An answer that comes while the content is still sent is for the client: what is
// gone of the content cannot be sent again.
func TestAnswerAmidTheContent(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{}, "a")
		content, client := io.Pipe()
		r := w.request(u, "PUT", "/", "x")
		r.Body, r.ContentLength = content, 1000
		r.Header.Set("Expect", "100-continue")
		w.host("a.test", func(a arrival) string {
			time.Sleep(5 * time.Second) // the content is sent unasked after one
			return status(503)
		})
		go func() { _, _ = client.Write([]byte("begin")) }()
		resp, err := u.RoundTrip(r)
		require.NoError(w, err)
		assert.Equal(w, 503, resp.StatusCode)
		assert.Len(w, w.asked(), 1)
		resp.Body.Close()
		client.CloseWithError(io.ErrUnexpectedEOF)
		synctest.Wait()
		w.idle(u)
	})
}

// Who still sends for a try that has been given up gets no more: the content is for
// the next one.
func TestContentIsForOneTryAtATime(t *testing.T) {
	r, err := http.NewRequest("PUT", "http://a.test/", strings.NewReader("content"))
	require.NoError(t, err)
	c := newContent(r, 100, NewBudget(0, 0))
	before := c.reader()
	require.True(t, c.rewind())
	_, err = before.Read(make([]byte, 10))
	assert.ErrorIs(t, err, http.ErrBodyReadAfterClose)
	got, err := io.ReadAll(c.reader())
	require.NoError(t, err)
	assert.Equal(t, "content", string(got))
	require.True(t, c.rewind(), "all of it was kept")
	got, err = io.ReadAll(c.reader())
	require.NoError(t, err)
	assert.Equal(t, "content", string(got))
}

// What is known to be too large is not kept at all.
func TestLargeContentIsNotKept(t *testing.T) {
	r, err := http.NewRequest("PUT", "http://a.test/", strings.NewReader("content"))
	require.NoError(t, err)
	c := newContent(r, r.ContentLength-1, NewBudget(0, 0))
	_, err = c.reader().Read(make([]byte, 3))
	require.NoError(t, err)
	assert.Empty(t, c.kept)
	assert.False(t, c.rewind(), "some is gone")
}

// Requests that cannot be sent again take nothing from the budget.
func TestContentThatIsGoneCostsNoBudget(t *testing.T) {
	bubble(t, func(w *world) {
		u := w.upstream(Options{Retry: Retry{KeepBody: 1, Budget: NewBudget(-1, 0.1)}}, "a") // one retry
		w.host("a.test", always(status(503)))
		for range 3 {
			w.send(u, w.request(u, "PUT", "/", "content"))
		}
		assert.Len(w, w.asked(), 3)
		w.get(u)
		assert.Len(w, w.asked(), 2)
	})
}

// All requests together keep so much content and no more.
func TestKeptContentIsBounded(t *testing.T) {
	b := NewBudget(0, 0)
	read := func() *content {
		r, err := http.NewRequest("PUT", "http://a.test/", strings.NewReader(strings.Repeat("x", mostKept/2)))
		require.NoError(t, err)
		c := newContent(r, mostKept, b)
		_, err = io.Copy(io.Discard, c.reader())
		require.NoError(t, err)
		return c
	}
	first, second := read(), read()
	assert.True(t, first.repeatable())
	assert.True(t, second.repeatable())
	assert.False(t, read().repeatable(), "there is no room for it")
	first.settle()
	assert.True(t, read().repeatable(), "there is again")
}
