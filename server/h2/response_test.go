package h2

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

func TestResponses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		method  string
		handler http.HandlerFunc
		status  string
		fields  map[string]string
		without []string
		body    string
	}{
		{"nothing", "GET", func(http.ResponseWriter, *http.Request) {}, "200", map[string]string{"content-length": "0"}, nil, ""},
		{"small", "GET", text("hello").ServeHTTP, "200", map[string]string{"content-length": "5"}, []string{"content-type"}, "hello"},
		{"head", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			n, err := io.WriteString(w, "hello")
			assert.NoError(t, err)
			assert.Equal(t, 5, n)
		}, "200", map[string]string{"content-length": "5"}, nil, ""},
		{"204", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "0")
			w.WriteHeader(204)
			_, err := io.WriteString(w, "hello")
			assert.ErrorIs(t, err, http.ErrBodyNotAllowed)
		}, "204", nil, []string{"content-length"}, ""},
		{"304", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			w.WriteHeader(304)
		}, "304", map[string]string{"content-length": "5"}, nil, ""},
		{"any status", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) }, "599", nil, nil, ""},
		{"fields of connections", "GET", func(w http.ResponseWriter, _ *http.Request) {
			for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"} {
				w.Header().Set(name, "x")
			}
			w.Header().Set("X-Kept", "yes")
		}, "200", map[string]string{"x-kept": "yes"}, []string{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}, ""},
		{"broken fields", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-Broken"] = []string{"a\r\nb: c"}
			w.Header()["bad name"] = []string{"x"}
			w.Header()["X-Empty"] = []string{""}
		}, "200", map[string]string{"x-empty": ""}, []string{"x-broken", "bad name", "b"}, ""},
		{"header is as it was", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "before")
			w.WriteHeader(201)
			w.Header().Set("X-A", "after")
			w.WriteHeader(404)
		}, "201", map[string]string{"x-a": "before"}, nil, ""},
		{"own date", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
		}, "200", map[string]string{"date": "Thu, 01 Jan 1970 00:00:00 GMT"}, nil, ""},
		{"no date", "GET", func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil }, "200", nil, []string{"date"}, ""},
		{"long value", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", strings.Repeat("x", 40000))
		}, "200", map[string]string{"content-security-policy": strings.Repeat("x", 40000)}, nil, ""},
		{"large", "GET", text(strings.Repeat("0123456789", 30000)).ServeHTTP, "200", nil, []string{"content-length"}, strings.Repeat("0123456789", 30000)},
		{"no upgrade", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(101) }, "200", nil, nil, ""},
		{"full duplex", "GET", func(w http.ResponseWriter, _ *http.Request) {
			assert.NoError(t, http.NewResponseController(w).EnableFullDuplex())
			_, _, err := http.NewResponseController(w).Hijack()
			assert.ErrorIs(t, err, http.ErrNotSupported)
		}, "200", nil, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := connect(t, &Server{Handler: tc.handler}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
				c.wrote(c.fr.WriteWindowUpdate(0, 1<<22))
				for id := uint32(1); id < 9; id += 2 { // the header's compression differs each time
					c.request(id, tc.method, "/", true)
					fields, body := c.answer(id)
					assert.Equal(t, tc.status, fields[":status"])
					for name, value := range tc.fields {
						assert.Equal(t, value, fields[name], name)
						assert.Contains(t, fields, name)
					}
					for _, name := range tc.without {
						assert.NotContains(t, fields, name)
					}
					assert.Equal(t, tc.body, body)
				}
			})
		})
	}
}

func TestDateIsAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: text("")})
		for id := uint32(1); id < 5; id += 2 {
			c.get(id, "/")
			fields, _ := c.answer(id)
			assert.Equal(t, time.Now().UTC().Format(http.TimeFormat), fields["date"])
			time.Sleep(time.Hour)
		}
	})
}

func TestInterim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(103)
			w.Header().Del("Link")
			w.WriteHeader(200)
			w.WriteHeader(103)
		})})
		c.get(1, "/")
		g := c.expect(http2.FrameHeaders)
		assert.Equal(t, map[string]string{":status": "103", "link": "</style.css>"}, g.Fields)
		assert.False(t, g.End)
		g = c.expect(http2.FrameHeaders)
		assert.Equal(t, "200", g.Fields[":status"])
		assert.NotContains(t, g.Fields, "link")
		assert.True(t, g.End)
	})
}

func TestTrailer(t *testing.T) {
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "hello")
		}
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Late", "43")
		w.Header().Set("X-Not", "announced")
	})}
	for path, body := range map[string]string{"/body": "hello", "/": ""} {
		resp, err := transport(t, s).Get("http://example.com" + path)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, body, string(b))
		assert.Equal(t, http.Header{"X-Sum": {"42"}, "X-Late": {"43"}}, resp.Trailer)
		assert.NotContains(t, resp.Header, "X-Late")
		resp.Body.Close()
	}
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, http.NewResponseController(w).Flush())
			<-goOn
			_, _ = io.WriteString(w, "one")
			w.(http.Flusher).Flush()
			<-goOn
			_, _ = io.WriteString(w, "two")
		})})
		c.get(1, "/")
		g := c.expect(http2.FrameHeaders)
		assert.NotContains(t, g.Fields, "content-length")
		goOn <- struct{}{}
		assert.Equal(t, "one", string(c.expect(http2.FrameData).Data))
		goOn <- struct{}{}
		g = c.expect(http2.FrameData)
		assert.Equal(t, "two", string(g.Data))
		assert.True(t, g.End)
	})
}

// TestBrokenResponses: what is not complete does not end like something that is.
func TestBrokenResponses(t *testing.T) {
	var logged strings.Builder
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		logs    string
	}{
		{"aborted before the header", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ""},
		{"aborted after some content", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "some")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, ""},
		{"panic", func(http.ResponseWriter, *http.Request) { panic("oops") }, "oops"},
		{"no status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(42) }, "42"},
		{"too little", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "some")
		}, ""},
		{"too much", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, err := io.WriteString(w, "some")
			assert.ErrorIs(t, err, http.ErrContentLength)
		}, ""},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "3") }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logged.Reset()
				c := connect(t, &Server{ErrorLog: log.New(&logged, "", 0), Handler: tc.handler})
				c.get(1, "/")
				for {
					g := c.expect(http2.FrameHeaders, http2.FrameData, http2.FrameRSTStream)
					require.False(t, g.End)
					if g.Type == http2.FrameRSTStream {
						assert.Equal(t, http2.ErrCodeInternal, g.Code)
						break
					}
				}
				if synctest.Wait(); tc.logs == "" {
					assert.Empty(t, logged.String())
				}
				assert.Contains(t, logged.String(), tc.logs)
			})
		})
	}
}

// TestContextEnds: a handler learns that nobody waits for it.
func TestContextEnds(t *testing.T) {
	for name, leave := range map[string]func(*client){
		"reset": func(c *client) { c.wrote(c.fr.WriteRSTStream(1, http2.ErrCodeCancel)) },
		"gone":  func(c *client) { c.conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun, ended := make(chan struct{}), make(chan error, 2)
				c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					close(begun)
					<-r.Context().Done()
					_, err := r.Body.Read(make([]byte, 1))
					ended <- err
					_, _ = io.WriteString(w, "too late")
					ended <- http.NewResponseController(w).Flush()
				})})
				c.request(1, "POST", "/", false)
				<-begun
				leave(c)
				assert.Error(t, <-ended)
				assert.Error(t, <-ended)
			})
		})
	}
}

func TestContextEndsWithTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := make(chan context.Context, 1)
		c := connect(t, &Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ctx <- r.Context() })})
		c.get(1, "/")
		c.answer(1)
		<-(<-ctx).Done()
	})
}

func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			assert.NoError(t, rc.SetReadDeadline(time.Now().Add(3*time.Second)))
			_, err := r.Body.Read(make([]byte, 1))
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			assert.Equal(t, 3*time.Second, time.Since(start))
			go func() {
				time.Sleep(time.Second)
				_ = rc.SetReadDeadline(time.Unix(1, 0))
			}()
			assert.NoError(t, rc.SetReadDeadline(time.Time{}))
			_, err = r.Body.Read(make([]byte, 1))
			assert.ErrorIs(t, err, os.ErrDeadlineExceeded, "set while it waits")
			assert.Equal(t, 4*time.Second, time.Since(start))
		})})
		c.request(1, "POST", "/", false)
		c.answer(1)
	})
}

// TestContentThatDoesNotCome can be answered in time, and the connection lives.
func TestContentThatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(3 * time.Second))
			if _, err := io.ReadAll(r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
				w.WriteHeader(http.StatusRequestTimeout)
			}
		})})
		c.request(1, "POST", "/", false, "content-length", "100")
		c.data(1, false, "the first of it")
		fields, _ := c.answer(1)
		assert.Equal(t, "408", fields[":status"])
		assert.Equal(t, http2.ErrCodeNo, c.expect(http2.FrameRSTStream).Code)
		c.data(1, true, "late")
		c.get(3, "/")
		fields, _ = c.answer(3)
		assert.Equal(t, "200", fields[":status"])
	})
}

func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		failed := make(chan error, 1)
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/small" {
				return
			}
			assert.NoError(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(3*time.Second)))
			_, err := w.Write(make([]byte, 100_000))
			failed <- err
		})})
		c.get(1, "/")
		assert.ErrorIs(t, <-failed, os.ErrDeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, http2.ErrCodeInternal, c.expect(http2.FrameRSTStream).Code)
		c.get(3, "/small")
		c.answer(3)
	})
}

// TestLateWrites: a handler that keeps what it was given does no harm.
func TestLateWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := make(chan http.ResponseWriter, 1)
		c := connect(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { kept <- w })})
		c.get(1, "/")
		c.answer(1)
		synctest.Wait()
		w := <-kept
		_, err := io.WriteString(w, "late")
		assert.ErrorIs(t, err, errOver)
		assert.ErrorIs(t, http.NewResponseController(w).Flush(), errOver)
		c.get(3, "/")
		c.answer(3)
	})
}

func TestManyStreams(t *testing.T) {
	s := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})}
	client := transport(t, s)
	errs := make(chan error)
	for range 1000 {
		go func() {
			resp, err := client.Post("http://example.com/", "", strings.NewReader("hello"))
			if err == nil {
				var b []byte
				if b, err = io.ReadAll(resp.Body); err == nil && string(b) != "hello" {
					err = errors.New(string(b))
				}
				resp.Body.Close()
			}
			errs <- err
		}()
	}
	for range 1000 {
		require.NoError(t, <-errs)
	}
}
