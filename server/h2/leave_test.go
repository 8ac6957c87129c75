package h2

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// TestDrain: the end is announced, requests on their way are answered, and
// those after the last word are left alone.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-goOn
			_, _ = io.WriteString(w, r.URL.Path)
		})}
		c := connect(t, s)
		c.get(1, "/before")
		synctest.Wait()
		drained := make(chan error, 1)
		go func() { drained <- s.Drain(context.Background()) }()
		g := c.expect(http2.FrameGoAway)
		assert.EqualValues(t, 1<<31-1, g.Last)
		assert.Equal(t, http2.ErrCodeNo, g.Code)
		c.get(3, "/crossing")
		c.pong()
		assert.EqualValues(t, 3, c.expect(http2.FrameGoAway).Last)
		c.request(5, "POST", "/after", false)
		c.data(5, true, "x")
		c.wrote(c.fr.WriteRSTStream(5, http2.ErrCodeCancel))
		close(goOn)
		bodies := map[uint32]string{}
		for len(bodies) < 2 {
			if g := c.expect(http2.FrameData, http2.FrameRSTStream); len(g.Data) > 0 {
				bodies[g.ID] = string(g.Data)
			}
		}
		assert.Equal(t, map[uint32]string{1: "/before", 3: "/crossing"}, bodies)
		assert.NoError(t, <-drained)
		_, ok := c.next(http2.FrameHeaders)
		assert.False(t, ok)
		late := open(t, s)
		_, err := late.conn.Read(make([]byte, 1))
		assert.Error(t, err, "no connection is taken any more")
	})
}

// pong answers the PING of a drain.
func (c *client) pong() {
	c.t.Helper()
	g := c.expect(http2.FramePing)
	require.False(c.t, g.Ack)
	c.wrote(c.fr.WritePing(true, [8]byte(g.Data)))
}

// TestDrainOfIdleConnections does not wait long for clients that say nothing.
func TestDrainOfIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Handler: text("")}
		c := connect(t, s)
		open(t, s) // and one that has said nothing
		synctest.Wait()
		time.Sleep(time.Minute) // its buffers are gone by now
		start := time.Now()
		assert.NoError(t, s.Drain(context.Background()))
		assert.LessOrEqual(t, time.Since(start), goAwayWait+lingerTime)
		c.expect(http2.FrameGoAway)
		assert.EqualValues(t, 0, c.expect(http2.FrameGoAway).Last)
	})
}

func TestDrainCutsWhatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })}
		c := connect(t, s)
		c.get(1, "/")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		assert.ErrorIs(t, s.Drain(ctx), context.DeadlineExceeded)
		_, ok := c.next(http2.FrameHeaders, http2.FrameData)
		assert.False(t, ok)
	})
}

// TestClientLeaves: with GOAWAY a client says that no more requests come.
func TestClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		c := connect(t, &Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-goOn })})
		c.get(1, "/")
		c.wrote(c.fr.WriteGoAway(0, http2.ErrCodeNo, nil))
		time.Sleep(time.Minute)
		close(goOn)
		c.answer(1)
		_, ok := c.next(http2.FrameHeaders)
		assert.False(t, ok)
	})
}

func TestTimeouts(t *testing.T) {
	for _, tc := range []struct {
		name string
		send func(*client)
		want time.Duration
	}{
		{"no preface", func(*client) {}, 5 * time.Second},
		{"half a preface", func(c *client) { _, _ = io.WriteString(c.conn, http2.ClientPreface[:10]) }, 5 * time.Second},
		{"no SETTINGS", func(c *client) { _, _ = io.WriteString(c.conn, http2.ClientPreface) }, 5 * time.Second},
		{"no request", func(c *client) { c.hello() }, 30 * time.Second},
		{"half a frame", func(c *client) {
			c.hello()
			_, _ = c.conn.Write([]byte{0, 0, 8})
		}, 5 * time.Second},
		{"half a frame of a header", func(c *client) {
			c.hello()
			_, _ = c.conn.Write([]byte{0, 0, 8, byte(http2.FrameHeaders), 4, 0, 0, 0, 1, 0x82})
		}, 5 * time.Second},
		{"a header that drips", func(c *client) {
			c.hello()
			_, err := c.conn.Write([]byte{0, 0, 200, byte(http2.FrameHeaders), 4, 0, 0, 0, 1})
			for range 200 {
				if err == nil {
					time.Sleep(100 * time.Millisecond)
					_, err = c.conn.Write([]byte{0x82})
				}
			}
		}, 5 * time.Second},
		{"half a header, when its buffers would go", func(c *client) {
			c.hello()
			time.Sleep(shrinkAfter - time.Second)
			_, _ = c.conn.Write([]byte{0, 0, 8, byte(http2.FrameHeaders)})
		}, shrinkAfter - time.Second + 5*time.Second},
		{"half a header, after the buffers have gone", func(c *client) {
			c.hello()
			time.Sleep(2 * shrinkAfter)
			_, _ = c.conn.Write([]byte{0, 0, 8, byte(http2.FrameHeaders)})
		}, 2*shrinkAfter + 5*time.Second},
		{"frames that come slowly but whole", func(c *client) {
			c.hello()
			for range 5 {
				_, _ = c.conn.Write([]byte{0, 0, 8, byte(http2.FramePing), 0, 0})
				time.Sleep(4 * time.Second)
				_, _ = c.conn.Write([]byte{0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8})
			}
		}, 30 * time.Second},
		{"half a frame of content", func(c *client) {
			c.hello()
			_, _ = c.conn.Write([]byte{0, 0})
			time.Sleep(time.Second)
			_, _ = c.conn.Write([]byte{8, byte(http2.FrameData), 0, 0, 0, 0, 1, 'x'})
		}, 22 * time.Second},
		{"content that drips, with other requests under way", func(c *client) {
			c.hello()
			c.get(1, "/long")
			c.request(3, "POST", "/long", false)
			for _, err := c.conn.Write([]byte{0, 64, 0, byte(http2.FrameData), 0, 0, 0, 0, 3}); err == nil; _, err = c.conn.Write([]byte("x")) {
				time.Sleep(time.Second)
			}
		}, 21 * time.Second},
		{"content in its time", func(c *client) {
			c.hello()
			c.request(1, "POST", "/long", false)
			for range 4 {
				_, err := c.conn.Write([]byte{0, 0, 1, byte(http2.FrameData), 0, 0, 0, 0, 1})
				c.wrote(err)
				time.Sleep(20 * time.Second)
				_, err = c.conn.Write([]byte{'x'})
				c.wrote(err)
			}
		}, 130 * time.Second},
		{"half a header", func(c *client) {
			c.hello()
			c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.encode(":method", "GET")}))
		}, 5 * time.Second},
		{"after a request", func(c *client) {
			c.hello()
			time.Sleep(20 * time.Second)
			c.get(1, "/")
			c.answer(1)
			time.Sleep(time.Second)
			c.wrote(c.fr.WritePing(false, [8]byte{})) // does not count
		}, 50 * time.Second},
		{"after a long one", func(c *client) {
			c.hello()
			c.get(1, "/long")
			c.answer(1)
		}, 130 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				c := open(t, &Server{ReadHeader: 5 * time.Second, ReadContent: 20 * time.Second, Idle: 30 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/long" {
						time.Sleep(100 * time.Second)
					}
				})})
				go c.read()
				tc.send(c)
				for {
					if _, ok := c.next(http2.FrameGoAway); !ok {
						break
					}
				}
				took := time.Since(start)
				assert.GreaterOrEqual(t, took, tc.want)
				assert.LessOrEqual(t, took, tc.want+lingerTime)
			})
		})
	}
}

// TestIdleConnectionIsStillServed: that its buffers were given back shows
// nowhere.
func TestIdleConnectionIsStillServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Idle: time.Hour, Handler: text("answer")})
		for id := uint32(1); id < 9; id += 2 {
			c.get(id, "/")
			_, body := c.answer(id)
			assert.Equal(t, "answer", body)
			time.Sleep(20 * time.Second)
			synctest.Wait()
		}
	})
}

// TestHandlersEndBeforeServeConn: Close waits for them.
func TestHandlersEndBeforeServeConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		s := &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			time.Sleep(time.Second)
			ended = true
		})}
		ours, theirs := net.Pipe()
		defer ours.Close()
		served := make(chan struct{})
		go func() {
			s.ServeConn(context.Background(), theirs)
			close(served)
		}()
		c := &client{t: t, conn: ours, frames: make(chan got, 100)}
		c.start()
		go c.read()
		c.hello()
		c.get(1, "/")
		synctest.Wait()
		assert.NoError(t, s.Close())
		assert.True(t, ended)
		<-served
	})
}
