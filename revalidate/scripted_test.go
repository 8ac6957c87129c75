package revalidate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// scriptedOrigin hands every exchange to the test, which answers it.
type scriptedOrigin struct {
	t     *testing.T
	calls chan *call
	mu    sync.Mutex
	all   []*call
}

// call is one exchange.
type call struct {
	t    *testing.T
	req  *http.Request
	ctx  context.Context
	head chan *http.Response
	fail chan error
	body *scriptedBody
}

var originURL = &url.URL{Scheme: "http", Host: "origin.test"}

func (o *scriptedOrigin) URL() *url.URL { return originURL }

func (o *scriptedOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	c := &call{t: o.t, req: r, ctx: r.Context(), head: make(chan *http.Response), fail: make(chan error)}
	o.mu.Lock()
	o.all = append(o.all, c)
	o.mu.Unlock()
	o.calls <- c
	select {
	case resp := <-c.head:
		return resp, nil
	case err := <-c.fail:
		return nil, err
	case <-c.ctx.Done():
		return nil, c.ctx.Err()
	}
}

// next is the next exchange, which must be under way.
func (b *bubble) next() *call {
	b.Helper()
	synctest.Wait()
	select {
	case c := <-b.origin.calls:
		return c
	default:
		require.FailNow(b, "the origin was not asked")
		return nil
	}
}

// noMore asserts that nobody asks the origin now.
func (b *bubble) noMore() {
	b.Helper()
	synctest.Wait()
	require.Empty(b, b.origin.calls, "the origin was asked once more")
}

// respond sends a response head; fields are written "Name: value". Without a
// Content-Length its length is not known.
func (c *call) respond(status int, fields ...string) *call {
	c.t.Helper()
	h := fieldsOf(fields)
	c.body = &scriptedBody{ctx: c.ctx, more: make(chan struct{}, 1)}
	resp := &http.Response{StatusCode: status, Header: h, Body: c.body, ContentLength: -1, Request: c.req}
	if h.Get("Content-Length") != "" {
		resp.ContentLength = lengthOf(h)
	}
	resp.Trailer = http.Header{}
	c.body.trailer = resp.Trailer
	select {
	case c.head <- resp:
	case <-c.ctx.Done():
		c.body.Close()
	}
	synctest.Wait()
	return c
}

// send sends content.
func (c *call) send(content string) *call {
	c.body.put([]byte(content), nil)
	synctest.Wait()
	return c
}

// end completes the content.
func (c *call) end() {
	c.body.put(nil, io.EOF)
	synctest.Wait()
}

// breakOff ends the content before its time.
func (c *call) breakOff(err error) {
	c.body.put(nil, err)
	synctest.Wait()
}

// scriptedBody is content that arrives as the test says. Its end is seen only
// after all of it was read.
type scriptedBody struct {
	ctx     context.Context
	more    chan struct{}
	hold    chan struct{} // if set, Close waits until it is closed
	trailer http.Header

	mu     sync.Mutex
	chunks [][]byte
	taken  int
	end    error
	closed bool
}

func (s *scriptedBody) put(b []byte, end error) {
	s.mu.Lock()
	if len(b) > 0 {
		s.chunks = append(s.chunks, b)
	}
	s.end = end
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *scriptedBody) Read(p []byte) (int, error) {
	for {
		if n, err := s.take(p); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-s.more:
		case <-s.ctx.Done():
			return 0, s.ctx.Err()
		}
	}
}

func (s *scriptedBody) take(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, errors.New("read on closed body")
	case s.ctx.Err() != nil:
		return 0, s.ctx.Err()
	case len(s.chunks) == 0:
		if s.end == io.EOF {
			s.trailer.Set("Checksum", "right")
		}
		return 0, s.end
	}
	n := copy(p, s.chunks[0])
	s.taken += n
	if s.chunks[0] = s.chunks[0][n:]; len(s.chunks[0]) == 0 {
		s.chunks = s.chunks[1:]
	}
	return n, nil
}

func (s *scriptedBody) Close() error {
	if s.hold != nil {
		<-s.hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *scriptedBody) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}
