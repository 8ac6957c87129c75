package revalidate

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
)

// bubble is a fetcher before a scripted origin, in a synctest bubble.
type bubble struct {
	*testing.T
	f      *Fetcher
	store  cache.Store[Kept]
	origin *scriptedOrigin
	rules  policy.Rules
}

const maxObject = 1 << 20

var errNoRoute = &net.OpError{Op: "dial", Err: errors.New("no route")}

// inBubble runs a test and then checks that nothing is left behind: no flight,
// no entry in a map, no open body, no context, no goroutine (or the bubble
// itself reports a deadlock).
func inBubble(t *testing.T, fn func(b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, err := cache.New[Kept](cache.Options{MaxCost: 64 << 20})
		require.NoError(t, err)
		b := &bubble{
			T: t, store: store, rules: policy.DefaultRules(),
			f:      New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4}),
			origin: &scriptedOrigin{t: t, calls: make(chan *call, 2000)},
		}
		fn(b)
		synctest.Wait()
		b.origin.mu.Lock()
		for i, c := range b.origin.all {
			assert.Error(t, c.ctx.Err(), "the context of exchange %d is freed", i)
			assert.True(t, c.body == nil || c.body.isClosed(), "the body of exchange %d is closed", i)
		}
		b.origin.mu.Unlock()
		b.f.Close()
		assert.Empty(t, b.f.flights)
		assert.Empty(t, b.f.active)
		assert.Zero(t, b.f.Stats().Running)
		assert.Zero(t, b.f.Stats().Waiting)
		assert.Empty(t, b.origin.calls, "exchanges that nobody expected")
		require.NoError(t, store.Close())
	})
}

// client is one request to the fetcher.
type client struct {
	b      *bubble
	cancel context.CancelFunc
	done   chan struct{} // it has all it will get
	mu     sync.Mutex
	got    []byte

	answer  *Answer
	err     error // of Do
	bodyErr error // of the content
}

// job is a GET (or what the fields say) as the proxy would make it.
func (b *bubble) job(method, path string, fields ...string) *Job {
	h := fieldsOf(fields)
	target := &url.URL{Scheme: "http", Host: "site.test", Path: path}
	facts := policy.NewRequest(method, h)
	req := &http.Request{Method: method, URL: &url.URL{Scheme: "http", Host: "origin.test", Path: path}, Header: h.Clone(), Host: "site.test"}
	j := &Job{Key: policy.Key(target), Target: target, Facts: facts, Request: req, Origin: b.origin, Alone: facts.Directives.Newer()}
	j.Arrived = func(*http.Response) *policy.Rules { return &b.rules }
	var stored []*policy.Stored
	j.Resource, stored = b.f.Lookup(j.Key)
	j.Decision = policy.Judge(facts, stored, time.Now())
	return j
}

// get starts a GET that reads its answer to the end.
func (b *bubble) get(path string, fields ...string) *client {
	return b.do(b.job(http.MethodGet, path, fields...))
}

func (b *bubble) do(j *Job) *client {
	ctx, cancel := context.WithCancel(b.Context())
	c := &client{b: b, cancel: cancel, done: make(chan struct{})}
	go c.run(func() (*Answer, error) { return b.f.Do(ctx, j) }, ctx)
	synctest.Wait()
	return c
}

func (c *client) run(ask func() (*Answer, error), ctx context.Context) {
	defer close(c.done)
	defer c.cancel()
	a, err := ask()
	c.mu.Lock()
	c.answer, c.err = a, err
	c.mu.Unlock()
	if a == nil {
		return
	}
	if a.Entry != nil {
		_ = a.Entry.Body.Each(0, a.Entry.Body.Size(), c.take)
		return
	}
	defer a.Body.Close()
	for {
		b, err := a.Body.Next(ctx)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			c.bodyErr = err
			return
		}
		_ = c.take(b)
	}
}

func (c *client) take(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, b...)
	return nil
}

// has is what the client has of the content by now.
func (c *client) has() string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.got)
}

// leave goes away, whatever is still to come.
func (c *client) leave() {
	c.cancel()
	<-c.done
	synctest.Wait()
}

func (c *client) isWaiting() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// complete asserts that the client has all of the content.
func (c *client) complete(want string) *Answer {
	c.b.Helper()
	require.False(c.b, c.isWaiting(), "the client still waits")
	require.NoError(c.b, c.err)
	require.NoError(c.b, c.bodyErr)
	require.Equal(c.b, len(want), len(c.got))
	require.True(c.b, want == string(c.got), "the content differs")
	return c.answer
}

// failed asserts that the client got no answer.
func (c *client) failed(want policy.Reason) *Failure {
	c.b.Helper()
	require.False(c.b, c.isWaiting(), "the client still waits")
	var f *Failure
	require.ErrorAs(c.b, c.err, &f)
	assert.Equal(c.b, want.String(), f.Reason.String())
	return f
}

// stored is the content of what is stored for a path, as a request with the
// fields selects it; "" when there is nothing.
func (b *bubble) stored(path string, fields ...string) string {
	b.Helper()
	j := b.job(http.MethodGet, path, fields...)
	e := j.selected()
	if e == nil {
		return ""
	}
	return content(e.Body)
}

// fill stores a response through an exchange of its own.
func (b *bubble) fill(path, body string, fields ...string) {
	b.Helper()
	c := b.get(path)
	b.next().respond(200, fields...).send(body).end()
	c.complete(body)
}

func content(body Body) string {
	var s strings.Builder
	_ = body.Each(0, body.Size(), func(b []byte) error { s.Write(b); return nil })
	return s.String()
}

func fieldsOf(lines []string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ": ")
		if !ok {
			panic("write Name: value, not " + line)
		}
		h.Add(name, value)
	}
	return h
}

func lengthOf(h http.Header) int64 {
	var n int64
	for _, c := range h.Get("Content-Length") {
		n = n*10 + int64(c-'0')
	}
	return n
}
