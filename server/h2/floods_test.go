package h2

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"
)

// flood is something of which a client may send so many at once, and then no more
// than come back with time.
type flood struct {
	name string
	most int
	send func(c *client, n uint32)
}

// floods are what costs more than it brings.
var floods = []flood{
	{"rapid reset", resetBurst, func(c *client, n uint32) { // CVE-2023-44487
		c.get(2*n+1, "/wait")
		c.wrote(c.fr.WriteRSTStream(2*n+1, http2.ErrCodeCancel))
	}},
	{"malformed requests", resetBurst, func(c *client, n uint32) { c.get(2*n+1, "no path") }},
	{"empty HEADERS", resetBurst, func(c *client, n uint32) { c.headers(2*n+1, true) }},
	{"streams beyond their number", resetBurst, func(c *client, n uint32) {
		if n == 0 {
			c.wrote(c.fr.WriteSettingsAck())
			for id := uint32(1); id <= maxStreams; id++ {
				c.get(2*id-1, "/wait")
			}
		}
		c.get(2*(n+maxStreams)+1, "/wait")
	}},
	{"streams beyond their number, before SETTINGS are acknowledged", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			for id := uint32(1); id <= maxStreams; id++ {
				c.get(2*id-1, "/wait")
			}
		}
		c.get(2*(n+maxStreams)+1, "/wait")
	}},
	{"PING", noiseBurst, func(c *client, _ uint32) { c.wrote(c.fr.WritePing(false, [8]byte{})) }},
	{"PING ACK", noiseBurst, func(c *client, _ uint32) { c.wrote(c.fr.WritePing(true, [8]byte{})) }},
	{"SETTINGS", noiseBurst, func(c *client, _ uint32) { c.wrote(c.fr.WriteSettings()) }},
	{"SETTINGS ACK", noiseBurst, func(c *client, _ uint32) { c.wrote(c.fr.WriteSettingsAck()) }},
	{"SETTINGS with many settings", noiseBurst / 101, func(c *client, _ uint32) {
		c.wrote(c.fr.WriteSettings(make([]http2.Setting, 100)...))
	}},
	{"SETTINGS that open and close all windows", noiseBurst / 3, func(c *client, n uint32) {
		if n == 0 {
			c.get(1, "/large")
		}
		c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}))
	}},
	{"SETTINGS of the header table", noiseBurst / 3, func(c *client, _ uint32) {
		c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0},
			http2.Setting{ID: http2.SettingHeaderTableSize, Val: 1<<32 - 1}))
	}},
	{"PRIORITY", noiseBurst, func(c *client, n uint32) {
		c.wrote(c.fr.WritePriority(2*n+3, http2.PriorityParam{StreamDep: 2*n + 3}))
	}},
	{"unknown frames", noiseBurst, func(c *client, _ uint32) { c.wrote(c.fr.WriteRawFrame(0x99, 0, 0, nil)) }},
	{"GOAWAY", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.get(1, "/wait")
		}
		c.wrote(c.fr.WriteGoAway(0, http2.ErrCodeNo, make([]byte, 1000)))
	}},
	{"requests after GOAWAY", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.get(1, "/wait")
			c.wrote(c.fr.WriteGoAway(0, http2.ErrCodeNo, nil))
			c.pong()
		}
		c.get(2*n+3, "/")
	}},
	{"RST_STREAM of what is over", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.get(1, "/")
			c.answer(1)
		}
		c.wrote(c.fr.WriteRSTStream(1, http2.ErrCodeCancel))
	}},
	{"window updates of a byte", noiseBurst, func(c *client, _ uint32) { c.wrote(c.fr.WriteWindowUpdate(0, 1)) }},
	{"window updates for nothing that was sent", noiseBurst, func(c *client, _ uint32) { c.wrote(c.fr.WriteWindowUpdate(0, 4096)) }},
	{"window updates of a stream for nothing that was sent", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.get(1, "/wait")
		}
		c.wrote(c.fr.WriteWindowUpdate(1, 4096))
	}},
	{"window updates of what is over", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.get(1, "/")
			c.answer(1)
		}
		c.wrote(c.fr.WriteWindowUpdate(1, 4096))
	}},
	{"empty DATA", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.request(1, "POST", "/wait", false)
		}
		c.data(1, false, "")
	}},
	{"DATA of padding", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.request(1, "POST", "/wait", false)
		}
		c.wrote(c.fr.WriteDataPadded(1, false, nil, make([]byte, 10)))
	}},
	{"DATA of what was reset", noiseBurst, func(c *client, n uint32) {
		if n == 0 {
			c.request(1, "POST", "/", false, "connection", "close")
		}
		c.data(1, false, "x")
	}},
}

// provocations make us reset a stream that was answered well so far
// (CVE-2025-8671, MadeYouReset).
var provocations = map[string]func(c *client, id uint32){
	"window update of 0": func(c *client, id uint32) {
		c.wrote(c.fr.WriteRawFrame(http2.FrameWindowUpdate, 0, id, make([]byte, 4)))
	},
	"window too large":   func(c *client, id uint32) { c.wrote(c.fr.WriteWindowUpdate(id, maxWindow)) },
	"DATA after the end": func(c *client, id uint32) { c.data(id, true, "x") },
	"HEADERS after the end": func(c *client, id uint32) {
		c.headers(id, true, "x", "y")
	},
}

// contents are provocations that need content to come.
var contents = map[string]func(c *client, id uint32){
	"more than content-length": func(c *client, id uint32) { c.data(id, false, "more") },
	"less than content-length": func(c *client, id uint32) { c.data(id, true, "m") },
	"a trailer with a pseudo-header field": func(c *client, id uint32) {
		c.headers(id, true, ":path", "/")
	},
	"a trailer without an end": func(c *client, id uint32) { c.headers(id, false, "x", "y") },
}

func allFloods() []flood {
	all := floods
	for name, provoke := range provocations {
		all = append(all, flood{"provoked reset: " + name, resetBurst, func(c *client, n uint32) {
			c.get(2*n+1, "/wait")
			provoke(c, 2*n+1)
		}})
	}
	for name, provoke := range contents {
		all = append(all, flood{"provoked reset: " + name, resetBurst, func(c *client, n uint32) {
			c.request(2*n+1, "POST", "/wait", false, "content-length", "2")
			provoke(c, 2*n+1)
		}})
	}
	return all
}

// TestFloods: what costs more than it brings ends the connection, and no other.
// A first burst is allowed.
func TestFloods(t *testing.T) {
	for _, f := range allFloods() {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch r.URL.Path {
					case "/wait":
						<-r.Context().Done()
					case "/large":
						_, _ = w.Write(make([]byte, 1<<20))
					}
				})}
				c, other := connect(t, s), connect(t, s)
				first := uint32(f.most - f.most/10)
				for n := range first {
					f.send(c, n)
				}
				synctest.Wait()
				c.wrote(c.fr.WritePing(false, [8]byte{7}))
				for c.expect(http2.FramePing).Data[0] != 7 { // it lives
				}
				other.get(1, "/")
				other.answer(1)
				for n := range uint32(f.most) {
					f.send(c, first+n)
				}
				for c.expect(http2.FrameGoAway).Code != http2.ErrCodeEnhanceYourCalm {
				}
				_, ok := c.next(http2.FrameHeaders)
				assert.False(t, ok, "the connection ends")
				other.get(3, "/")
				other.answer(3)
			})
		})
	}
}

// TestHeaderThatDoesNotEnd: neither in frames nor in time.
func TestHeaderThatDoesNotEnd(t *testing.T) {
	begin := func(c *client) {
		c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndStream: true, BlockFragment: c.encode(
			":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/")}))
	}
	for name, block := range map[string]string{
		"nothing":       "",
		"the same":      strings.Repeat("\x82", 100),
		"a new size":    "\x20",
		"a large field": "\x00\x01x\x7f\x80\x80\x01" + strings.Repeat("y", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{Handler: text("")}
				c, other := connect(t, s), connect(t, s)
				begin(c)
				for range maxContinuations + 1 {
					c.wrote(c.fr.WriteContinuation(1, false, []byte(block)))
				}
				g := c.expect(http2.FrameGoAway)
				assert.Contains(t, []http2.ErrCode{http2.ErrCodeEnhanceYourCalm, http2.ErrCodeCompression}, g.Code)
				other.get(1, "/")
				other.answer(1)
			})
		})
	}
	t.Run("drip", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s := &Server{Handler: text(""), ReadHeader: 5 * time.Second}
			c, other := connect(t, s), connect(t, s)
			begin(c)
			for c.fr.WriteContinuation(1, false, []byte("\x82")) == nil {
				time.Sleep(time.Second)
			}
			assert.LessOrEqual(t, time.Since(start), 6*time.Second, "a frame does not prolong it")
			other.get(1, "/")
			other.answer(1)
		})
	})
}

// TestAnswersBeforeAHeaderInParts go out, although the header does not end yet.
func TestAnswersBeforeAHeaderInParts(t *testing.T) {
	s := cached(t, nil)
	connect(t, s).get(1, "/100")
	c := connect(t, s)
	c.get(1, "/100")
	c.answer(1)
	var frames strings.Builder // in one write
	fr := http2.NewFramer(&frames, nil)
	block := c.encode(":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "/100")
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, EndStream: true, EndHeaders: true, BlockFragment: block})
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, EndStream: true, BlockFragment: block[:1]})
	_, err := c.conn.Write([]byte(frames.String()))
	c.wrote(err)
	_, body := c.answer(3)
	assert.Len(t, body, 100)
	c.wrote(c.fr.WriteContinuation(5, true, block[1:]))
	c.answer(5)
}
