package revalidate

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/policy"
)

// forward starts a request that is passed on by itself.
func (b *bubble) forward(method, path string, fields ...string) *client {
	j := b.job(method, path, fields...)
	ctx, cancel := context.WithCancel(b.Context())
	c := &client{b: b, cancel: cancel, done: make(chan struct{})}
	go c.run(func() (*Answer, error) { return b.f.Forward(ctx, j) }, ctx)
	synctest.Wait()
	return c
}

// post starts a POST whose answer has begun with the word "half".
func (b *bubble) post(path string, response ...string) *client {
	c := b.forward(http.MethodPost, path)
	b.next().respond(200, response...).send("half")
	return c
}

func TestForward(t *testing.T) {
	inBubble(t, func(b *bubble) {
		one, two := b.forward("DELETE", "/a"), b.forward("DELETE", "/a")
		b.next().respond(200, "Cache-Control: max-age=60").send("1").end()
		b.next().respond(404).send("2").end()
		a := one.complete("1")
		assert.Equal(t, policy.MethodNotStored, a.Refused)
		assert.False(t, a.Stored)
		assert.Equal(t, "right", a.Trailer().Get("Checksum"))
		assert.Equal(t, 404, two.complete("2").Status)
		assert.Equal(t, "", b.stored("/a"))
	})
}

// TestForwardOfWhatMightBeStored: why a GET or HEAD is passed on is another's reason.
func TestForwardOfWhatMightBeStored(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for _, method := range []string{"GET", "HEAD"} {
			c := b.forward(method, "/a")
			b.next().respond(200, "Cache-Control: max-age=60").end()
			a := c.complete("")
			assert.Equal(t, policy.ReasonNone, a.Refused, method)
			assert.False(t, a.Stored, method)
		}
		assert.Equal(t, "", b.stored("/a"))
	})
}

func TestForwardFails(t *testing.T) {
	inBubble(t, func(b *bubble) {
		broken := b.forward("PUT", "/a")
		b.next().fail <- errors.New("nonsense")
		broken.failed(policy.OriginInvalid)
		left := b.forward("PUT", "/a")
		c := b.next()
		left.leave()
		left.failed(policy.ClientGone)
		assert.Error(t, c.ctx.Err())
		amid := b.forward("PUT", "/a")
		c = b.next().respond(200).send("x")
		amid.leave()
		assert.Error(t, amid.bodyErr)
		assert.True(t, c.body.isClosed())
	})
}

func TestAnswerToPostIsStored(t *testing.T) {
	inBubble(t, func(b *bubble) {
		cl := b.forward("POST", "/a")
		c := b.next().respond(200, "Cache-Control: max-age=60", "Content-Location: http://site.test/a").send("half ")
		assert.Equal(t, "half ", cl.has())
		assert.Equal(t, "", b.stored("/a"))
		c.send("whole").end()
		assert.True(t, cl.complete("half whole").Stored)
		assert.Equal(t, "half whole", b.stored("/a"))
		assert.Equal(t, "right", cl.answer.Trailer().Get("Checksum"))
		assert.Equal(t, policy.ReasonNone, cl.answer.Late())
	})
}

func TestAnswerToPostIsNotStored(t *testing.T) {
	storable := []string{"Cache-Control: max-age=60", "Content-Location: /a"}
	for name, act := range map[string]func(b *bubble) *client{
		"the client leaves": func(b *bubble) *client {
			cl := b.post("/a", storable...)
			cl.leave()
			return cl
		},
		"it breaks off": func(b *bubble) *client {
			cl := b.forward("POST", "/a")
			b.next().respond(200, storable...).send("half").breakOff(io.ErrUnexpectedEOF)
			return cl
		},
		"it is invalidated on its way": func(b *bubble) *client {
			cl := b.forward("POST", "/a")
			c := b.next().respond(200, storable...).send("half")
			b.f.Invalidate("http://site.test/a")
			c.end()
			return cl
		},
		"it grows too large": func(b *bubble) *client {
			cl := b.forward("POST", "/a")
			b.next().respond(200, storable...).send(strings.Repeat("x", 2*maxObject)).end()
			return cl
		},
		"it says nothing of its location": func(b *bubble) *client {
			cl := b.forward("POST", "/a")
			b.next().respond(200, "Cache-Control: max-age=60").end()
			return cl
		},
		"the request forbids it": func(b *bubble) *client {
			cl := b.forward("POST", "/a", "Cache-Control: no-store")
			b.next().respond(200, storable...).end()
			return cl
		},
		"the fetcher is closed": func(b *bubble) *client {
			cl := b.forward("POST", "/a")
			c := b.next()
			b.f.Close()
			c.respond(200, storable...).end()
			return cl
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				cl := act(b)
				assert.False(t, cl.isWaiting())
				assert.Equal(t, "", b.stored("/a"))
			})
		})
	}
}

// eagerOrigin answers with interim responses, one of them after the exchange
// is over, as a connection may that still reads when the client has left.
type eagerOrigin struct{ scriptedOrigin }

func (o *eagerOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(r.Context())
	hint := textproto.MIMEHeader{"Link": {"</style>"}, "Connection": {"x-hop"}, "X-Hop": {"1"}}
	_ = trace.Got1xxResponse(103, hint)
	go func() {
		time.Sleep(time.Second)
		_ = trace.Got1xxResponse(103, hint)
	}()
	return nil, context.Canceled
}

func TestInterimResponsesEndWithTheExchange(t *testing.T) {
	inBubble(t, func(b *bubble) {
		j := b.job("PUT", "/a")
		j.Origin = &eagerOrigin{}
		var got []http.Header
		j.Interim = func(_ int, h http.Header) { got = append(got, h) }
		_, err := b.f.Forward(b.Context(), j)
		assert.Error(t, err)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.Equal(t, []http.Header{{"Link": {"</style>"}}}, got)
	})
}
