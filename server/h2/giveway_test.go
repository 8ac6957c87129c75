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

// yielding is a client, and the connection that the server has with it.
func yielding(t *testing.T, s *Server) (*client, *Conn) {
	ours, theirs := net.Pipe()
	k := s.Conn(context.Background(), theirs)
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Serve()
	}()
	t.Cleanup(func() {
		ours.Close()
		<-done
	})
	c := &client{t: t, conn: ours, frames: make(chan got, 100)}
	c.start()
	return c, k
}

// TestGiveWay: a connection without streams ends at once, and says which stream was
// the last.
func TestGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		c, k := yielding(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-goOn
			_, _ = io.WriteString(w, "answer")
		})})
		busy := func(why string) {
			t.Helper()
			synctest.Wait()
			_, idle := k.IdleSince()
			assert.False(t, idle, why)
			assert.False(t, k.GiveWay(), why)
		}
		busy("the client has not said hello")
		go c.read()
		c.hello()
		c.get(1, "/")
		busy("a stream is open")
		close(goOn)
		_, body := c.answer(1)
		assert.Equal(t, "answer", body)
		asked := time.Now()
		time.Sleep(time.Minute) // its buffers are gone
		synctest.Wait()
		since, idle := k.IdleSince()
		assert.True(t, idle)
		assert.Equal(t, asked, since)
		began := time.Now()
		assert.True(t, k.GiveWay())
		busy("it has given way")
		g := c.expect(http2.FrameGoAway)
		assert.EqualValues(t, 1, g.Last)
		assert.Equal(t, http2.ErrCodeNo, g.Code)
		_, ok := c.next(http2.FrameHeaders, http2.FrameGoAway)
		assert.False(t, ok, "the connection has ended")
		assert.Zero(t, time.Since(began))
	})
}

// TestGiveWayOfAClientThatDoesNotRead does not take long.
func TestGiveWayOfAClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := yielding(t, &Server{Write: time.Minute, Handler: text("")})
		stop := make(chan struct{})
		go func() { // what greets it, and no more
			defer close(stop)
			for range 3 {
				_, _ = c.fr.ReadFrame()
			}
		}()
		c.hello()
		<-stop
		synctest.Wait()
		began := time.Now()
		require.True(t, k.GiveWay())
		synctest.Wait()
		time.Sleep(giveWayTime)
		synctest.Wait()
		_, err := c.conn.Write([]byte{0})
		assert.ErrorIs(t, err, io.ErrClosedPipe)
		assert.Equal(t, giveWayTime, time.Since(began))
	})
}

// TestGiveWayWithAHeaderOnItsWay: what was not read whole the client may send elsewhere.
func TestGiveWayWithAHeaderOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, k := yielding(t, &Server{ReadHeader: time.Minute, Handler: text("")})
		go c.read()
		c.hello()
		_, _ = c.conn.Write([]byte{0, 0, 8, byte(http2.FrameHeaders)})
		synctest.Wait()
		assert.True(t, k.GiveWay())
		assert.EqualValues(t, 0, c.expect(http2.FrameGoAway).Last)
		_, ok := c.next(http2.FrameHeaders)
		assert.False(t, ok)
	})
}
