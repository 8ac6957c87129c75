package h2

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
)

// TestUse: what looks like abuse but comes with requests, or slowly, is not.
func TestUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/wait":
				<-r.Context().Done()
			case "/large":
				_, _ = w.Write(make([]byte, 4*noiseBurst*4096))
			}
		})})
		id := uint32(1)
		for range 3 * resetBurst {
			c.get(id, "/")
			c.answer(id)
			c.get(id+2, "/wait")
			c.wrote(c.fr.WriteRSTStream(id+2, http2.ErrCodeCancel))
			c.wrote(c.fr.WritePing(false, [8]byte{}))
			c.wrote(c.fr.WriteWindowUpdate(0, 1))
			id += 4
		}
		c.get(id, "/large")
		for read, end := 0, false; !end; { // some clients say of every few KiB that they read them
			g := c.expect(http2.FrameData)
			read, end = read+len(g.Data), g.End
			for ; read >= 4096; read -= 4096 {
				c.wrote(c.fr.WriteWindowUpdate(0, 4096))
				c.wrote(c.fr.WriteWindowUpdate(id, 4096))
			}
		}
		id += 2
		for range 2 * noiseBurst {
			c.wrote(c.fr.WritePing(false, [8]byte{}))
			time.Sleep(time.Second / noiseRate)
		}
		c.get(id, "/")
		c.answer(id)
	})
}

// TestHandlersAreBounded: not even by resetting streams does a client get more
// handlers than it may have streams.
func TestHandlersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		goOn := make(chan struct{})
		c := connect(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			running.Add(1)
			<-goOn // it does not look at its context
		})})
		for n := range uint32(maxStreams + 50) {
			c.get(2*n+1, "/")
			c.wrote(c.fr.WriteRSTStream(2*n+1, http2.ErrCodeCancel))
		}
		synctest.Wait()
		assert.EqualValues(t, maxStreams, running.Load())
		assert.Equal(t, http2.ErrCodeRefusedStream, c.expect(http2.FrameRSTStream).Code)
		close(goOn)
		synctest.Wait()
		c.get(1001, "/")
		c.answer(1001)
	})
}

// TestTooManyStreams: more than were allowed are refused, and may be tried again.
func TestTooManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		c := connect(t, &Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-goOn })})
		c.wrote(c.fr.WriteSettingsAck())
		for n := range uint32(maxStreams + 1) {
			c.get(2*n+1, "/")
		}
		g := c.expect(http2.FrameRSTStream)
		assert.Equal(t, http2.ErrCodeRefusedStream, g.Code)
		assert.EqualValues(t, 2*maxStreams+1, g.ID)
		close(goOn)
		c.answer(2*maxStreams - 1)
		synctest.Wait()
		c.get(2*maxStreams+3, "/")
		c.answer(2*maxStreams + 3)
	})
}

// TestAnswersThatAreNotRead: what waits for a client that does not read is
// bounded, whatever it asks for.
func TestAnswersThatAreNotRead(t *testing.T) {
	for _, tc := range []struct {
		name string
		most int
		send func(*client, uint32) error
	}{
		{"PING", maxControl + 100, func(c *client, _ uint32) error { return c.fr.WritePing(false, [8]byte{}) }},
		{"HEAD", 3*maxStreams + resetBurst, func(c *client, n uint32) error {
			return c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*n + 1, EndStream: true, EndHeaders: true, BlockFragment: c.encode(
				":method", "HEAD", ":scheme", "http", ":authority", "example.com", ":path", "/")})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := mute(t, &Server{Handler: text("")})
				c.wrote(c.fr.WriteSettingsAck())
				n := uint32(0)
				for tc.send(c, n) == nil {
					n++
				}
				assert.LessOrEqual(t, int(n), tc.most)
			})
		})
	}
}
