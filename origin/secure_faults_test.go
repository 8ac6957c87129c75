package origin

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// faults are what an origin of HTTP/1.1 can do wrong, in clear and over TLS.
var faults = []struct {
	name string
	play func(*peer) // after the head of the first request; the connection is closed afterwards
	want Failure
	body string // when want is None
	kept bool   // the connection carries the second request too
}{
	{"good", func(p *peer) { p.say(ok); always(ok)(p) }, None, "ok", true},
	{"chunks", func(p *peer) { p.say(inChunks + "2\r\nok\r\n0\r\n\r\n"); always(ok)(p) }, None, "ok", true},
	{"closed without an answer", func(*peer) {}, Terminated, "", false},
	{"closed amid the head", func(p *peer) { p.say("HTTP/1.1 200 OK\r\nA: b\r\n") }, Terminated, "", false},
	{"reset without an answer", cutOff, Terminated, "", false},
	{"silent", says(""), Timeout, "", false},
	{"silent amid the head", says("HTTP/1.1 200 OK\r\n"), Timeout, "", false},
	{"1xx and then silence", says("HTTP/1.1 103 Early Hints\r\n\r\n"), Timeout, "", false},
	{"a head without end", func(p *peer) { p.say("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 60_000)); p.wait() }, HeadTooLarge, "", false},
	{"garbage", says("\x00\x01\x02\xff"), Invalid, "", false},
	{"HTTP/0.9", says("<p>answer</p>"), Invalid, "", false},
	{"HTTP/2 in text", says("HTTP/2 200 OK\r\n\r\n"), Invalid, "", false},
	{"status 99", says("HTTP/1.1 99 Low\r\n\r\n"), Invalid, "", false},
	{"status 1000", says("HTTP/1.1 1000 High\r\n\r\n"), Invalid, "", false},
	{"a space before a colon", says("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"), Invalid, "", false},
	{"a folded field", says("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"), Invalid, "", false},
	{"NUL", says("HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n"), Invalid, "", false},
	{"a bare CR", says("HTTP/1.1 200 OK\r\nA: b\rB: c\r\n\r\n"), Invalid, "", false},
	{"Content-Length twice, not the same", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), Invalid, "", false},
	{"Content-Length with a sign", says("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"), Invalid, "", false},
	{"Content-Length beside chunks", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), None, "ok", false},
	{"another transfer coding", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), TransferCoding, "", false},
	{"chunks in HTTP/1.0", says("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), TransferCoding, "", false},
	{"bytes after the content", says(ok + "more"), None, "ok", false},
	{"a second answer at once", says(ok + evil), None, "ok", false},
	{"a second answer after the last chunk", says(inChunks + "2\r\nok\r\n0\r\n\r\n" + evil), None, "ok", false},
	{"a second answer later", func(p *peer) { p.say(ok); <-p.heard; p.say(evil); close(p.said); p.wait() }, None, "ok", false},
	{"content after a 204", says("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"), None, "", false},
	{"a body that is short", func(p *peer) { p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok") }, Incomplete, "", false},
	{"reset amid the body", func(p *peer) { p.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"); cutOff(p) }, Incomplete, "", false},
	{"silent amid the body", says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), ReadTimeout, "", false},
	{"closed between chunks", func(p *peer) { p.say(inChunks + "2\r\nok\r\n") }, Incomplete, "", false},
	{"silent amid chunks", says(inChunks + "2\r\nok\r\n"), ReadTimeout, "", false},
	{"a size that is no number", says(inChunks + "zz\r\nok\r\n0\r\n\r\n"), TransferCoding, "", false},
	{"LF alone after a size", says(inChunks + "2\nok\r\n0\r\n\r\n"), TransferCoding, "", false},
	{"no CRLF after a chunk", says(inChunks + "2\r\nok0\r\n\r\n"), TransferCoding, "", false},
	{"a folded trailer", says(inChunks + "2\r\nok\r\n0\r\nA: b\r\n c\r\n\r\n"), Invalid, "", false},
	{"to the end", func(p *peer) { p.say("HTTP/1.1 200 OK\r\n\r\nok") }, None, "ok", false},
	{"reset, and no end was told", func(p *peer) { p.say("HTTP/1.1 200 OK\r\n\r\nok"); cutOff(p) }, Incomplete, "", false},
}

const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

// says is an origin that says so much, and waits.
func says(text string) func(*peer) {
	return func(p *peer) {
		p.say(text)
		p.wait()
	}
}

// cutOff closes the connection below TLS, with a reset.
func cutOff(p *peer) {
	nc := p.Conn
	if c, ok := nc.(*tls.Conn); ok {
		nc = c.NetConn()
	}
	reset(nc)
	nc.Close()
}

// TestFaultsInClearAndOverTLS: strictness does not depend on TLS. After each fault the
// origin is asked again, and no answer is that to something else.
func TestFaultsInClearAndOverTLS(t *testing.T) {
	for _, f := range faults {
		for _, way := range []string{"clear", "TLS 1.2", "TLS 1.3"} {
			t.Run(f.name+" "+way, func(t *testing.T) {
				t.Parallel()
				heard, said := make(chan struct{}), make(chan struct{})
				play := func(p *peer) {
					p.heard, p.said = heard, said
					if p.head() == nil {
						return
					}
					if p.n > 1 {
						says(ok)(p)
						return
					}
					f.play(p)
				}
				options := Options{ResponseHeader: 300 * time.Millisecond, Body: 300 * time.Millisecond}
				var s *server
				var o *Origin
				if way == "clear" {
					s, o = overTCP(t, options, play)
				} else {
					config := goodTLS("http/1.1")
					if way == "TLS 1.2" {
						config.MaxVersion = tls.VersionTLS12
					}
					s, o = overTLS(t, options, config, play)
				}
				if f.want == None {
					_, body := ask(t, o, s.request("GET", ""))
					assert.Equal(t, f.body, body)
				} else {
					fails(t, o, s.request("GET", ""), f.want)
				}
				if f.name == "a second answer later" {
					close(heard)
					<-said
				}
				_, body := ask(t, o, s.request("GET", ""))
				assert.Equal(t, "ok", body)
				assert.Equal(t, f.kept, s.connections() == 1, "%d connections", s.connections())
			})
		}
	}
}

// TestRecordsLeftOver: an answer that nobody asked for may be in TLS already,
// where the socket does not show it.
func TestRecordsLeftOver(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := goodTLS("http/1.1")
		config.MaxVersion = version
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		s := &server{t: t, base: "https://" + ln.Addr().String(), open: make(map[net.Conn]bool), fn: func(p *peer) {
			for p.head() != nil {
				p.batch(func() {
					p.say(ok)
					if p.n == 1 {
						p.say(evil)
					}
				})
			}
		}}
		defer s.close()
		s.wg.Go(func() {
			for {
				nc, err := ln.Accept()
				if err != nil {
					return
				}
				s.serve(tls.Server(&batching{Conn: nc, w: bufio.NewWriter(nc)}, config))
			}
		})
		o := open(t, s.base, Options{TLS: trusting(ca())})
		for range 3 {
			_, body := ask(t, o, s.request("GET", ""))
			assert.Equal(t, "ok", body)
		}
		assert.Equal(t, 2, s.connections(), "the first one is not used again, the second one is")
		ln.Close()
	}
}

// TestAnEndThatNobodyTold: over TLS a body to the end of the connection is
// complete only when the origin says so (RFC 9112, 9.8).
func TestAnEndThatNobodyTold(t *testing.T) {
	for name, tc := range map[string]struct {
		head string
		want Failure
	}{
		"to the end": {"\r\n", Incomplete},
		"sized":      {"Content-Length: 2\r\n\r\n", None},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := overTLS(t, Options{}, goodTLS("http/1.1"), func(p *peer) {
				p.head()
				p.say("HTTP/1.1 200 OK\r\n" + tc.head + "ok")
				_ = p.Conn.(*tls.Conn).NetConn().(*net.TCPConn).CloseWrite() // no closure alert
				p.wait()
			})
			resp, err := o.RoundTrip(s.request("GET", ""))
			require.NoError(t, err)
			b, err := io.ReadAll(resp.Body)
			assert.Equal(t, "ok", string(b))
			assert.Equal(t, tc.want.String(), Classify(err).String(), "%v", err)
			resp.Body.Close()
		})
	}
}
