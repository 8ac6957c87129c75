// Package faults holds a test of what the proxy does about origins that refuse,
// break off, lie or hang: a scripted origin on a real socket for each fault of a
// table, from which docs/faults.md is made.
package faults

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const (
	oldAnswer  = "HTTP/1.1 200 OK\r\nCache-Control: max-age=1, stale-if-error=600\r\nConnection: close\r\nContent-Length: 3\r\n\r\nold"
	goodAnswer = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nConnection: close\r\nContent-Length: 4\r\n\r\ngood"
	nextAnswer = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: 4\r\n\r\nnext"
)

var good = answer{status: http.StatusOK, body: "good"}

func TestFaults(t *testing.T) {
	before := goleak.IgnoreCurrent()
	defer goleak.VerifyNone(t, before)
	t.Run("origins", func(t *testing.T) { // whose clean-up comes before the last look
		w := newWorld(t)
		w.seed()
		for n, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				w := *w
				w.T = t
				w.origins[n].T = t
				w.try(n)
			})
		}
	})
}

// seed has something stored for every origin, and waits until it is stale.
func (w *world) seed() {
	for _, f := range faults {
		g := w.ask(f.host(), stalePath)
		require.Equal(w, answer{status: http.StatusOK, body: "old"}, g.answer)
	}
	w.store.Flush()
	last := faults[len(faults)-1].host()
	require.Eventually(w, func() bool {
		return w.ask(last, stalePath, "Cache-Control", "only-if-cached").status == http.StatusGatewayTimeout
	}, time.Minute, 50*time.Millisecond)
}

// try puts one origin's fault to the test, and then what is left of it.
func (w *world) try(n int) {
	f, o := faults[n], w.origins[n]
	goroutines, files := goleak.IgnoreCurrent(), openFiles(w.T)
	if !f.upload {
		w.miss(f, o)
		w.stale(f, o)
	}
	w.post(f, o)
	w.ways[n].Close()
	o.close()
	files-- // the origin's listener
	freed := func() bool {
		w.http.CloseIdleConnections()
		return openFiles(w.T) <= files && w.ways[n].Targets()[0].InFlight == 0
	}
	assert.Eventually(w, freed, margin, 5*time.Millisecond, "every descriptor is freed, and every place at the origin")
	goleak.VerifyNone(w, goroutines)
}

// meet makes a request that meets the fault.
func (w *world) meet(f fault, o *origin, method, path string) got {
	tr := o.arm()
	content := few
	if f.upload {
		content = much
	}
	g := w.send(f.host(), method, path, content, tr)
	if f.deaf == nil {
		select {
		case <-tr.played:
		case <-time.After(margin):
			assert.Fail(w, "the proxy leaves the connection open")
		}
		o.mu.Lock()
		assert.Equal(w, 1, tr.connections, "it is not asked twice")
		o.mu.Unlock()
		assert.Equal(w, f.kept, w.isKept(f, o), "the connection is used again")
	}
	assert.Less(w, g.elapsed, f.most()+margin)
	w.store.Flush()
	return g
}

// isKept reports whether a request for something else comes on the connection that
// was made last, and sees to it that none is kept for the next trial.
func (w *world) isKept(f fault, o *origin) bool {
	o.mu.Lock()
	last := o.accepted
	o.mu.Unlock()
	assert.Equal(w, answer{status: http.StatusOK, body: "next"}, w.ask(f.host(), nextPath).answer)
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.next == last
}

// miss is a request for something that is not stored.
func (w *world) miss(f fault, o *origin) {
	assert.Equal(w, f.gets, w.meet(f, o, http.MethodGet, missPath).answer)
	o.disarm()
	w.again(f, missPath, f.gets)
}

// again asks for what met the fault before: what was stored of that is used, and
// else the origin is asked, which is well now.
func (w *world) again(f fault, path string, stored answer) {
	g := w.ask(f.host(), path)
	assert.Equal(w, f.stored, g.fromStore(), g.cache)
	if f.stored {
		assert.Equal(w, stored, g.answer)
		return
	}
	assert.Equal(w, good, g.answer)
}

// stale is a request for something that is stored and stale.
func (w *world) stale(f fault, o *origin) {
	g := w.meet(f, o, http.MethodGet, stalePath)
	want := f.gets
	if f.standsIn() {
		want = answer{status: http.StatusOK, body: "old"}
		assert.Contains(w, g.cache, "detail=stale-if-error")
	}
	assert.Equal(w, want, g.answer)
	o.disarm()
	kept := answer{status: http.StatusOK, body: "old"}
	if f.stored {
		kept = f.gets
	}
	g = w.ask(f.host(), stalePath, "Cache-Control", "only-if-cached, max-stale")
	assert.Equal(w, kept, g.answer, "what was stored is still there, unless a good answer took its place")
	w.again(f, stalePath, f.gets)
}

// post is a request of a method that is never sent twice, and nothing stands in for.
func (w *world) post(f fault, o *origin) {
	assert.Equal(w, f.gets, w.meet(f, o, http.MethodPost, postPath).answer)
	o.disarm()
	g := w.ask(f.host(), postPath)
	assert.Equal(w, good, g.answer, "the answer to a POST is not stored")
}
