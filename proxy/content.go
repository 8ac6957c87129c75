package proxy

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
)

// withBody gives the request its content, which streams.
func (x *exchange) withBody(out *http.Request) {
	// The library would throw away what is left of the content at the first byte
	// of the answer, under the hands of the transport that is still sending it.
	_ = http.NewResponseController(x.w).EnableFullDuplex()
	out.ContentLength = x.r.ContentLength
	x.content = x.newContent()
	x.content.trailer = x.c.trailing(x.r.Trailer)
	out.Body = x.content
	out.Trailer = x.content.trailer
	// To keep its connection the transport would send the content even after a
	// final answer, and reading it here tells the client to go on.
	out.Close = httpguts.HeaderValuesContainsToken(x.r.Header["Expect"], "100-continue")
}

// refuseContent answers a request that says it has more content than it may.
func (x *exchange) refuseContent() {
	_ = http.NewResponseController(x.w).EnableFullDuplex()
	x.content = x.newContent()
	x.fail(policy.ContentTooLarge)
	x.hurry()
}

// content is the content of a client's request. The server closes it at the end
// of the exchange; to close it waits for what the client has not sent yet, for
// which the transport has no time when the origin cannot be reached.
type content struct {
	mu      sync.Mutex // held while a read waits for the client
	body    io.Reader
	r       *http.Request // of which the trailer is known at the end
	trailer http.Header   // what of it was announced and is passed on; nil without
	most    int64         // bytes; 0 = any
	count   int64         // bytes so far
	pace    pace
	came    atomic.Bool   // something has, so that the client does not wait for 100 (Continue)
	over    atomic.Bool   // nobody reads any more
	read    atomic.Bool   // to its end, and that was a true one
	ended   atomic.Uint32 // otherwise: the policy.Reason why
}

func (x *exchange) newContent() *content {
	return &content{
		body: x.r.Body, r: x.r, most: x.c.MaxContent,
		pace: pace{time: x.c.ContentTime, deadline: http.NewResponseController(x.w).SetReadDeadline},
	}
}

// fault returns why the content ended before its end, as far as that is the
// client's doing.
func (c *content) fault() policy.Reason {
	if c == nil {
		return policy.ReasonNone
	}
	return policy.Reason(c.ended.Load())
}

var errTooMuch = errors.New("the content is larger than is accepted")

func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	began := c.pace.begin()
	if c.over.Load() { // this may have taken off the deadline that hurry has set
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := c.body.Read(p)
	c.came.Store(true)
	c.pace.end(began, n, err)
	if c.count += int64(n); c.most > 0 && c.count > c.most {
		c.ended.Store(uint32(policy.ContentTooLarge))
		return 0, errTooMuch
	}
	switch {
	case err == nil || c.over.Load():
	case err == io.EOF: // after another error nobody knows where the next request begins
		for name := range c.trailer {
			c.trailer[name] = c.r.Trailer[name]
		}
		c.read.Store(true)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.ended.Store(uint32(policy.RequestTimeout))
	default:
		c.ended.Store(uint32(policy.BadRequest))
	}
	return n, err
}

func (*content) Close() error { return nil }

// settle waits for a read that is about to say why it failed: the library ends the
// request's context before its error arrives here.
func (c *content) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
}

// pace is the time that a client has for its content: so long for each slice.
type pace struct {
	time     time.Duration // 0 = any
	deadline func(time.Time) error
	left     time.Duration // of the time for this slice
	got      int           // of it
}

// begin gives the next read what is left of the time. Time counts only while
// somebody reads: an origin may take the content as slowly as it likes.
func (p *pace) begin() (now time.Time) {
	if p.time <= 0 {
		return now
	}
	if p.left <= 0 {
		p.left, p.got = p.time, 0
	}
	now = time.Now()
	_ = p.deadline(now.Add(p.left))
	return now
}

func (p *pace) end(began time.Time, n int, err error) {
	switch {
	case p.time <= 0:
	case err != nil: // from here on the server reads, to see whether the client leaves
		_ = p.deadline(time.Time{})
	default:
		p.left = max(1, p.left-time.Since(began))
		if p.got += n; p.got >= slice {
			p.left = 0
		}
	}
}
