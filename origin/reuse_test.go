package origin

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What comes on an idle connection is never taken for an answer.
func TestUnaskedBytesAreNotAnAnswer(t *testing.T) {
	taken, said := make(chan bool), make(chan bool)
	s, o := overTCP(t, Options{}, func(p *peer) {
		for p.head() != nil {
			p.say(ok)
			if p.n == 1 {
				<-taken
				p.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
				said <- true
			}
		}
	})
	_, body := ask(t, o, s.request("GET", ""))
	assert.Equal(t, "ok", body)
	taken <- true
	<-said
	_, body = ask(t, o, s.request("GET", ""))
	assert.Equal(t, "ok", body)
	assert.Equal(t, 2, s.connections())
}

// An origin that closed a kept connection costs nobody an error, not even a
// request that cannot be sent twice.
func TestClosedWhileIdle(t *testing.T) {
	closed := make(chan bool, 1)
	s, o := overTCP(t, Options{}, func(p *peer) {
		p.head()
		p.say(ok)
		p.Close()
		closed <- true
	})
	ask(t, o, s.request("GET", ""))
	<-closed
	for _, method := range []string{"GET", "POST"} {
		_, body := ask(t, o, s.request(method, ""))
		assert.Equal(t, "ok", body)
		<-closed
	}
	_, body := ask(t, o, s.request("PUT", "content"))
	assert.Equal(t, "ok", body)
	assert.Equal(t, 4, s.connections())
}

// A kept connection breaks when a request was sent on it: only one that may be
// repeated is.
func TestBrokenByTheRequest(t *testing.T) {
	for _, tc := range []struct {
		name    string
		method  string
		content string
		header  http.Header
		again   bool
	}{
		{"GET", "GET", "", nil, true},
		{"HEAD", "HEAD", "", nil, true},
		{"OPTIONS", "OPTIONS", "", nil, true},
		{"POST", "POST", "", nil, false},
		{"PUT", "PUT", "", nil, false},
		{"POST with content", "POST", "content", nil, false},
		{"GET with content", "GET", "content", nil, false},
		{"POST that says it is idempotent", "POST", "", http.Header{"Idempotency-Key": {"1"}}, true},
		{"and with content", "POST", "content", http.Header{"Idempotency-Key": {"1"}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := overPipes(t, Options{}, func(p *peer) {
					p.head()
					p.say("HTTP/1.1 204 No Content\r\n\r\n")
					if p.head(); p.n == 1 { // the second request
						return
					}
					p.say("HTTP/1.1 204 No Content\r\n\r\n")
				})
				ask(t, o, s.request("GET", ""))
				r := s.request(tc.method, tc.content)
				for name, lines := range tc.header {
					r.Header[name] = lines
				}
				if !tc.again {
					fails(t, o, r, Terminated)
					assert.Equal(t, 1, s.connections())
					return
				}
				resp, _ := ask(t, o, r)
				assert.Equal(t, 204, resp.StatusCode)
				assert.Equal(t, 2, s.connections())
			})
		})
	}
}

// A pipe cannot be looked at, so that its end shows when the request is
// written: then nothing of it has left, and anything may be sent again.
func TestNothingWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{}, func(p *peer) {
			p.head()
			p.body(7)
			p.say(ok)
		})
		for range 3 {
			_, body := ask(t, o, s.request("POST", "content"))
			assert.Equal(t, "ok", body)
			synctest.Wait()
		}
		assert.Equal(t, 3, s.connections())
	})
}

// Once a byte of an answer is here, or on a new connection, there is no second attempt.
func TestNotTriedAgain(t *testing.T) {
	t.Run("half an answer", func(t *testing.T) {
		s, o := overTCP(t, Options{}, func(p *peer) {
			p.head()
			p.say(ok)
			p.head()
			p.say("HTTP/1.1 2")
		})
		ask(t, o, s.request("GET", ""))
		fails(t, o, s.request("GET", ""), Terminated)
		assert.Equal(t, 1, s.connections())
	})
	t.Run("new connection", func(t *testing.T) {
		s, o := overTCP(t, Options{}, func(p *peer) { p.head() })
		fails(t, o, s.request("GET", ""), Terminated)
		assert.Equal(t, 1, s.connections())
	})
	t.Run("too slow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, o := overPipes(t, Options{}, func(p *peer) {
				p.head()
				p.say(ok)
				p.head()
				p.wait()
			})
			ask(t, o, s.request("GET", ""))
			fails(t, o, s.request("GET", ""), Timeout)
			assert.Equal(t, 1, s.connections())
		})
	})
}

// However many kept connections are lost, a request tries few of them.
func TestManyLostConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const kept = 10
		s, o := overPipes(t, Options{}, func(p *peer) {
			p.head()
			if p.n <= kept {
				time.Sleep(time.Second) // so that none is used twice
			}
			p.say(ok)
			p.head() // and is lost
		})
		var wg sync.WaitGroup
		for range kept {
			wg.Go(func() { ask(t, o, s.request("GET", "")) })
		}
		wg.Wait()
		ask(t, o, s.request("GET", ""))
		assert.Equal(t, kept+1, s.connections())
		assert.Len(t, o.plain.idle.conns, kept-keptTries+1)
	})
}

func TestIdleConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan bool, 10)
		s, o := overPipes(t, Options{MaxIdle: 2}, func(p *peer) {
			p.head()
			time.Sleep(time.Second)
			p.say(ok)
			p.wait()
			closed <- true
		})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() { ask(t, o, s.request("GET", "")) })
		}
		wg.Wait()
		synctest.Wait()
		assert.Len(t, closed, 3)
		o.Close()
		synctest.Wait()
		assert.Len(t, closed, 5)
	})
}

// A connection is closed when it has not been used for so long, and the one
// that was used last is used first.
func TestIdleConnectionsGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var used, closed []int
		s, o := overPipes(t, Options{Idle: time.Minute}, func(p *peer) {
			for p.head() != nil {
				mu.Lock()
				used = append(used, p.n)
				mu.Unlock()
				time.Sleep(time.Second)
				p.say(ok)
			}
			mu.Lock()
			closed = append(closed, p.n)
			mu.Unlock()
		})
		look := func() (before, gone []int) {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(used), slices.Clone(closed)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { ask(t, o, s.request("GET", "")) })
		}
		wg.Wait() // at 1 s, both are idle
		time.Sleep(30 * time.Second)
		ask(t, o, s.request("GET", "")) // at 32 s, one is idle again
		time.Sleep(28 * time.Second)
		before, gone := look()
		assert.Len(t, before, 3)
		assert.Empty(t, gone)
		time.Sleep(2 * time.Second) // at 62 s
		_, gone = look()
		require.Len(t, gone, 1)
		assert.NotEqual(t, before[2], gone[0], "the one not used")
		time.Sleep(time.Minute)
		_, gone = look()
		assert.Len(t, gone, 2)
		ask(t, o, s.request("GET", ""))
		assert.Equal(t, 3, s.connections())
	})
}

// Connections in use when the origin is closed end with their requests.
func TestCloseLetsRequestsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := false
		s, o := overPipes(t, Options{}, func(p *peer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
			time.Sleep(time.Second)
			p.say("llo")
			p.wait()
			closed = true
		})
		resp, err := o.RoundTrip(s.request("GET", ""))
		require.NoError(t, err)
		o.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "hello", string(b))
		synctest.Wait()
		assert.True(t, closed)
	})
}

// A body that is closed before its end takes its connection along, unless all
// of it is here.
func TestCloseBeforeTheEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		body        string
		connections int
	}{
		"all is here":        {strings.Repeat("x", 1000), 1},
		"some is on its way": {strings.Repeat("x", 100), 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, func(p *peer) {
				for p.head() != nil {
					p.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + tc.body)
				}
			})
			for range 2 {
				resp, err := o.RoundTrip(s.request("GET", ""))
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
			}
			assert.Equal(t, tc.connections, s.connections())
		})
	}
}

// Many at once, each with its own answer.
func TestParallel(t *testing.T) {
	s, o := overTCP(t, Options{MaxIdle: 4}, func(p *peer) {
		for {
			lines := p.head()
			if lines == nil {
				return
			}
			path, _, _ := strings.Cut(strings.TrimPrefix(lines[0], "GET "), " ")
			if strings.HasSuffix(path, "0") {
				path = strings.Repeat(path, 5000)
			}
			p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			_, _ = io.WriteString(p, chunk(path)+"0\r\n\r\n")
		}
	})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				r := s.request("GET", "")
				r.URL.Path = "/" + strings.Repeat("x", g) + "/" + string(rune('0'+i%10))
				want := r.URL.Path
				if i%10 == 0 {
					want = strings.Repeat(want, 5000)
				}
				_, body := ask(t, o, r)
				assert.True(t, body == want, "%.50q", body)
			}
		})
	}
	wg.Wait()
}

// A head that the origin does not take at once arrives whole, on a new
// connection and on a kept one.
func TestLargeRequestHead(t *testing.T) {
	large := strings.Repeat("a", 8<<20)
	s, o := overTCP(t, Options{}, func(p *peer) {
		for {
			head := p.head()
			if head == nil {
				return
			}
			if !slices.Contains(head, "X-Large: "+large) {
				p.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
				return
			}
			p.say(ok)
		}
	})
	for range 2 {
		r := s.request("GET", "")
		r.Header = http.Header{"X-Large": {large}}
		_, body := ask(t, o, r)
		assert.Equal(t, "ok", body)
	}
	assert.Equal(t, 1, s.connections())
}
