package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
)

// refusals are answers whose content is the name of the reason.
func refusals(dst []byte, q proxy.Refusal) []byte {
	return fmt.Appendf(dst, "HTTP/1.1 400 Refused\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(q.Reason.String()), q.Reason)
}

// front serves a handler over TCP, by the lane or past it.
func front(t *testing.T, o Options) *Server {
	t.Helper()
	o.Refuse = refusals
	s, err := Listen("127.0.0.1:0", o)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		require.NoError(t, <-served)
	})
	return s
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { nc.Close() })
	require.NoError(t, nc.SetDeadline(time.Now().Add(tooLong)))
	return nc
}

// talkTo sends bytes and returns the contents of the answers, until the server ends
// the connection.
func talkTo(t *testing.T, nc net.Conn, input string) (contents []string) {
	t.Helper()
	sent := make(chan struct{})
	go func() { // the server may answer before it has read everything
		defer close(sent)
		_, _ = io.WriteString(nc, input)
	}()
	br := bufio.NewReader(nc)
	for {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			nc.Close()
			<-sent
			return contents
		}
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		contents = append(contents, string(body))
	}
}

// echoed answers with the size of the head and the content.
var echoed = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %d %s", r.Method, len(r.RequestURI)+len(r.Header.Get("X")), body)
})

// bothWays runs a test by the lane and past it.
func bothWays(t *testing.T, o Options, fn func(t *testing.T, s *Server)) {
	for _, noLane := range []bool{false, true} {
		t.Run(fmt.Sprintf("lane=%t", !noLane), func(t *testing.T) {
			o := o
			o.NoLane = noLane
			fn(t, front(t, o))
		})
	}
}

const (
	aGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	last = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
)

// TestHeadsOfAnySize are answered up to the limits, and refused beyond them, with
// requests before them answered.
func TestHeadsOfAnySize(t *testing.T) {
	bothWays(t, Options{Handler: echoed, MaxHeaderBytes: 100 << 10, MaxURI: 20 << 10, MaxHeaderFields: 300}, func(t *testing.T, s *Server) {
		field := func(n int) string { return "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", n) + "\r\n\r\n" }
		for _, n := range []int{100, 16<<10 - 40, 16 << 10, 20000, 60000, 100<<10 - 32} {
			assert.Equal(t, []string{"GET 1 ", fmt.Sprintf("GET %d ", n+1), "GET 5 "}, talkTo(t, dial(t, s), aGet+field(n)+last), "%d bytes", n)
		}
		for _, n := range []int{100<<10 - 31, 1 << 20} {
			assert.Equal(t, []string{"GET 1 ", "header-too-large"}, talkTo(t, dial(t, s), aGet+field(n)+last), "%d bytes", n)
		}
		fields := func(n int) string { return "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", n-1) + "\r\n" }
		assert.Equal(t, []string{"GET 1 ", "GET 5 "}, talkTo(t, dial(t, s), fields(300)+last))
		assert.Equal(t, []string{"header-too-large"}, talkTo(t, dial(t, s), fields(301)+last))
		target := func(n int) string { return "GET /" + strings.Repeat("a", n-1) + " HTTP/1.1\r\nHost: x\r\n\r\n" }
		assert.Equal(t, []string{"GET 20480 ", "GET 5 "}, talkTo(t, dial(t, s), target(20<<10)+last))
		assert.Equal(t, []string{"uri-too-long"}, talkTo(t, dial(t, s), target(20<<10+1)+last))
		assert.Equal(t, []string{"uri-too-long"}, talkTo(t, dial(t, s), "GET /"+strings.Repeat("a", 21<<10)), "before the line ends")
	})
}

// TestContentOfAnyKindIsAnswered and the connection goes on behind it.
func TestContentOfAnyKindIsAnswered(t *testing.T) {
	big := strings.Repeat("x", 300<<10)
	bothWays(t, Options{Handler: echoed}, func(t *testing.T, s *Server) {
		for _, tc := range []struct {
			input string
			want  []string
		}{
			{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + aGet + last, []string{"POST 1 hello", "GET 1 ", "GET 5 "}},
			{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\r\n" + last, []string{"POST 1 hello", "GET 5 "}},
			{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n" + last, []string{"POST 1 hello", "bad-request"}},
			{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n" + last, []string{"POST 1 hello", "GET 5 "}},
			{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 307200\r\n\r\n" + big + last, []string{"POST 1 " + big, "GET 5 "}},
			{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4b000\r\n" + big + "\r\n0\r\n\r\n" + last, []string{"POST 1 " + big, "GET 5 "}},
			{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 300<<10) + "0\r\n\r\n" + last, []string{"POST 1 " + big, "GET 5 "}},
			{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nheX\r\n0\r\n\r\n" + last, []string{""}},
			{"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi" + last, []string{"POST 1 hi", "GET 5 "}},
			{"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi" + last, []string{"POST 1 hi"}},
			{aGet + "GET / HTTP/1.1\nHost: x\n\n" + last, []string{"GET 1 ", "bad-request"}},
		} {
			assert.Equal(t, tc.want, talkTo(t, dial(t, s), tc.input), "%.200q", tc.input)
		}
	})
}

// TestARefusedClientReadsItsAnswer although it is still sending, and so does one
// whose content nobody wants.
func TestARefusedClientReadsItsAnswer(t *testing.T) {
	o := Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "no, thanks")
	})}
	much := strings.Repeat("x", 8<<20)
	bothWays(t, o, func(t *testing.T, s *Server) {
		assert.Equal(t, []string{"bad-request"}, talkTo(t, dial(t, s), "GET /\r\n"+much))
		for _, how := range []string{"close", "keep-alive"} {
			head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n", how, len(much))
			assert.Equal(t, []string{"no, thanks"}, talkTo(t, dial(t, s), head+much))
		}
	})
}

// TestAHeadThatDripsIsTimedOut however many bytes come.
func TestAHeadThatDripsIsTimedOut(t *testing.T) {
	bothWays(t, Options{Handler: echoed, ReadHeader: time.Second}, func(t *testing.T, s *Server) {
		nc := dial(t, s)
		began := time.Now()
		_, err := io.WriteString(nc, "GET /")
		require.NoError(t, err)
		go func() {
			for {
				if _, err := io.WriteString(nc, "a"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
		require.NoError(t, err)
		body, _ := io.ReadAll(resp.Body)
		assert.Equal(t, "request-timeout", string(body))
		assert.Less(t, time.Since(began), tooLong)
	})
}

// untilIdle returns when so many connections wait for a further request.
func untilIdle(t *testing.T, s *Server, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		idle := 0
		for c := range s.conns {
			if _, ok := c.idleUntil(); ok {
				idle++
			}
		}
		return idle == n
	}, tooLong, time.Millisecond)
}

// TestMaxConns: one more than may be open is answered and closed, and one that ends
// makes room; an idle one gives way at once.
func TestMaxConns(t *testing.T) {
	s := front(t, Options{Handler: echoed, MaxConns: 3})
	var open []net.Conn
	for range 3 {
		open = append(open, dial(t, s))
	}
	require.Eventually(t, func() bool { n, _ := s.Stats(); return n == 3 }, tooLong, time.Millisecond)
	assert.Equal(t, []string{"too-many-connections"}, talkTo(t, dial(t, s), aGet), "none of them is idle")
	_, refused := s.Stats()
	assert.EqualValues(t, 1, refused)

	br := bufio.NewReader(open[0])
	ask(t, open[0], br, aGet)
	untilIdle(t, s, 1)
	assert.Equal(t, []string{"GET 5 "}, talkTo(t, dial(t, s), last), "the idle one has given way")
	_, err := br.ReadByte()
	assert.ErrorIs(t, err, io.EOF)
	n, refused := s.Stats()
	assert.LessOrEqual(t, n, int64(3))
	assert.EqualValues(t, 1, refused)

	s.SetMaxConns(0, 0, nil)
	for range 5 {
		nc := dial(t, s)
		assert.Equal(t, 200, ask(t, nc, bufio.NewReader(nc), aGet).StatusCode, "there is no limit any more")
	}
}

// TestMaxConnsPerClient: others are not concerned, and trusted peers are exempt.
func TestMaxConnsPerClient(t *testing.T) {
	s := front(t, Options{Handler: echoed, MaxConnsPerClient: 2})
	a, b := dial(t, s), dial(t, s)
	require.Eventually(t, func() bool { n, _ := s.Stats(); return n == 2 }, tooLong, time.Millisecond)
	assert.Equal(t, []string{"too-many-connections"}, talkTo(t, dial(t, s), last))
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	other, err := d.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	assert.Equal(t, []string{"GET 5 "}, talkTo(t, other, last))
	a.Close()
	require.Eventually(t, func() bool { n, _ := s.Stats(); return n == 1 }, tooLong, time.Millisecond)
	assert.Equal(t, []string{"GET 5 "}, talkTo(t, dial(t, s), last))
	b.Close()
	require.Eventually(t, func() bool { n, _ := s.Stats(); return n == 0 }, tooLong, time.Millisecond)
	assert.Empty(t, s.crowd.by)
	s.SetMaxConns(0, 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	dial(t, s)
	assert.Equal(t, []string{"GET 5 "}, talkTo(t, dial(t, s), last))
}

// TestClients: an IPv4 address is one, and an IPv6 network of 64 bits.
func TestClients(t *testing.T) {
	var d crowd
	d.set(0, 1, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	for from, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"10.1.2.3": "invalid Prefix", "::ffff:10.1.2.3": "invalid Prefix",
	} {
		assert.Equal(t, want, d.client(&net.TCPAddr{IP: net.ParseIP(from)}).String(), from)
	}
}

// TestUpgradesAreCounted until they end.
func TestUpgradesAreCounted(t *testing.T) {
	s := front(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(struct{ io.Writer }{nc}, nc)
		nc.Close()
	})})
	nc := dial(t, s)
	_, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ")
	require.NoError(t, err)
	br := bufio.NewReader(nc)
	resp, err := http.ReadResponse(br, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	_, err = io.WriteString(nc, "late")
	require.NoError(t, err)
	got := make([]byte, len("early late"))
	_, err = io.ReadFull(br, got)
	require.NoError(t, err)
	assert.Equal(t, "early late", string(got), "nothing that came before the switch is lost")
	n, _ := s.Stats()
	assert.EqualValues(t, 1, n)
	nc.Close()
	require.Eventually(t, func() bool { n, _ := s.Stats(); return n == 0 }, tooLong, time.Millisecond)
}

// TestAFloodThatReadsNothing: requests come without end and answers are not read.
// The connection waits with what it holds, and ends in its time.
func TestAFloodThatReadsNothing(t *testing.T) {
	bothWays(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	})}, func(t *testing.T, s *Server) {
		nc := dial(t, s)
		require.NoError(t, nc.SetDeadline(time.Now().Add(tooLong)))
		flood, sent, began := []byte(strings.Repeat(aGet, 1000)), 0, time.Now()
		for {
			n, err := nc.Write(flood)
			if sent += n; err != nil {
				break
			}
		}
		assert.Less(t, time.Since(began), tooLong/2, "the connection has ended")
		assert.Less(t, sent, lingerBytes+64<<20, "no more is taken than sockets hold, and is thrown away at the end")
		require.Eventually(t, func() bool { n, _ := s.Stats(); return n == 0 }, tooLong, time.Millisecond)
	})
}
