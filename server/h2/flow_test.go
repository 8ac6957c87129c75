package h2

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"

	"cacheproxy/proxy"
)

// large answers with so many bytes.
func large(n int) http.Handler { return text(strings.Repeat("x", n)) }

// TestWindowHoldsContent: no more is sent than the windows allow, and what
// waits goes on when they open.
func TestWindowHoldsContent(t *testing.T) {
	for _, tc := range []struct {
		name string
		size int // of the content
		sent int // at first
		open func(*client)
		more int // after it
	}{
		{"stream", 150_000, 100_000, func(c *client) { c.wrote(c.fr.WriteWindowUpdate(1, 30_000)) }, 30_000},
		{"connection", 1 << 20, 465_535, func(c *client) { c.wrote(c.fr.WriteWindowUpdate(0, 30_000)) }, 30_000},
		{"settings", 150_000, 100_000, func(c *client) {
			c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 120_000}))
		}, 20_000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				initial := uint32(100_000)
				if tc.name == "connection" {
					initial = 1 << 30
				}
				c := connect(t, &Server{Handler: large(tc.size)}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: initial})
				c.wrote(c.fr.WriteWindowUpdate(0, 400_000))
				c.get(1, "/")
				assert.Equal(t, tc.sent, c.received(1))
				tc.open(c)
				assert.Equal(t, tc.more, c.received(1))
				c.wrote(c.fr.WriteWindowUpdate(0, 1<<20))
				c.wrote(c.fr.WriteWindowUpdate(1, 1<<20))
				_, rest := c.answer(1)
				assert.Equal(t, tc.size-tc.sent-tc.more, len(rest))
			})
		})
	}
}

// received returns how much content comes on a stream until nothing more does.
func (c *client) received(id uint32) (n int) {
	time.Sleep(time.Second)
	synctest.Wait()
	for {
		select {
		case g := <-c.frames:
			if g.Type == http2.FrameData && g.ID == id {
				n += len(g.Data)
			}
		default:
			return n
		}
	}
}

// TestShrunkWindow: a window may become negative (RFC 9113, 6.9.2).
func TestShrunkWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: large(70_000)})
		c.wrote(c.fr.WriteWindowUpdate(0, 1<<20))
		c.get(1, "/")
		assert.Equal(t, 65_535, c.received(1))
		c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
		c.wrote(c.fr.WriteWindowUpdate(1, 65_535))
		assert.Zero(t, c.received(1))
		c.wrote(c.fr.WriteWindowUpdate(1, 1))
		assert.Equal(t, 1, c.received(1))
	})
}

// TestSlowReaderHoldsNobodyElse: a stream whose window is closed does not keep
// others from being answered, and those with content take turns.
func TestSlowReaderHoldsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/large" {
				_, _ = w.Write(make([]byte, 1<<20))
			}
			_, _ = io.WriteString(w, "small")
		})}
		c := connect(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 40_000})
		c.wrote(c.fr.WriteWindowUpdate(0, 1<<30))
		c.get(1, "/large")
		assert.Equal(t, 40_000, c.received(1))
		c.get(3, "/small")
		_, body := c.answer(3)
		assert.Equal(t, "small", body)
		c.wrote(c.fr.WriteRSTStream(1, http2.ErrCodeCancel))

		c.get(5, "/large")
		c.get(7, "/large")
		c.received(0)
		c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10 * maxFrame}))
		synctest.Wait()
		var order []uint32
		for range 4 {
			order = append(order, c.expect(http2.FrameData).ID)
		}
		assert.Contains(t, order, uint32(5))
		assert.Contains(t, order, uint32(7))
	})
}

// TestClientThatWritesBeforeItReads: the server reads on while its own writes
// block.
func TestClientThatWritesBeforeItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mute(t, &Server{Handler: large(30_000)})
		for id := uint32(1); id < 200; id += 2 {
			c.get(id, "/")
		}
		c.wrote(c.fr.WriteWindowUpdate(0, 1<<30))
		go c.read()
		for n := 0; n < 100; {
			if c.expect(http2.FrameData).End {
				n++
			}
		}
	})
}

// TestClientThatTakesNothing: its connection is closed after the write timeout.
func TestClientThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		failed := make(chan error, 1)
		c := mute(t, &Server{Write: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			_, err := w.Write(make([]byte, 100_000))
			failed <- err
		})})
		c.get(1, "/")
		assert.ErrorIs(t, <-failed, errGone)
		assert.InDelta(t, 10*time.Second, time.Since(start), float64(2*patience))
	})
}

// TestStreamThatTakesNothing: without a window a stream ends after the write
// timeout, without a deadline of the handler too; the connection lives.
func TestStreamThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := connect(t, &Server{Write: 10 * time.Second, Handler: large(100_000)})
		c.get(1, "/")
		assert.Equal(t, http2.ErrCodeInternal, c.expect(http2.FrameRSTStream).Code)
		assert.Equal(t, 10*time.Second, time.Since(start))
		c.wrote(c.fr.WriteWindowUpdate(0, 1<<20))
		c.wrote(c.fr.WriteWindowUpdate(1, 1<<20))
		c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20}))
		c.get(3, "/")
		_, body := c.answer(3)
		assert.Len(t, body, 100_000)
	})
}

// TestSlowReaders: a client has the write timeout for 64 KiB, and not for any
// byte, whether a handler writes or the whole response is there.
func TestSlowReaders(t *testing.T) {
	const size = 1 << 20
	for _, tc := range []struct {
		name string
		path string
		rate int // bytes in a second that are taken
		want http2.ErrCode
	}{
		{"handler, slow", "/", 1 << 10, http2.ErrCodeInternal},
		{"handler, fast enough", "/", 8 << 10, http2.ErrCodeNo},
		{"whole, slow", "/longer", 1 << 10, http2.ErrCodeCancel},
		{"whole, fast enough", "/longer", 8 << 10, http2.ErrCodeNo},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{Write: 10 * time.Second, Handler: large(size), MaxURI: 5, Refuse: func(dst []byte, _ proxy.Refusal) []byte {
					return append(append(dst, "HTTP/1.1 414 No\r\n\r\n"...), make([]byte, size)...)
				}}
				c := connect(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
				c.wrote(c.fr.WriteWindowUpdate(0, 2*size))
				start := time.Now()
				c.get(1, tc.path)
				for got := 0; got < size; {
					c.wrote(c.fr.WriteWindowUpdate(1, uint32(tc.rate)))
					g := c.expect(http2.FrameData, http2.FrameRSTStream)
					if g.Type == http2.FrameRSTStream {
						assert.Equal(t, tc.want, g.Code)
						assert.LessOrEqual(t, time.Since(start), 11*time.Second)
						return
					}
					got += len(g.Data)
					time.Sleep(time.Second)
				}
				assert.Equal(t, http2.ErrCodeNo, tc.want, "it was served to the end")
			})
		})
	}
}

// TestUploadWaitsForTheHandler: the client may send no more than the window
// before the handler reads.
func TestUploadWaitsForTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		c := connect(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-goOn
			n, err := io.Copy(io.Discard, r.Body)
			assert.NoError(t, err)
			assert.EqualValues(t, 2*streamWindow, n)
		})})
		c.request(1, "POST", "/", false)
		for range streamWindow / maxFrame {
			c.data(1, false, strings.Repeat("x", maxFrame))
		}
		synctest.Wait()
		for len(c.frames) > 0 {
			g := <-c.frames
			assert.False(t, g.Type == http2.FrameWindowUpdate && g.ID == 1)
		}
		close(goOn)
		var more uint32
		for more < streamWindow {
			if g := c.expect(http2.FrameWindowUpdate); g.ID == 1 {
				more += g.More
			}
		}
		for i := range streamWindow / maxFrame {
			c.data(1, i == streamWindow/maxFrame-1, strings.Repeat("x", maxFrame))
		}
		c.answer(1)
	})
}
