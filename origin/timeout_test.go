package origin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeadInTime(t *testing.T) {
	for name, tc := range map[string]struct {
		play func(*peer)
		good bool
	}{
		"just in time":                 {func(p *peer) { time.Sleep(9 * time.Second); p.say(ok) }, true},
		"nothing":                      {func(p *peer) { p.wait() }, false},
		"half":                         {func(p *peer) { p.say("HTTP/1.1 200 OK\r\nA: b"); p.wait() }, false},
		"interim ones give no more":    {func(p *peer) { time.Sleep(6 * time.Second); p.say("HTTP/1.1 102 Wait\r\n\r\n"); p.wait() }, false},
		"nor does a byte now and then": {func(p *peer) { p.say("H"); time.Sleep(6 * time.Second); p.say("T"); p.wait() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := overPipes(t, Options{ResponseHeader: 10 * time.Second}, func(p *peer) {
					if p.head() != nil {
						tc.play(p)
					}
				})
				if tc.good {
					_, body := ask(t, o, s.request("GET", ""))
					assert.Equal(t, "ok", body)
					return
				}
				start := time.Now()
				err := fails(t, o, s.request("GET", ""), Timeout)
				assert.EqualError(t, err, "no response head within 10s: i/o timeout")
				assert.Equal(t, 10*time.Second, time.Since(start))
			})
		})
	}
}

// The time of a body is that between its bytes, however it is framed and read.
func TestBodyInTime(t *testing.T) {
	for name, head := range map[string]string{
		"length": "Content-Length: 30\r\n\r\n",
		"chunks": "Transfer-Encoding: chunked\r\n\r\n30\r\n",
		"to end": "Connection: close\r\n\r\n",
	} {
		for _, how := range []string{"Read", "WriteTo"} {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, o := overPipes(t, Options{Body: 10 * time.Second}, func(p *peer) {
						p.head()
						p.say("HTTP/1.1 200 OK\r\n" + head)
						for range 5 {
							time.Sleep(9 * time.Second)
							p.say("abc")
						}
						p.wait()
					})
					resp, err := o.RoundTrip(s.request("GET", ""))
					require.NoError(t, err)
					start := time.Now()
					var n int64
					if how == "Read" {
						n, err = io.Copy(io.Discard, struct{ io.Reader }{resp.Body})
					} else {
						n, err = resp.Body.(io.WriterTo).WriteTo(io.Discard)
					}
					assert.EqualValues(t, 15, n)
					assert.EqualError(t, err, "origin.test:80: no byte of the body for 10s: i/o timeout")
					assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
					assert.Equal(t, ReadTimeout, Classify(err))
					assert.Equal(t, 55*time.Second, time.Since(start))
					resp.Body.Close()
				})
			})
		}
	}
}

// A client that is slow does not use up the origin's time, and an event stream
// has all the time there is.
func TestBodyWithAllTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{Body: 10 * time.Second}, func(p *peer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
			p.say("def")
			p.head()
			p.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n")
			time.Sleep(time.Hour)
			p.say(chunk("data") + "0\r\n\r\n")
		})
		resp, err := o.RoundTrip(s.request("GET", ""))
		require.NoError(t, err)
		for _, want := range []string{"abc", "def"} {
			time.Sleep(time.Hour)
			b := make([]byte, 3)
			_, err := io.ReadFull(resp.Body, b)
			require.NoError(t, err)
			assert.Equal(t, want, string(b))
		}
		_, body := ask(t, o, s.request("GET", ""))
		assert.Equal(t, "data", body)
		assert.Equal(t, 1, s.connections())
	})
}

// TestCancel: whatever an exchange is waiting for, the end of its context ends it.
func TestCancel(t *testing.T) {
	reason := errors.New("the client left")
	for _, tc := range []struct {
		name string
		play func(*peer)
		body io.ReadCloser // of the request
	}{
		{"while the head is sent", nil, nil},
		{"before the response", func(p *peer) { p.head(); p.wait() }, nil},
		{"amid the head", func(p *peer) { p.head(); p.say("HTTP/1.1 2"); p.wait() }, nil},
		{"after an interim response", func(p *peer) { p.head(); p.say("HTTP/1.1 102 Wait\r\n\r\n"); p.wait() }, nil},
		{"before the body", func(p *peer) { p.head(); p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"); p.wait() }, nil},
		{"amid the body", func(p *peer) { p.head(); p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"); p.wait() }, nil},
		{"amid chunks", func(p *peer) { p.head(); p.say(inChunks + "5\r\nhello"); p.wait() }, nil},
		{"amid a body without end", func(p *peer) { p.head(); p.say("HTTP/1.1 200 OK\r\n\r\nabc"); p.wait() }, nil},
		{"while content is written", func(p *peer) { p.head(); time.Sleep(time.Minute) }, io.NopCloser(endless{})},
		{"while content is awaited", func(p *peer) { p.head(); p.wait() }, silent{}},
		{"with content, before the body", func(p *peer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
			time.Sleep(time.Minute)
		}, io.NopCloser(endless{})},
	} {
		for _, how := range []string{"canceled", "deadline", "with a cause"} {
			t.Run(tc.name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, o := overPipes(t, Options{}, func(p *peer) {
						if tc.play == nil {
							time.Sleep(time.Minute)
							return
						}
						tc.play(p)
					})
					ctx, want := endingIn(t, time.Second, how, reason)
					r := s.request("POST", "").WithContext(ctx)
					if tc.body != nil {
						r.Body, r.ContentLength = tc.body, -1
					}
					start := time.Now()
					err := fails(t, o, r, want)
					assert.Equal(t, time.Second, time.Since(start))
					if how == "with a cause" {
						assert.ErrorIs(t, err, reason)
					}
					time.Sleep(time.Minute) // until the content ends
				})
			})
		}
	}
}

// endingIn returns a context that ends after d, and the failure that makes.
func endingIn(t *testing.T, d time.Duration, how string, cause error) (context.Context, Failure) {
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	switch how {
	case "canceled":
		time.AfterFunc(d, func() { cancel(nil) })
	case "with a cause":
		time.AfterFunc(d, func() { cancel(cause) })
	case "deadline":
		ctx, stop := context.WithTimeout(ctx, d)
		t.Cleanup(stop)
		return ctx, Timeout
	}
	return ctx, Canceled
}

// silent is content that takes a while to say that there is none.
type silent struct{}

func (silent) Read([]byte) (int, error) {
	time.Sleep(time.Minute)
	return 0, io.EOF
}
func (silent) Close() error { return nil }

func TestCancelWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, "http://origin.test", Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, errors.New("no time")
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		fails(t, o, get(t, "http://origin.test").WithContext(ctx), Timeout)
		fails(t, o, get(t, "http://origin.test").WithContext(ctx), Timeout) // at once
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		fails(t, o, get(t, "http://origin.test").WithContext(ctx), Canceled)
	})
}

// The end of a context after its exchange harms nobody: neither the connection
// nor who has it next.
func TestCancelAfterTheEnd(t *testing.T) {
	s, o := overTCP(t, Options{}, always(ok))
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		_, body := ask(t, o, s.request("GET", "").WithContext(ctx))
		assert.Equal(t, "ok", body)
		cancel()
	}
	assert.Equal(t, 1, s.connections())
}

// slowToClose takes a second to close.
type slowToClose struct{ net.Conn }

func (s slowToClose) Close() error {
	time.Sleep(time.Second)
	return s.Conn.Close()
}

// A connection whose context ends just before its response does is about to be
// closed, so nobody else may get it.
func TestCancelJustBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{}, func(p *peer) {
			p.head()
			p.say(inChunks + "2\r\nok\r\n0\r\n\r\n")
			p.head()
			time.Sleep(10 * time.Second)
			p.say(ok)
		})
		dial := o.dialer.dial
		o.dialer.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := dial(ctx, network, addr)
			return slowToClose{nc}, err
		}
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := o.RoundTrip(s.request("GET", "").WithContext(ctx))
		require.NoError(t, err)
		cancel()
		synctest.Wait()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "ok", string(b))
		_, body := ask(t, o, s.request("POST", "")) // which is not tried twice
		assert.Equal(t, "ok", body)
		assert.Equal(t, 2, s.connections())
		time.Sleep(time.Minute)
	})
}

// Close wakes who reads.
func TestCloseWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{}, func(p *peer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
			p.wait()
		})
		resp, err := o.RoundTrip(s.request("GET", ""))
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { resp.Body.Close() })
		start := time.Now()
		_, err = io.Copy(io.Discard, resp.Body)
		assert.Equal(t, http.ErrBodyReadAfterClose, err)
		assert.Equal(t, time.Second, time.Since(start))
	})
}
