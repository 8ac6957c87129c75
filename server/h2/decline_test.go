package h2

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"golang.org/x/net/http2"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// TestDecline: a header beyond a limit is answered, and the connection lives.
func TestDecline(t *testing.T) {
	long := strings.Repeat("a", 60)
	for _, tc := range []struct {
		name   string
		path   string
		more   []string
		why    policy.Reason
		status string
	}{
		{"at the limits", "/" + strings.Repeat("a", 99), []string{"a", "1", "b", "2", "c", "3"}, policy.ReasonNone, "200"},
		{"too many bytes", "/", []string{"x", strings.Repeat("a", 1000)}, policy.HeaderTooLarge, "431"},
		{"too many fields", "/", []string{"a", "1", "b", "2", "c", "3", "d", "4"}, policy.HeaderTooLarge, "431"},
		{"too many cookies", "/", []string{"cookie", "1", "cookie", "2", "cookie", "3", "cookie", "4"}, policy.HeaderTooLarge, "431"},
		{"too long a target", "/" + long + long, nil, policy.URITooLong, "414"},
		{"too long a target, too many bytes", "/" + strings.Repeat("a", 1000), nil, policy.URITooLong, "414"},
		{"too long a target, too many fields", "/" + long + long, []string{"a", "1", "b", "2", "c", "3", "d", "4"}, policy.URITooLong, "414"},
	} {
		for _, words := range []bool{false, true} {
			t.Run(tc.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var told []proxy.Refusal
					s := &Server{Handler: text("answer"), MaxHeaderBytes: 800, MaxHeaderFields: 3, MaxURI: 100}
					if words {
						s.Refuse = refuse(&told)
					}
					c := connect(t, s)
					c.get(1, tc.path, tc.more...)
					fields, body := c.answer(1)
					assert.Equal(t, tc.status, fields[":status"])
					switch {
					case tc.why == policy.ReasonNone:
						assert.Equal(t, "answer", body)
						assert.Empty(t, told)
					case words:
						assert.Equal(t, "sorry", body)
						assert.Equal(t, "5", fields["content-length"])
						assert.NotContains(t, fields, "connection")
						assert.Equal(t, []proxy.Refusal{{
							Reason: tc.why, Remote: "pipe", Method: "GET", Host: told[0].Host, URI: told[0].URI, Proto: "HTTP/2.0",
						}}, told)
					default:
						assert.Empty(t, body)
						assert.Equal(t, "0", fields["content-length"])
					}
					c.get(3, "/")
					_, body = c.answer(3)
					assert.Equal(t, "answer", body)
				})
			})
		}
	}
}

// refuse answers as the proxy does, and notes what it is told.
func refuse(told *[]proxy.Refusal) func([]byte, proxy.Refusal) []byte {
	return func(dst []byte, q proxy.Refusal) []byte {
		*told = append(*told, q)
		status := map[policy.Reason]string{policy.HeaderTooLarge: "431", policy.URITooLong: "414"}[q.Reason]
		dst = append(dst, "HTTP/1.1 "+status+" No\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"...)
		if !q.Head {
			dst = append(dst, "sorry"...)
		}
		return dst
	}
}

// TestDeclineWaitsForWindows: the answer keeps to the client's windows, and to its
// time.
func TestDeclineWaitsForWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []proxy.Refusal
		s := &Server{Handler: text(""), MaxURI: 10, Refuse: refuse(&told), Write: 10e9}
		c := connect(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 2})
		c.get(1, "/longer/than/ten")
		assert.Equal(t, 2, c.received(1))
		c.wrote(c.fr.WriteWindowUpdate(1, 3))
		_, rest := c.answer(1)
		assert.Equal(t, "rry", rest)
		c.request(3, "HEAD", "/longer/than/ten", true)
		fields, body := c.answer(3)
		assert.Equal(t, "414", fields[":status"])
		assert.Empty(t, body)
		c.get(5, "/longer/than/ten")
		assert.Equal(t, http2.ErrCodeCancel, c.expect(http2.FrameRSTStream).Code)
	})
}

// TestDeclineWithContent: the client is told not to send it, and what is on its way
// harms nothing.
func TestDeclineWithContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []proxy.Refusal
		c := connect(t, &Server{Handler: text(""), MaxURI: 10, Refuse: refuse(&told)}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 2})
		for id := uint32(1); id < 13; id += 2 { // more content than the connection's window holds
			c.request(id, "POST", "/longer/than/ten", false)
			for range streamWindow / maxFrame {
				c.data(id, false, strings.Repeat("x", maxFrame)) // while the answer waits
			}
			c.wrote(c.fr.WriteWindowUpdate(id, 3))
			c.answer(id)
			assert.Equal(t, http2.ErrCodeNo, c.expect(http2.FrameRSTStream).Code)
			c.data(id, true, "on its way")
		}
		c.wrote(c.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100}))
		c.get(13, "/")
		fields, _ := c.answer(13)
		assert.Equal(t, "200", fields[":status"])
	})
}

// TestBrokenBeyondALimit: what is broken is broken, however large it is.
func TestBrokenBeyondALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: http.NotFoundHandler(), MaxURI: 10})
		c.get(1, "/longer/than/ten", "connection", "close")
		assert.Equal(t, http2.ErrCodeProtocol, c.expect(http2.FrameRSTStream).Code)
	})
}
