package origin

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// closing counts how often content was closed, and gives it in pieces.
type closing struct {
	io.Reader
	closed atomic.Int32
}

func (c *closing) Close() error {
	c.closed.Add(1)
	return nil
}

// The origin gets the content, and the connection is kept.
func TestUpload(t *testing.T) {
	long := strings.Repeat("0123456789", 20000)
	for _, tc := range []struct {
		name    string
		content io.Reader
		length  int64
		trailer http.Header
		want    string // after the head
	}{
		{"length", strings.NewReader("hello"), 5, nil, "hello"},
		{"length, byte by byte", iotest.OneByteReader(strings.NewReader("hello")), 5, nil, "hello"},
		{"length, with the end", iotest.DataErrReader(strings.NewReader("hello")), 5, nil, "hello"},
		{"length, long", strings.NewReader(long), int64(len(long)), nil, long},
		{"chunks", strings.NewReader("hello"), -1, nil, "5\r\nhello\r\n0\r\n\r\n"},
		{"chunks, with the end", iotest.DataErrReader(strings.NewReader("hello")), 0, nil, "5\r\nhello\r\n0\r\n\r\n"},
		{"chunks, none", strings.NewReader(""), -1, nil, "0\r\n\r\n"},
		{"chunks, byte by byte", iotest.OneByteReader(strings.NewReader("ab")), -1, nil, "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"},
		{"chunks, long", strings.NewReader(long), -1, nil, chunk(long[:32768]) + chunk(long[32768:65536]) + chunk(long[65536:98304]) +
			chunk(long[98304:131072]) + chunk(long[131072:163840]) + chunk(long[163840:196608]) + chunk(long[196608:]) + "0\r\n\r\n"},
		{"trailer", strings.NewReader("hello"), -1, http.Header{"X-Sum": {"42"}, "Etag": nil, "A": {"1", "2"}},
			"5\r\nhello\r\n0\r\nA: 1\r\nA: 2\r\nX-Sum: 42\r\n\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make(chan string, 1)
			s, o := overTCP(t, Options{}, func(p *peer) {
				p.head()
				got <- p.body(len(tc.want))
				p.say(ok)
				p.head()
				p.say(ok)
			})
			r := s.request("POST", "")
			content := &closing{Reader: tc.content}
			r.Body, r.ContentLength, r.Trailer = content, tc.length, tc.trailer
			_, body := ask(t, o, r)
			assert.Equal(t, "ok", body)
			assert.Equal(t, tc.want, <-got)
			ask(t, o, s.request("GET", ""))
			assert.Equal(t, 1, s.connections())
			assert.EqualValues(t, 1, content.closed.Load())
		})
	}
}

// Content that is not what was announced breaks the connection: the origin
// must not take it for complete, nor what follows for a request.
func TestBrokenContent(t *testing.T) {
	gone := errors.New("client gone")
	for _, tc := range []struct {
		name    string
		content io.Reader
		length  int64
		trailer http.Header
		why     string
	}{
		{"short", strings.NewReader("hello"), 10, nil, "the request's content is 5 bytes short"},
		{"long", strings.NewReader("hello world"), 5, nil, "longer than its Content-Length of 5 bytes"},
		{"broken", io.MultiReader(strings.NewReader("hello"), iotest.ErrReader(gone)), 10, nil, "client gone"},
		{"broken in chunks", io.MultiReader(strings.NewReader("hello"), iotest.ErrReader(gone)), -1, nil, "client gone"},
		{"a bad trailer", strings.NewReader("hello"), -1, http.Header{"A": {"b\nc"}}, "request field A"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make(chan string, 1)
			s, o := overTCP(t, Options{}, func(p *peer) {
				p.head()
				b, _ := io.ReadAll(p.br)
				got <- string(b)
			})
			r := s.request("POST", "")
			content := &closing{Reader: tc.content}
			r.Body, r.ContentLength, r.Trailer = content, tc.length, tc.trailer
			_, err := o.RoundTrip(r)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tc.why)
			assert.NotContains(t, <-got, "0\r\n\r\n")
			assert.EqualValues(t, 1, content.closed.Load())
		})
	}
}

func TestContentIsClosedWhenItCannotBeSent(t *testing.T) {
	content := &closing{Reader: strings.NewReader("x")}
	base := vacant(t)
	r := get(t, base)
	r.Method, r.Body, r.ContentLength = "POST", content, 1
	fails(t, open(t, base, Options{}), r, Refused)
	assert.EqualValues(t, 1, content.closed.Load())
	r.Host = "a b"
	_, err := open(t, base, Options{}).RoundTrip(r)
	require.Error(t, err)
	assert.EqualValues(t, 2, content.closed.Load())
}

// endless is content that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// An answer before the content was taken is the answer; its connection is not
// used again.
func TestEarlyAnswer(t *testing.T) {
	for name, length := range map[string]int64{"length": 1 << 40, "chunks": -1} {
		t.Run(name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, func(p *peer) {
				p.head()
				p.say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
				p.body(1 << 20)
				p.wait()
				_, _ = io.Copy(io.Discard, p.br)
			})
			for range 2 {
				r := s.request("POST", "")
				content := &closing{Reader: endless{}}
				r.Body, r.ContentLength = content, length
				resp, body := ask(t, o, r)
				assert.Equal(t, 413, resp.StatusCode)
				assert.Equal(t, "no", body)
				require.Eventually(t, func() bool { return content.closed.Load() == 1 }, 5*time.Second, time.Millisecond)
			}
			assert.Equal(t, 2, s.connections())
		})
	}
}

// The answer is read even when the origin takes no more.
func TestAnswerAndClose(t *testing.T) {
	s, o := overTCP(t, Options{}, func(p *peer) {
		p.head()
		p.body(1 << 20)
		p.say("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
		_ = p.Conn.(interface{ CloseRead() error }).CloseRead()
		p.wait()
	})
	r := s.request("POST", "")
	r.Body, r.ContentLength = &closing{Reader: endless{}}, -1
	resp, body := ask(t, o, r)
	assert.Equal(t, 413, resp.StatusCode)
	assert.Equal(t, "no", body)
}

// Content and answer go on at the same time, for as long as both like.
func TestFullDuplex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{}, func(p *peer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for range 5 {
				p.say(chunk(p.body(1)))
			}
			p.say("0\r\n\r\n")
			p.head()
			p.say(ok)
		})
		in, out := io.Pipe()
		r := s.request("POST", "")
		r.Body, r.ContentLength = in, 5
		resp, err := o.RoundTrip(r)
		require.NoError(t, err)
		for _, c := range []string{"h", "e", "l", "l", "o"} {
			time.Sleep(50 * time.Second)
			go func() {
				_, _ = out.Write([]byte(c))
				if c == "o" {
					out.Close()
				}
			}()
			b := make([]byte, 10)
			n, err := resp.Body.Read(b)
			require.NoError(t, err)
			assert.Equal(t, c, string(b[:n]))
		}
		_, err = resp.Body.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
		_, body := ask(t, o, s.request("GET", ""))
		assert.Equal(t, "ok", body)
		assert.Equal(t, 1, s.connections())
	})
}

// A client may send slowly: the origin's time begins with the end of the content.
func TestSlowContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := overPipes(t, Options{ResponseHeader: 10 * time.Second}, func(p *peer) {
			p.head()
			p.body(2)
			time.Sleep(9 * time.Second)
			p.say(ok)
		})
		in, out := io.Pipe()
		go func() {
			time.Sleep(time.Minute)
			_, _ = out.Write([]byte("a"))
			time.Sleep(time.Minute)
			_, _ = out.Write([]byte("b"))
			out.Close()
		}()
		r := s.request("POST", "")
		r.Body, r.ContentLength = in, 2
		start := time.Now()
		_, body := ask(t, o, r)
		assert.Equal(t, "ok", body)
		assert.Equal(t, 129*time.Second, time.Since(start))
	})
}

// An origin that takes nothing of it, and one that has it and says nothing, are too slow.
func TestContentNotTaken(t *testing.T) {
	for _, tc := range []struct {
		name  string
		taken int
		want  Failure
		why   string
		after time.Duration
	}{
		{"nothing taken", 1, WriteTimeout, "nothing of the request's content taken for 10s", 10 * time.Second},
		{"no answer", 5, Timeout, "no response head within 10s", 10 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done := make(chan bool)
				s, o := overPipes(t, Options{ResponseHeader: 10 * time.Second}, func(p *peer) {
					_, _ = io.ReadFull(p, make([]byte, len("POST / HTTP/1.1\r\nHost: origin.test\r\nContent-Length: 5\r\n\r\n")+tc.taken))
					<-done
				})
				defer close(done)
				start := time.Now()
				err := fails(t, o, s.request("POST", "hello"), tc.want)
				assert.Contains(t, err.Error(), tc.why)
				assert.Equal(t, tc.after, time.Since(start))
			})
		})
	}
}

// expectations are what an origin may do with a request whose content is sent
// on demand.
var expectations = []struct {
	name   string
	answer func(p *peer) // after the head
	status int
	sent   bool
	after  time.Duration
	kept   bool
}{
	{"wanted", func(p *peer) {
		p.say("HTTP/1.1 100 Continue\r\n\r\n")
		p.body(5)
		p.say(ok)
	}, 200, true, 0, true},
	{"not wanted", func(p *peer) {
		p.say("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
		p.wait()
	}, 417, false, 0, false},
	{"nothing said", func(p *peer) {
		p.body(5)
		p.say(ok)
	}, 200, true, time.Second, true},
	{"said too late", func(p *peer) {
		time.Sleep(2 * time.Second)
		p.say("HTTP/1.1 100 Continue\r\n\r\n")
		p.body(5)
		p.say(ok)
	}, 200, true, 2 * time.Second, true},
	{"half an answer in time", func(p *peer) {
		p.say("HTTP/1.1 20")
		p.body(5)
		p.say("4 No Content\r\n\r\n")
	}, 204, true, time.Second, true},
	{"other interim responses do not count", func(p *peer) {
		p.say("HTTP/1.1 103 Early Hints\r\n\r\n")
		p.body(5)
		p.say(ok)
	}, 200, true, time.Second, true},
}

func TestExpectContinue(t *testing.T) {
	for _, tc := range expectations {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := overPipes(t, Options{}, func(p *peer) {
					if p.head() != nil {
						tc.answer(p)
					}
					p.head()
					p.say(ok)
				})
				r := s.request("PUT", "hello")
				r.Header.Set("Expect", "100-continue")
				content := &closing{Reader: r.Body}
				r.Body = content
				start := time.Now()
				resp, _ := ask(t, o, r)
				assert.Equal(t, tc.status, resp.StatusCode)
				assert.Equal(t, tc.after, time.Since(start))
				synctest.Wait()
				assert.EqualValues(t, 1, content.closed.Load())
				n, _ := content.Read(make([]byte, 1))
				assert.Equal(t, tc.sent, n == 0, "whether it was read")
				if tc.kept {
					ask(t, o, s.request("GET", ""))
					assert.Equal(t, 1, s.connections())
				} else {
					assert.Empty(t, o.plain.idle.conns)
				}
			})
		})
	}
}
