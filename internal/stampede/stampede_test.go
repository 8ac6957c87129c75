//go:build unix

// Package stampede holds the tests with a thousand clients on one key. They
// run the real handler on real sockets, and wait for events only, never for a
// time.
package stampede

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow sends the opening of a body, waits until the latch is open, and sends
// the rest.
func slow(w http.ResponseWriter, body []byte, until <-chan struct{}) {
	_, _ = w.Write(body[:opening])
	_ = http.NewResponseController(w).Flush()
	<-until
	_, _ = w.Write(body[opening:])
}

func cacheable(w http.ResponseWriter, length int) {
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Header().Set("Content-Type", "application/octet-stream")
	if length >= 0 {
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
}

func TestAThousandClientsOneOriginRequest(t *testing.T) {
	body := content(bodySize)
	// The origin goes on only when every client has its first bytes. Were they
	// to wait for the whole, nobody would ever get anything.
	all := newLatch(crowd)
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		cacheable(rw, len(body))
		slow(rw, body, all.open)
	})
	visits := w.flock(crowd, func(i int) (string, string, []byte) { return "/cold", strconv.Itoa(i), body }, all.tell)
	collapsed := 0
	for i, v := range visits {
		require.NoError(t, v.err, "client %d", i)
		require.EqualValues(t, len(body), v.read, "client %d", i)
		assert.Equal(t, 200, v.resp.StatusCode)
		if strings.Contains(v.status, "; collapsed") {
			collapsed++
		}
	}
	assert.EqualValues(t, 1, w.asked.Load(), "requests at the origin")
	assert.Equal(t, crowd-1, collapsed)

	hit := w.one("/cold", body)
	require.NoError(t, hit.err)
	assert.Contains(t, hit.status, "cacheproxy; hit")
	assert.EqualValues(t, 1, w.asked.Load())
}

// A fast origin: clients whose look-up missed may come to the fetcher when the
// flight has landed already.
func TestAThousandClientsAndAFastOrigin(t *testing.T) {
	body := content(1000)
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		cacheable(rw, len(body))
		_, _ = rw.Write(body)
	})
	for key := range 5 {
		path := "/cold" + strconv.Itoa(key)
		for i, v := range w.flock(crowd, func(i int) (string, string, []byte) { return path, strconv.Itoa(i), body }, func() {}) {
			require.NoError(t, v.err, "client %d", i)
			require.EqualValues(t, len(body), v.read, "client %d", i)
		}
		require.EqualValues(t, key+1, w.asked.Load(), "requests at the origin")
	}
}

func TestAThousandClientsAndAPrivateResponse(t *testing.T) {
	const size = 20_000
	own := func(user string) []byte { return bytes.Repeat([]byte("for "+user+" only;"), size/len(user)) }
	waiting := make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, r *http.Request) {
		<-waiting // nobody knows yet that it is private
		rw.Header().Set("Cache-Control", "private, max-age=3600")
		_, _ = rw.Write(own(r.Header.Get("User")))
	})
	go func() {
		w.untilWaiting(crowd)
		assert.EqualValues(t, 1, w.asked.Load(), "all wait for the first one")
		close(waiting)
	}()
	visits := w.flock(crowd, func(i int) (string, string, []byte) {
		user := strconv.Itoa(i)
		return "/me", user, own(user)
	}, func() {})
	for i, v := range visits {
		require.NoError(t, v.err, "client %d", i)
		require.EqualValues(t, len(own(strconv.Itoa(i))), v.read)
		assert.NotContains(t, v.status, "collapsed")
		assert.NotContains(t, v.status, "stored")
	}
	assert.EqualValues(t, crowd, w.asked.Load())
}

func TestAThousandClientsAndTheFirstOneLeaves(t *testing.T) {
	body := content(1 << 20)
	first, others, left := newLatch(1), newLatch(crowd-1), make(chan struct{})
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		cacheable(rw, len(body))
		slow(rw, body, left)
	})
	leader := w.ask("/cold", "first")
	require.NoError(t, leader.err)
	leading := make(chan struct{})
	go func() {
		defer close(leading)
		leader.follow(body, first.tell)
	}()
	<-first.open // so it is the one that started the flight
	go func() {
		<-others.open
		leader.conn.Close()
		<-w.gone // the proxy knows
		close(left)
	}()
	visits := w.flock(crowd-1, func(i int) (string, string, []byte) { return "/cold", strconv.Itoa(i), body }, others.tell)
	<-leading
	assert.Error(t, leader.err)
	for i, v := range visits {
		require.NoError(t, v.err, "client %d", i)
		require.EqualValues(t, len(body), v.read, "client %d", i)
	}
	hit := w.one("/cold", body)
	require.NoError(t, hit.err)
	assert.Contains(t, hit.status, "cacheproxy; hit")
	assert.EqualValues(t, 1, w.asked.Load())
}

func TestAThousandClientsAndTheOriginDies(t *testing.T) {
	for name, length := range map[string]int{"length known": 1 << 20, "chunked": -1} {
		t.Run(name, func(t *testing.T) {
			body := content(1 << 20)
			all := newLatch(crowd)
			var w *world
			w = newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
				cacheable(rw, length)
				if w.asked.Load() > 1 {
					_, _ = rw.Write(body)
					return
				}
				slow(rw, body[:len(body)/2], all.open)
				_ = http.NewResponseController(rw).Flush()
				panic(http.ErrAbortHandler)
			})
			visits := w.flock(crowd, func(i int) (string, string, []byte) { return "/cold", strconv.Itoa(i), body }, all.tell)
			for i, v := range visits {
				require.Error(t, v.err, "client %d took half a body for a whole one", i)
				require.NotContains(t, v.err.Error(), "other bytes", "client %d", i)
				require.GreaterOrEqual(t, v.read, int64(1), "client %d", i)
				require.LessOrEqual(t, v.read, int64(len(body)/2), "client %d", i)
			}
			assert.EqualValues(t, 1, w.asked.Load(), "requests at the origin")

			again := w.one("/cold", body)
			require.NoError(t, again.err)
			assert.EqualValues(t, len(body), again.read)
			assert.Contains(t, again.status, "fwd=uri-miss", "nothing was stored")
			assert.EqualValues(t, 2, w.asked.Load())
			hit := w.one("/cold", body)
			require.NoError(t, hit.err)
			// A client that has all bytes may come again a moment before they are stored.
			assert.Regexp(t, "^cacheproxy; (hit|.*collapsed$)", hit.status)
			assert.EqualValues(t, 2, w.asked.Load())
		})
	}
}
