package h2

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestRequestIsWhatNetHTTPMakesOfIt(t *testing.T) {
	seen := make(chan *http.Request, 1)
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen <- r })}
	for _, tc := range []struct {
		name  string
		pairs []string
		check func(*testing.T, *http.Request)
	}{
		{"plain", []string{":method", "GET", ":scheme", "http", ":authority", "example.com:81", ":path", "/a%20b?c=d"}, func(t *testing.T, r *http.Request) {
			assert.Equal(t, "GET", r.Method)
			assert.Equal(t, "/a b", r.URL.Path)
			assert.Equal(t, "c=d", r.URL.RawQuery)
			assert.Equal(t, "/a%20b?c=d", r.RequestURI)
			assert.Equal(t, "example.com:81", r.Host)
			assert.Equal(t, "HTTP/2.0", r.Proto)
			assert.True(t, r.ProtoAtLeast(2, 0))
			assert.Equal(t, "pipe", r.RemoteAddr)
			assert.Nil(t, r.TLS)
			assert.Zero(t, r.ContentLength)
			assert.Equal(t, http.NoBody, r.Body)
		}},
		{"host field", []string{":method", "GET", ":scheme", "https", ":path", "/", "host", "example.com"}, func(t *testing.T, r *http.Request) {
			assert.Equal(t, "example.com", r.Host)
			assert.NotContains(t, r.Header, "Host")
		}},
		{"names and lines", []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "x-one", "1", "x-two", "2", "x-one", "3"}, func(t *testing.T, r *http.Request) {
			assert.Equal(t, http.Header{"X-One": {"1", "3"}, "X-Two": {"2"}}, r.Header)
		}},
		{"cookies", []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "cookie", "a=1", "x", "y", "cookie", "b=2", "cookie", "c=3"}, func(t *testing.T, r *http.Request) {
			assert.Equal(t, http.Header{"Cookie": {"a=1; b=2; c=3"}, "X": {"y"}}, r.Header)
		}},
		{"options", []string{":method", "OPTIONS", ":scheme", "http", ":authority", "a", ":path", "*"}, func(t *testing.T, r *http.Request) {
			assert.Equal(t, "*", r.RequestURI)
			assert.Equal(t, "*", r.URL.Path)
		}},
		{"connect", []string{":method", "CONNECT", ":authority", "a:443"}, func(t *testing.T, r *http.Request) {
			assert.Equal(t, "a:443", r.URL.Host)
			assert.Equal(t, "a:443", r.Host)
		}},
		{"two slashes", []string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "//b/c"}, func(t *testing.T, r *http.Request) {
			assert.Equal(t, "//b/c", r.URL.Path)
			assert.Equal(t, "a", r.Host)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{Handler: s.Handler}
				seen = make(chan *http.Request, 1)
				c := connect(t, s)
				c.headers(1, true, tc.pairs...)
				fields, _ := c.answer(1)
				assert.Equal(t, "200", fields[":status"])
				tc.check(t, <-seen)
			})
		})
	}
}

func TestContentAndTrailer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, http.Header{"X-Sum": nil}, r.Trailer, "announced")
			assert.EqualValues(t, -1, r.ContentLength)
			b, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			_, _ = io.WriteString(w, string(b)+" "+r.Trailer.Get("X-Sum")+r.Trailer.Get("X-Other"))
		})}
		c := connect(t, s)
		c.request(1, "POST", "/", false, "trailer", "X-Sum")
		c.data(1, false, "hello")
		c.wrote(c.fr.WriteDataPadded(1, false, []byte(", world"), make([]byte, 100)))
		c.headers(1, true, "x-sum", "42", "x-other", "43")
		_, body := c.answer(1)
		assert.Equal(t, "hello, world 42", body)
	})
}

// TestContinue: 100 is sent when the handler reads, or by the handler, once.
func TestContinue(t *testing.T) {
	for _, tc := range []struct {
		name  string
		reads bool
		says  bool
		want  []string
	}{
		{"reads", true, false, []string{"100", "200"}},
		{"says", true, true, []string{"100", "200"}},
		{"does not read", false, false, []string{"200"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tc.says {
						w.WriteHeader(http.StatusContinue)
					}
					if tc.reads {
						_, _ = io.ReadAll(r.Body)
					}
				})}
				c := connect(t, s)
				c.request(1, "POST", "/", false, "expect", "100-continue")
				var statuses []string
				for {
					g := c.expect(http2.FrameHeaders)
					statuses = append(statuses, g.Fields[":status"])
					if g.End {
						break
					}
					c.data(1, true, "content")
				}
				assert.Equal(t, tc.want, statuses)
			})
		})
	}
}

// TestEarlyAnswer: a client need not send the rest of a request that was
// answered, and what it has sent already is no error.
func TestEarlyAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: text("no, thanks")})
		c.request(1, "POST", "/", false, "content-length", "100000000")
		_, body := c.answer(1)
		assert.Equal(t, "no, thanks", body)
		g := c.expect(http2.FrameRSTStream)
		assert.Equal(t, http2.ErrCodeNo, g.Code)
		for range 200 { // more than the connection's window holds
			c.data(1, false, string(make([]byte, 16<<10)))
		}
		assert.Greater(t, c.credit(), 2<<20, "and may send more")
		c.headers(1, true, "x-late", "trailer")
		c.get(3, "/")
		_, body = c.answer(3)
		assert.Equal(t, "no, thanks", body)
	})
}

// credit returns what the server lets the client send on the connection since
// it was last asked.
func (c *client) credit() (n int) {
	synctest.Wait()
	for {
		select {
		case g := <-c.frames:
			if g.Type == http2.FrameWindowUpdate && g.ID == 0 {
				n += int(g.More)
			}
		default:
			return n
		}
	}
}

// TestPiecesOfContent: however content is cut by the client and by the handler,
// it is the same.
func TestPiecesOfContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var want, seen []byte
		c := connect(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for n := 1; ; n = n*3%5000 + 1 {
				p := make([]byte, n)
				k, err := io.ReadFull(r.Body, p)
				seen = append(seen, p[:k]...)
				if err != nil {
					return
				}
				time.Sleep(time.Duration(n) * time.Millisecond)
			}
		})})
		c.request(1, "POST", "/", false)
		for i := range 100 {
			piece := bytes.Repeat([]byte{byte(i)}, i*37%3000)
			want = append(want, piece...)
			c.data(1, i == 99, string(piece))
			time.Sleep(time.Second)
		}
		c.answer(1)
		assert.True(t, bytes.Equal(want, seen))
	})
}

func TestLargeUpload(t *testing.T) {
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		assert.EqualValues(t, 8<<20, n)
	})}
	resp, err := transport(t, s).Post("http://example.com/", "", io.LimitReader(zeros{}, 8<<20))
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode)
	require.NoError(t, resp.Body.Close())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
