package origin

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// content is that of a request over HTTP/2, under watch: it notes why it cannot be
// had, and gives up on an origin that does not take it. net/http closes it when
// it finds no connection; it is not closed until it is known whether it is needed
// for HTTP/1.1.
type content struct {
	body   io.ReadCloser
	limit  time.Duration // for the origin to take a piece
	cancel context.CancelCauseFunc
	timer  *time.Timer
	sized  bool

	mu      sync.Mutex
	left    int64 // of a known length
	begun   bool  // some of it has been asked for
	held    bool  // it is not to be closed yet
	closing bool
	heard   bool // the origin has answered: it may be as slow as it likes
	broken  error
}

func newContent(r *http.Request, limit time.Duration, cancel context.CancelCauseFunc) *content {
	c := &content{body: r.Body, limit: limit, cancel: cancel, sized: r.ContentLength > 0, left: r.ContentLength, held: true}
	c.timer = time.AfterFunc(limit, c.expire)
	c.timer.Stop()
	return c
}

func (c *content) expire() {
	c.cancel(timedOut(WriteTimeout, "nothing of the request's content taken for", c.limit))
}

func (c *content) Read(p []byte) (int, error) {
	c.timer.Stop()
	c.mu.Lock()
	c.begun = true
	c.mu.Unlock()
	n, err := c.body.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left -= int64(n)
	switch {
	case c.sized && c.left < 0:
		c.broken = failed(Canceled, "the request's content is longer than its Content-Length")
	case c.sized && err == io.EOF && c.left > 0:
		c.broken = failed(Canceled, "the request's content is %d bytes short: %w", c.left, io.ErrUnexpectedEOF)
	case err != nil && err != io.EOF:
		c.broken = failed(Canceled, "reading the request's content: %w", err)
	}
	if c.broken != nil {
		return 0, c.broken
	}
	if c.heard {
		return n, err
	}
	limit := c.limit
	if err == io.EOF {
		limit *= 2 // the time for the response begins when the last piece is sent
	}
	c.timer.Reset(limit)
	return n, err
}

func (c *content) Close() error {
	c.timer.Stop()
	c.mu.Lock()
	if c.held && !c.begun {
		c.closing = true
		c.mu.Unlock()
		return nil
	}
	c.mu.Unlock()
	return c.body.Close()
}

// answered notes that there is an answer, or an end without one. nil can be asked too.
func (c *content) answered() {
	if c == nil {
		return
	}
	c.timer.Stop()
	c.mu.Lock()
	c.heard, c.held = true, false
	closing := c.closing
	c.mu.Unlock()
	if closing {
		c.body.Close()
	}
}

// failure returns why the content broke off, if it did.
func (c *content) failure() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}
