package origin

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// only is an answer of a head alone, names and values in turn.
func only(fields ...string) func(*two, uint32) {
	return func(w *two, id uint32) { w.head(id, true, fields...) }
}

// faults2 are what an origin of HTTP/2 can do wrong.
var faults2 = []struct {
	name string
	play func(w *two, id uint32)
	want Failure
	kept bool // the connection carries the next request
}{
	{"good", (*two).answer, None, true},
	{"closed", func(w *two, _ uint32) { w.Close() }, Terminated, false},
	{"closed without a word", func(w *two, _ uint32) { cutOff(w.peer) }, Terminated, false},
	{"silent", func(*two, uint32) {}, Timeout, true},
	{"reset", func(w *two, id uint32) { _ = w.WriteRSTStream(id, http2.ErrCodeInternal) }, Terminated, true},
	{"GOAWAY", func(w *two, id uint32) { _ = w.WriteGoAway(id, http2.ErrCodeInternal, nil); w.Close() }, Terminated, false},
	{"garbage", func(w *two, _ uint32) { w.say("HTTP/1.1 200 OK\r\n\r\n") }, Invalid, false},
	{"a frame too large", func(w *two, id uint32) { w.say("\xff\xff\xff\x00\x00\x00\x00\x00\x01") }, Invalid, false},
	{"content before the head", func(w *two, id uint32) { _ = w.WriteData(id, true, []byte("ok")) }, Invalid, true},
	{"a broken block of fields", func(w *two, id uint32) {
		_ = w.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0xff, 0xff, 0xff}, EndHeaders: true})
	}, Invalid, false},
	{"no status", only("a", "b"), Invalid, true},
	{"status abc", only(":status", "abc"), Invalid, true},
	{"status 99", only(":status", "99"), Invalid, true},
	{"status 1000", only(":status", "1000"), Invalid, true},
	{"a name with capitals", only(":status", "200", "Abc", "d"), Invalid, true},
	{"a line end in a value", only(":status", "200", "a", "b\r\nc: d"), Invalid, true},
	{"Connection", only(":status", "200", "connection", "close"), Invalid, true},
	{"Transfer-Encoding", only(":status", "200", "transfer-encoding", "chunked"), Invalid, true},
	{"Upgrade", only(":status", "200", "upgrade", "h2c"), Invalid, true},
	{"lengths that differ", only(":status", "200", "content-length", "1", "content-length", "2"), Invalid, true},
	{"a length with a sign", only(":status", "200", "content-length", "+2"), Invalid, true},
	{"a head over the limit", only(append([]string{":status", "200"}, slices.Repeat([]string{"a", strings.Repeat("x", 1000)}, 12)...)...), HeadTooLarge, true},
	{"1xx and then silence", func(w *two, id uint32) { w.head(id, false, ":status", "103") }, Timeout, true},
	{"shorter than announced", func(w *two, id uint32) {
		w.head(id, false, ":status", "200", "content-length", "9")
		_ = w.WriteData(id, true, []byte("ok"))
	}, Incomplete, true},
	{"longer than announced", func(w *two, id uint32) {
		w.head(id, false, ":status", "200", "content-length", "1")
		_ = w.WriteData(id, true, []byte("ok"))
	}, Invalid, true},
	{"announced, and none", only(":status", "200", "content-length", "9"), Incomplete, true},
	{"reset amid the body", func(w *two, id uint32) {
		w.head(id, false, ":status", "200")
		_ = w.WriteData(id, false, []byte("ok"))
		_ = w.WriteRSTStream(id, http2.ErrCodeCancel)
	}, Incomplete, true},
	{"closed amid the body", func(w *two, id uint32) {
		w.head(id, false, ":status", "200")
		_ = w.WriteData(id, false, []byte("ok"))
		w.Close()
	}, Incomplete, false},
	{"silent amid the body", func(w *two, id uint32) {
		w.head(id, false, ":status", "200")
		_ = w.WriteData(id, false, []byte("ok"))
	}, ReadTimeout, true},
}

// TestFaultsOverHTTP2 makes an origin fail, and asks it again.
func TestFaultsOverHTTP2(t *testing.T) {
	for _, tc := range faults2 {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, o := over2(t, Options{ResponseHeader: time.Second, Body: time.Second, MaxHeaderBytes: 8 << 10}, func(w *two) {
				for n := 1; ; n++ {
					id := w.request()
					if id == 0 {
						return
					}
					if n == 1 && w.n == 1 {
						tc.play(w, id)
					} else {
						w.answer(id)
					}
				}
			})
			if tc.want == None {
				ask(t, o, s.request("GET", ""))
			} else {
				fails(t, o, s.request("GET", ""), tc.want)
			}
			resp, body := ask(t, o, s.request("GET", ""))
			assert.Equal(t, "ok", body)
			assert.Equal(t, 2, resp.ProtoMajor)
			assert.Equal(t, tc.kept, s.connections() == 1, "%d connections", s.connections())
		})
	}
}

// TestRefusedStreamsAreSentAgain: the origin says that it has done nothing.
func TestRefusedStreamsAreSentAgain(t *testing.T) {
	var n atomic.Int64
	s, o := over2(t, Options{}, func(w *two) {
		for id := w.request(); id != 0; id = w.request() {
			if n.Add(1) == 1 {
				_ = w.WriteRSTStream(id, http2.ErrCodeRefusedStream)
				continue
			}
			w.answer(id)
		}
	})
	_, body := ask(t, o, s.request("GET", ""))
	assert.Equal(t, "ok", body)
	assert.EqualValues(t, 2, n.Load())
}

// TestRefusedStreamsAreNotSentForEver: nor is the budget of retries for them.
func TestRefusedStreamsAreNotSentForEver(t *testing.T) {
	var n atomic.Int64
	s, o := over2(t, Options{}, func(w *two) {
		for id := w.request(); id != 0; id = w.request() {
			n.Add(1)
			_ = w.WriteRSTStream(id, http2.ErrCodeRefusedStream)
		}
	})
	start := time.Now()
	_, err := o.RoundTrip(s.request("GET", ""))
	assert.Equal(t, Terminated, Classify(err))
	assert.ErrorContains(t, err, o.target)
	assert.Less(t, time.Since(start), 30*time.Second)
	assert.LessOrEqual(t, n.Load(), int64(mostTries2+1), "the last may be on its way when it is taken back")
}

// TestWhichProtocol: HTTP/2 where the origin chooses it, HTTP/1.1 otherwise, and
// for what only that can do.
func TestWhichProtocol(t *testing.T) {
	for _, tc := range []struct {
		name    string
		offered []string
		options Options
		upgrade bool
		want    int
	}{
		{"both", []string{"h2", "http/1.1"}, Options{}, false, 2},
		{"HTTP/1.1 only", []string{"http/1.1"}, Options{}, false, 1},
		{"none named", nil, Options{}, false, 1},
		{"HTTP/2 is not wanted", []string{"h2", "http/1.1"}, Options{HTTP1Only: true}, false, 1},
		{"an upgrade", []string{"h2", "http/1.1"}, Options{}, true, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := overTLS(t, tc.options, goodTLS(tc.offered...), func(p *peer) {
				if p.state().NegotiatedProtocol == "h2" {
					serve2(p)
					return
				}
				if tc.upgrade {
					p.head()
					p.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
					_, _ = io.Copy(p, p.br)
					return
				}
				always(ok)(p)
			})
			r := s.request("GET", "")
			if tc.upgrade {
				r.Header["Upgrade"], r.Header["Connection"] = []string{"echo"}, []string{"Upgrade"}
				resp, err := o.RoundTrip(r)
				require.NoError(t, err)
				rw := resp.Body.(io.ReadWriteCloser)
				_, err = io.WriteString(rw, "hello")
				require.NoError(t, err)
				b := make([]byte, 5)
				_, err = io.ReadFull(rw, b)
				require.NoError(t, err)
				assert.Equal(t, "hello", string(b))
				assert.NoError(t, rw.Close())
				return
			}
			for range 3 {
				resp, body := ask(t, o, r)
				assert.Equal(t, tc.want, resp.ProtoMajor)
				assert.Equal(t, "ok", body)
				assert.Same(t, r, resp.Request)
			}
			assert.Equal(t, 1, s.connections(), "one connection for all")
		})
	}
}

// TestSessionsAreResumed: a second handshake is a short one.
func TestSessionsAreResumed(t *testing.T) {
	states := make(chan tls.ConnectionState, 2)
	s, o := overTLS(t, Options{}, goodTLS("http/1.1"), func(p *peer) {
		states <- p.state()
		p.br = bufio.NewReader(p.Conn)
		p.head()
		p.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
	})
	for range 2 {
		ask(t, o, s.request("GET", ""))
	}
	assert.False(t, (<-states).DidResume)
	assert.True(t, (<-states).DidResume)
}

// TestNothingOfTheLibrarys: over HTTP/2 too a request goes out as it is.
func TestNothingOfTheLibrarys(t *testing.T) {
	heads := make(chan http.Header, 1)
	s, o := overTLS(t, Options{}, goodTLS("h2"), func(p *peer) {
		serveHTTP(p, func(_ http.ResponseWriter, r *http.Request) { heads <- r.Header })
	})
	r := s.request("GET", "")
	r.Header["X-Own"] = []string{"1"}
	ask(t, o, r)
	assert.Equal(t, http.Header{"X-Own": {"1"}}, <-heads)
	r.Header["A"] = []string{"b\nc"}
	fails(t, o, r, Unsendable)
}

// TestTrailersOverHTTP2: those that come too late are dropped, announced or not.
func TestTrailersOverHTTP2(t *testing.T) {
	s, o := over2(t, Options{}, func(w *two) {
		id := w.request()
		w.head(id, false, ":status", "200", "trailer", "X-Sum, Set-Cookie")
		_ = w.WriteData(id, false, []byte("ok"))
		w.head(id, true, "x-sum", "1", "set-cookie", "a=b", "cache-control", "max-age=9")
		w.rest()
	})
	resp, body := ask(t, o, s.request("GET", ""))
	assert.Equal(t, "ok", body)
	assert.Equal(t, http.Header{"X-Sum": {"1"}}, resp.Trailer)
}

// TestAStillbornConnection: a connection that ends before its first request spoils none.
func TestAStillbornConnection(t *testing.T) {
	end := make(chan struct{})
	s, o := overTLS(t, Options{}, goodTLS("h2"), func(p *peer) {
		if p.state(); p.n > 1 {
			serve2(p)
			return
		}
		start2(p)
		<-end
	})
	var once sync.Once
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		once.Do(func() {
			close(end)
			<-o.secure.last.Load().below.closed
		})
	}}
	content := &closing{Reader: strings.NewReader("content")}
	r := s.request("POST", "").WithContext(httptrace.WithClientTrace(t.Context(), trace))
	r.Body, r.ContentLength = content, 7
	_, body := ask(t, o, r)
	assert.Equal(t, "ok", body)
	assert.EqualValues(t, 1, content.closed.Load())
	_, body = ask(t, o, s.request("GET", ""))
	assert.Equal(t, "ok", body)
	assert.Equal(t, 2, s.connections())
}

// TestAddressesThatGoOverHTTP2: a connection to an address that has gone gets no new
// request, and those on it go on.
func TestAddressesThatGoOverHTTP2(t *testing.T) {
	goOn := make(chan struct{})
	s, first := overTLS(t, Options{}, goodTLS("h2"), func(p *peer) {
		serveHTTP(p, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/long" {
				_ = http.NewResponseController(w).Flush()
				<-goOn
			}
			_, _ = io.WriteString(w, "ok")
		})
	})
	z := &zone{}
	z.set(nil, "192.0.2.1")
	s.base = "https://origin.test"
	o := open(t, s.base, Options{
		TLS: trusting(ca()), Resolve: 20 * time.Millisecond, Lookup: z.lookup,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, first.target)
		},
	})
	long := s.request("GET", "")
	long.URL.Path = "/long"
	resp, err := o.RoundTrip(long)
	require.NoError(t, err)
	ask(t, o, s.request("GET", ""))
	assert.Equal(t, 1, s.connections())
	z.set(nil, "192.0.2.2")
	require.Eventually(t, func() bool {
		ask(t, o, s.request("GET", ""))
		return s.connections() == 2
	}, 10*time.Second, 5*time.Millisecond)
	close(goOn)
	b, err := io.ReadAll(resp.Body)
	assert.NoError(t, err)
	assert.Equal(t, "ok", string(b))
	resp.Body.Close()
}
