package server

import (
	"bytes"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
)

// hitCases are requests that the store answers under the configuration "rules",
// and how the answers begin and how much content they have.
var hitCases = []struct {
	name, head, answer string
	length             int
}{
	{"plain", "GET /fresh HTTP/1.1\r\nHost: a.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", "HTTP/1.1 200", 1024},
	{"variant", "GET /gz HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip\r\n\r\n", "HTTP/1.1 200", 300},
	{"not modified", "GET /fresh HTTP/1.1\r\nHost: a.example\r\nIf-None-Match: \"f\"\r\n\r\n", "HTTP/1.1 304", 0},
	{"query", "GET /fresh?utm_source=x&b=2&a=1 HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 200", 1024},
	{"HEAD", "HEAD /fresh HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 200", 0},
	{"large", "GET /large HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 200", 100 << 10},
}

// asker is a client that allocates nothing.
type asker struct {
	tb     testing.TB
	nc     net.Conn
	head   []byte
	room   []byte
	answer []byte // how it begins
	length int    // of the content
}

func newAsker(tb testing.TB, addr, head, answer string, length int) *asker {
	nc, err := net.Dial("tcp", addr)
	require.NoError(tb, err)
	tb.Cleanup(func() { nc.Close() })
	return &asker{tb: tb, nc: nc, head: []byte(head), room: make([]byte, 256<<10), answer: []byte(answer), length: length}
}

var emptyLine = []byte("\r\n\r\n")

// ask sends the request and reads the answer.
func (c *asker) ask() {
	if _, err := c.nc.Write(c.head); err != nil {
		c.tb.Fatal(err)
	}
	for n, end := 0, -1; end < 0 || n < end+len(emptyLine)+c.length; {
		got, err := c.nc.Read(c.room[n:])
		if err != nil {
			c.tb.Fatal(err)
		}
		n += got
		if end < 0 {
			end = bytes.Index(c.room[:n], emptyLine)
		}
	}
	if !bytes.HasPrefix(c.room, c.answer) {
		c.tb.Fatalf("%s was answered %q", c.head, c.room[:12])
	}
}

var usualLimits = headLimits{bytes: 64 << 10, fields: 256, target: 16 << 10}

// BenchmarkParse reads heads.
func BenchmarkParse(b *testing.B) {
	for _, bc := range hitCases {
		b.Run(bc.name, func(b *testing.B) {
			head := []byte(bc.head)
			var rq request
			b.ReportAllocs()
			for b.Loop() {
				if rq.parse(head, &usualLimits) != plain {
					b.Fatal("not plain")
				}
			}
		})
	}
}

// BenchmarkHit makes answers of heads, but for what it takes to read and write.
func BenchmarkHit(b *testing.B) {
	s := newSide(b, lawConfigs[1], true, newPipes(), nil)
	s.quiet.Store(true)
	for _, bc := range hitCases {
		b.Run(bc.name, func(b *testing.B) {
			head := []byte(bc.head)
			var rq request
			var reply proxy.Reply
			var out []byte
			rq.Remote = "192.0.2.1:4711"
			b.ReportAllocs()
			for b.Loop() {
				rq.parse(head, &usualLimits)
				if !s.proxy.Hit(&rq.Head, &reply) {
					b.Fatal("no hit")
				}
				out = reply.AppendHead(out[:0], false)
				reply.Done(reply.Length, true)
			}
			require.True(b, bytes.HasPrefix(out, []byte(bc.answer)), "%q", out)
		})
	}
}

// BenchmarkHitOverTCP asks over a connection, one request after the other. The
// client's part is in it.
func BenchmarkHitOverTCP(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	s := newSide(b, lawConfigs[1], true, ln, nil)
	s.quiet.Store(true)
	for _, bc := range hitCases {
		b.Run(bc.name, func(b *testing.B) {
			c := newAsker(b, ln.Addr().String(), bc.head, bc.answer, bc.length)
			b.ReportAllocs()
			for b.Loop() {
				c.ask()
			}
		})
	}
}
