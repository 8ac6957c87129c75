package h2

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// TestMalformedRequests: RFC 9113, 8.1.1. The stream is reset, the connection lives.
func TestMalformedRequests(t *testing.T) {
	with := func(more ...string) []string {
		return append([]string{":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "/"}, more...)
	}
	for name, pairs := range map[string][]string{
		"no method":             {":scheme", "http", ":authority", "example.com", ":path", "/"},
		"no scheme":             {":method", "GET", ":authority", "example.com", ":path", "/"},
		"other scheme":          {":method", "GET", ":scheme", "ftp", ":authority", "example.com", ":path", "/"},
		"no path":               {":method", "GET", ":scheme", "http", ":authority", "example.com"},
		"empty path":            {":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", ""},
		"path without slash":    {":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "a"},
		"URL as path":           {":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "http://example.com/"},
		"star":                  {":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "*"},
		"broken escape":         {":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "/%zz"},
		"method with space":     {":method", "G T", ":scheme", "http", ":authority", "example.com", ":path", "/"},
		"path with line end":    {":method", "GET", ":scheme", "http", ":authority", "example.com", ":path", "/\r\nx: y"},
		"user information":      {":method", "GET", ":scheme", "http", ":authority", "me@example.com", ":path", "/"},
		"broken authority":      {":method", "GET", ":scheme", "http", ":authority", "exa mple.com", ":path", "/"},
		"CONNECT with path":     {":method", "CONNECT", ":authority", "example.com:443", ":path", "/"},
		"CONNECT to nowhere":    {":method", "CONNECT"},
		"extended CONNECT":      {":method", "CONNECT", ":scheme", "http", ":authority", "a", ":path", "/", ":protocol", "websocket"},
		"twice":                 with(":path", "/"),
		"unknown pseudo-header": with(":x", "y"),
		"of a response":         with(":status", "200"),
		"late pseudo-header":    {":method", "GET", "x", "y", ":scheme", "http", ":authority", "example.com", ":path", "/"},
		"upper case":            with("X-Upper", "1"),
		"empty name":            with("", "1"),
		"space in name":         with("x y", "1"),
		"colon in name":         with("x:y", "1"),
		"line end in value":     with("x", "1\r\ny: 2"),
		"NUL in value":          with("x", "\x00"),
		"space before value":    with("x", " 1"),
		"tab after value":       with("x", "1\t"),
		"connection":            with("connection", "close"),
		"keep-alive":            with("keep-alive", "1"),
		"proxy-connection":      with("proxy-connection", "close"),
		"transfer-encoding":     with("transfer-encoding", "chunked"),
		"upgrade":               with("upgrade", "h2c"),
		"te":                    with("te", "gzip"),
		"another host":          with("host", "example.org"),
		"two hosts":             with("host", "example.com", "host", "example.com"),
		"length without data":   with("content-length", "1"),
		"length is no number":   with("content-length", "+0"),
		"two lengths":           with("content-length", "0", "content-length", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := connect(t, &Server{Handler: text("answer")})
				c.headers(1, true, pairs...)
				g := c.expect(http2.FrameRSTStream, http2.FrameHeaders, http2.FrameGoAway)
				assert.Equal(t, http2.FrameRSTStream, g.Type)
				assert.Equal(t, http2.ErrCodeProtocol, g.Code)
				assert.EqualValues(t, 1, g.ID)
				c.get(3, "/", "te", "trailers", "host", "Example.COM")
				_, body := c.answer(3)
				assert.Equal(t, "answer", body)
			})
		})
	}
}

// TestStreamErrors are what is wrong with one stream: it is reset, and the
// handler learns of it.
func TestStreamErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		code http2.ErrCode
		send func(*client)
	}{
		{"more than content-length", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/", false, "content-length", "3")
			c.data(1, false, "four")
		}},
		{"less than content-length", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/", false, "content-length", "5")
			c.data(1, true, "four")
		}},
		{"less than content-length and a trailer", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/", false, "content-length", "5", "trailer", "x")
			c.data(1, false, "four")
			c.headers(1, true, "x", "y")
		}},
		{"trailer without an end", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/", false)
			c.headers(1, false, "x", "y")
		}},
		{"trailer with a pseudo-header", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/", false)
			c.headers(1, true, ":path", "/")
		}},
		{"trailer with content-length", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/", false)
			c.headers(1, true, "content-length", "0")
		}},
		{"DATA after the end", http2.ErrCodeStreamClosed, func(c *client) {
			c.request(1, "POST", "/", false)
			c.data(1, true, "")
			c.data(1, false, "x")
		}},
		{"DATA after a request without content", http2.ErrCodeStreamClosed, func(c *client) {
			c.get(1, "/")
			c.data(1, true, "x")
		}},
		{"HEADERS after the end", http2.ErrCodeStreamClosed, func(c *client) {
			c.get(1, "/")
			c.headers(1, true, "x", "y")
		}},
		{"no window", http2.ErrCodeFlowControl, func(c *client) {
			c.request(1, "POST", "/", false)
			for range streamWindow/maxFrame + 1 {
				c.data(1, false, strings.Repeat("x", maxFrame))
			}
		}},
		{"window update of nothing", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/", false)
			c.wrote(c.fr.WriteRawFrame(http2.FrameWindowUpdate, 0, 1, []byte{0, 0, 0, 0}))
		}},
		{"window too large", http2.ErrCodeFlowControl, func(c *client) {
			c.request(1, "POST", "/", false)
			c.wrote(c.fr.WriteWindowUpdate(1, maxWindow))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan struct{})
				c := connect(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/" {
						<-r.Context().Done()
						_, err := io.ReadAll(r.Body)
						if r.Method == "POST" && tc.name != "DATA after the end" {
							assert.ErrorIs(t, err, errRefused)
						}
						close(ended)
					}
				})})
				tc.send(c)
				g := c.expect(http2.FrameRSTStream, http2.FrameHeaders, http2.FrameGoAway)
				assert.Equal(t, http2.FrameRSTStream, g.Type)
				assert.Equal(t, tc.code, g.Code)
				assert.EqualValues(t, 1, g.ID)
				<-ended
				c.get(3, "/other")
				c.answer(3)
			})
		})
	}
}

// TestConnectionErrors are what the connection cannot go on after.
func TestConnectionErrors(t *testing.T) {
	raw := func(typ http2.FrameType, flags http2.Flags, id uint32, payload ...byte) func(*client) {
		return func(c *client) { c.wrote(c.fr.WriteRawFrame(typ, flags, id, payload)) }
	}
	for _, tc := range []struct {
		name string
		code http2.ErrCode
		send func(*client)
	}{
		{"even stream", http2.ErrCodeProtocol, func(c *client) { c.get(2, "/") }},
		{"lower stream", http2.ErrCodeProtocol, func(c *client) {
			c.get(5, "/")
			c.get(3, "/")
		}},
		{"stream zero", http2.ErrCodeProtocol, func(c *client) { c.get(0, "/") }},
		{"HEADERS on a closed stream", http2.ErrCodeStreamClosed, func(c *client) {
			c.get(1, "/")
			c.answer(1)
			c.get(1, "/")
		}},
		{"DATA on an idle stream", http2.ErrCodeProtocol, func(c *client) { c.data(1, true, "x") }},
		{"RST_STREAM on an idle stream", http2.ErrCodeProtocol, func(c *client) { c.wrote(c.fr.WriteRSTStream(1, 0)) }},
		{"WINDOW_UPDATE on an idle stream", http2.ErrCodeProtocol, func(c *client) { c.wrote(c.fr.WriteWindowUpdate(1, 1)) }},
		{"broken WINDOW_UPDATE on an idle stream", http2.ErrCodeProtocol, raw(http2.FrameWindowUpdate, 0, 1, 0, 0, 0, 0)},
		{"DATA on stream zero", http2.ErrCodeProtocol, func(c *client) { c.data(0, true, "x") }},
		{"PUSH_PROMISE", http2.ErrCodeProtocol, raw(http2.FramePushPromise, http2.FlagPushPromiseEndHeaders, 1, 0, 0, 0, 2)},
		{"CONTINUATION of nothing", http2.ErrCodeProtocol, raw(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1)},
		{"PING within a header", http2.ErrCodeProtocol, func(c *client) {
			c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.encode(":method", "GET")}))
			c.wrote(c.fr.WritePing(false, [8]byte{}))
		}},
		{"large frame", http2.ErrCodeFrameSize, func(c *client) {
			c.wrote(c.fr.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, maxFrame+1)))
		}},
		{"PING of another size", http2.ErrCodeFrameSize, raw(http2.FramePing, 0, 0, 1, 2, 3)},
		{"SETTINGS of another size", http2.ErrCodeFrameSize, raw(http2.FrameSettings, 0, 0, 1, 2, 3)},
		{"SETTINGS on a stream", http2.ErrCodeProtocol, raw(http2.FrameSettings, 0, 1)},
		{"SETTINGS ACK with content", http2.ErrCodeFrameSize, raw(http2.FrameSettings, http2.FlagSettingsAck, 0, 0, 4, 0, 0, 0, 1)},
		{"setting of a window", http2.ErrCodeFlowControl, raw(http2.FrameSettings, 0, 0, 0, 4, 0x80, 0, 0, 0)},
		{"setting of pushes", http2.ErrCodeProtocol, raw(http2.FrameSettings, 0, 0, 0, 2, 0, 0, 0, 2)},
		{"setting of frames", http2.ErrCodeProtocol, raw(http2.FrameSettings, 0, 0, 0, 5, 0, 0, 0, 1)},
		{"header compression", http2.ErrCodeCompression, raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, 0xff, 0xff)},
		{"truncated header", http2.ErrCodeCompression, raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, 0x40, 10, 'x')},
		{"padding longer than HEADERS", http2.ErrCodeProtocol, raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersPadded, 1, 200, 0x82)},
		{"padding longer than DATA", http2.ErrCodeProtocol, func(c *client) {
			c.request(1, "POST", "/wait", false)
			raw(http2.FrameData, http2.FlagDataPadded, 1, 200, 0)(c)
		}},
		{"window update of nothing", http2.ErrCodeProtocol, raw(http2.FrameWindowUpdate, 0, 0, 0, 0, 0, 0)},
		{"window too large", http2.ErrCodeFlowControl, func(c *client) { c.wrote(c.fr.WriteWindowUpdate(0, maxWindow)) }},
		{"stream's window too large by settings", http2.ErrCodeFlowControl, func(c *client) {
			c.get(1, "/wait")
			c.wrote(c.fr.WriteWindowUpdate(1, maxWindow-65535))
			c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65536}))
		}},
		{"no window for all", http2.ErrCodeFlowControl, func(c *client) {
			for id := uint32(1); id < 13; id += 2 {
				c.request(id, "POST", "/wait", false)
				for range streamWindow / maxFrame {
					c.data(id, false, strings.Repeat("x", maxFrame))
				}
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := connect(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/wait" {
						<-r.Context().Done()
					}
				})})
				c.wrote(c.fr.WriteSettingsAck())
				tc.send(c)
				g := c.expect(http2.FrameGoAway, http2.FrameRSTStream)
				assert.Equal(t, http2.FrameGoAway, g.Type)
				assert.Equal(t, tc.code, g.Code)
				_, ok := c.next(http2.FrameHeaders, http2.FrameRSTStream)
				assert.False(t, ok, "the connection ends")
			})
		})
	}
}

func TestPreface(t *testing.T) {
	for name, send := range map[string]string{
		"HTTP/1.1":        "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n" + strings.Repeat("x", 100),
		"no SETTINGS":     http2.ClientPreface + "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678",
		"ACK of SETTINGS": http2.ClientPreface + "\x00\x00\x00\x04\x01\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := open(t, &Server{Handler: text("")})
				go c.read()
				_, err := io.WriteString(c.conn, send)
				c.wrote(err)
				_, ok := c.next(http2.FrameHeaders)
				assert.False(t, ok, "the connection ends")
			})
		})
	}
}

// TestUnknownIsIgnored: RFC 9113, 5.5 and 6.5.2.
func TestUnknownIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: text("answer")}, http2.Setting{ID: 0x99, Val: 1})
		c.wrote(c.fr.WriteRawFrame(0x99, 0xff, 7, []byte("what?")))
		c.wrote(c.fr.WritePriority(9, http2.PriorityParam{StreamDep: 3}))
		c.wrote(c.fr.WritePing(false, [8]byte{1, 2, 3}))
		g := c.expect(http2.FramePing)
		assert.True(t, g.Ack)
		assert.Equal(t, []byte{1, 2, 3, 0, 0, 0, 0, 0}, g.Data)
		c.get(1, "/")
		_, body := c.answer(1)
		assert.Equal(t, "answer", body)
		c.wrote(c.fr.WriteRSTStream(1, http2.ErrCodeCancel)) // it crossed the answer
		c.wrote(c.fr.WriteWindowUpdate(1, 5))
		c.get(3, "/")
		c.answer(3)
	})
}

// TestHeaderInParts: a header may come in several frames, one that is too large
// is answered, and one that never ends is not read.
func TestHeaderInParts(t *testing.T) {
	parts := func(c *client, id uint32, size, n int) {
		block := c.encode(":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "x-long", strings.Repeat("~", size))
		part := (len(block) + n - 1) / n
		c.wrote(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:part], EndStream: true}))
		for block = block[part:]; len(block) > 0; block = block[min(part, len(block)):] {
			c.wrote(c.fr.WriteContinuation(id, len(block) <= part, block[:min(part, len(block))]))
		}
	}
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Length", strings.Repeat("i", len(r.Header.Get("X-Long"))/10000))
		})})
		parts(c, 1, 50000, 10)
		fields, _ := c.answer(1)
		assert.Equal(t, "iiiii", fields["x-length"])
		parts(c, 3, 66000, 10)
		fields, _ = c.answer(3)
		assert.Equal(t, "431", fields[":status"])
		c.get(5, "/")
		fields, _ = c.answer(5)
		assert.Equal(t, "200", fields[":status"], "the header compression is in step")
		parts(c, 7, 200000, 20)
		assert.Equal(t, http2.ErrCodeEnhanceYourCalm, c.expect(http2.FrameGoAway).Code)
	})
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: text("")})
		parts(c, 1, 1000, 100)
		assert.Equal(t, http2.ErrCodeEnhanceYourCalm, c.expect(http2.FrameGoAway).Code)
	})
}

// TestTooLargeHeaderWithContent: the client is told not to send the content.
func TestTooLargeHeaderWithContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: text(""), MaxHeaderBytes: 1000})
		c.request(1, "POST", "/", false, "x", strings.Repeat("~", 1100))
		fields, _ := c.answer(1)
		require.Equal(t, "431", fields[":status"])
		assert.Equal(t, http2.ErrCodeNo, c.expect(http2.FrameRSTStream).Code)
		c.data(1, true, "on its way")
		c.get(3, "/")
		fields, _ = c.answer(3)
		assert.Equal(t, "200", fields[":status"])
	})
}
