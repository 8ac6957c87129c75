package upstream

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// answering is a connection that answers each request at once, so that a benchmark
// shows what the way to it costs.
type answering struct {
	net.Conn
	answer string
	left   string
}

func (a *answering) Write(p []byte) (int, error) { a.left = a.answer; return len(p), nil }

func (a *answering) Read(p []byte) (int, error) {
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

// BenchmarkRoundTrip is a GET on a kept connection that costs nothing: through an
// origin alone, and through an upstream with one target and with several. The small
// body comes with the head, the large one does not.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"small", 1 << 10}, {"large", 64 << 10}} {
		answer := "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + strconv.Itoa(size.n) + "\r\n\r\n" + strings.Repeat("x", size.n)
		dial := dialOf(func() net.Conn {
			ours, theirs := net.Pipe()
			theirs.Close()
			return &answering{Conn: quiet{ours}, answer: answer}
		})
		alone, err := origin.New("http://a.test", origin.Options{Dial: dial})
		require.NoError(b, err)
		b.Run(size.name+"/origin", func(b *testing.B) { trips(b, alone) })
		for _, n := range []int{1, 3} {
			o := Options{Origin: origin.Options{Dial: dial}}
			for _, name := range []string{"a", "b", "c"}[:n] {
				o.Targets = append(o.Targets, Target{URL: "http://" + name + ".test"})
			}
			u, err := New(o)
			require.NoError(b, err)
			b.Run(size.name+"/targets-"+strconv.Itoa(n), func(b *testing.B) { trips(b, u) })
			u.Close()
		}
		alone.Close()
	}
}

func trips(b *testing.B, to http.RoundTripper) {
	r, err := http.NewRequest("GET", "http://a.test/some/path?with=query", nil)
	require.NoError(b, err)
	buf := make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := to.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = resp.Body.Read(buf)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}

// quiet is a connection of which only the deadlines are left.
type quiet struct{ net.Conn }

func (quiet) SetDeadline(time.Time) error      { return nil }
func (quiet) SetReadDeadline(time.Time) error  { return nil }
func (quiet) SetWriteDeadline(time.Time) error { return nil }

func dialOf(f func() net.Conn) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return f(), nil }
}
