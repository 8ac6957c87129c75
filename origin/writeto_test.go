package origin

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noise is data in which no two places look alike.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return b
}

// tcpPair returns two ends of a connection.
func tcpPair(t *testing.T) (*net.TCPConn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	a, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	b, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.(*net.TCPConn), b.(*net.TCPConn)
}

// TestWriteTo: the same bytes, however the body is framed and wherever it goes.
func TestWriteTo(t *testing.T) {
	for _, size := range []int{0, 1, 10_000, pageSize, splice + 100_005} {
		content := noise(size)
		inChunks := new(bytes.Buffer)
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 1+rand.IntN(40_000))
			inChunks.WriteString(chunk(string(rest[:n])))
			rest = rest[n:]
		}
		for framing, answer := range map[string]string{
			"length": "Content-Length: " + strconv.Itoa(size) + "\r\n\r\n" + string(content),
			"chunks": "Transfer-Encoding: chunked\r\n\r\n" + inChunks.String() + "0\r\nX-Sum: 1\r\n\r\n",
			"to end": "\r\n" + string(content),
		} {
			s, o := overTCP(t, Options{}, func(p *peer) {
				for p.head() != nil {
					p.say("HTTP/1.1 200 OK\r\n" + answer)
					if framing == "to end" {
						return
					}
				}
			})
			for _, sink := range []string{"TCP", "buffer", "writer"} {
				for _, already := range []int{0, 100} { // read before
					t.Run(strconv.Itoa(size)+" "+framing+" "+sink+" "+strconv.Itoa(already), func(t *testing.T) {
						resp, err := o.RoundTrip(s.request("GET", ""))
						require.NoError(t, err)
						if resp.Body == http.NoBody {
							return
						}
						before := make([]byte, already)
						k, _ := io.ReadFull(resp.Body, before)
						got := pour(t, resp.Body.(io.WriterTo), sink, int64(size-k))
						assert.True(t, bytes.Equal(content, append(before[:k], got...)))
						if framing == "chunks" {
							assert.Equal(t, "1", resp.Trailer.Get("X-Sum"))
						}
						n, err := resp.Body.(io.WriterTo).WriteTo(io.Discard)
						assert.EqualValues(t, 0, n)
						require.NoError(t, err)
						require.NoError(t, resp.Body.Close())
					})
				}
			}
			if framing != "to end" {
				assert.Equal(t, 1, s.connections())
			}
		}
	}
}

// pour writes a body of so many bytes to a sink and returns what arrived there.
func pour(t *testing.T, from io.WriterTo, sink string, want int64) []byte {
	t.Helper()
	var buf bytes.Buffer
	var dst io.Writer = &buf
	var wg sync.WaitGroup
	switch sink {
	case "writer":
		dst = struct{ io.Writer }{&buf}
	case "TCP":
		ours, theirs := tcpPair(t)
		dst = ours
		wg.Go(func() {
			b, _ := io.ReadAll(theirs)
			buf.Write(b)
		})
	}
	n, err := from.WriteTo(dst)
	assert.NoError(t, err)
	assert.Equal(t, want, n)
	if c, ok := dst.(io.Closer); ok {
		c.Close()
	}
	wg.Wait()
	return buf.Bytes()
}

func TestWriteToOfABodyThatBreaksOff(t *testing.T) {
	s, o := overTCP(t, Options{}, func(p *peer) {
		p.head()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + string(noise(50_000)))
	})
	for _, sink := range []string{"TCP", "buffer"} {
		resp, err := o.RoundTrip(s.request("GET", ""))
		require.NoError(t, err)
		ours, theirs := tcpPair(t)
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		var dst io.Writer = ours
		if sink == "buffer" {
			dst = new(bytes.Buffer)
		}
		n, err := resp.Body.(io.WriterTo).WriteTo(dst)
		assert.EqualValues(t, 50_000, n)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, Incomplete, Classify(err))
		resp.Body.Close()
	}
}

// Whoever takes slowly is not the origin's fault: what takes longer than the
// origin's time goes on as long as something moves.
func TestWriteToASlowClient(t *testing.T) {
	content := noise(1_000_000)
	s, o := overTCP(t, Options{Body: 200 * time.Millisecond}, always("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"+string(content)))
	resp, err := o.RoundTrip(s.request("GET", ""))
	require.NoError(t, err)
	defer resp.Body.Close()
	ours, theirs := tcpPair(t)
	require.NoError(t, ours.SetWriteBuffer(32<<10))
	require.NoError(t, theirs.SetReadBuffer(32<<10))
	var got []byte
	var wg sync.WaitGroup
	wg.Go(func() {
		first := make([]byte, 100_000)
		for _, part := range [][]byte{first[:50_000], first[50_000:]} {
			time.Sleep(300 * time.Millisecond)
			_, _ = io.ReadFull(theirs, part)
		}
		rest, _ := io.ReadAll(theirs)
		got = append(first, rest...)
	})
	n, err := resp.Body.(io.WriterTo).WriteTo(ours)
	require.NoError(t, err)
	assert.EqualValues(t, len(content), n)
	ours.Close()
	wg.Wait()
	assert.True(t, bytes.Equal(content, got))
}

func TestWriteToAnIdleOrigin(t *testing.T) {
	s, o := overTCP(t, Options{Body: 50 * time.Millisecond}, func(p *peer) {
		p.head()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
		p.wait()
	})
	resp, err := o.RoundTrip(s.request("GET", ""))
	require.NoError(t, err)
	defer resp.Body.Close()
	ours, _ := tcpPair(t)
	n, err := resp.Body.(io.WriterTo).WriteTo(ours)
	assert.EqualValues(t, 5, n)
	assert.ErrorContains(t, err, "no byte of the body for 50ms: i/o timeout")
	assert.Equal(t, ReadTimeout, Classify(err))
}

// full is a writer that takes so much and no more.
type full struct{ room int }

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.room -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// After an error of the sink nobody can go on with the body, and the
// connection is not used again.
func TestWriteToASinkThatIsFull(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + string(noise(50_000)),
		inChunks + chunk(string(noise(50_000))) + "0\r\n\r\n",
	} {
		s, o := overTCP(t, Options{}, always(answer))
		for range 2 {
			resp, err := o.RoundTrip(s.request("GET", ""))
			require.NoError(t, err)
			n, err := resp.Body.(io.WriterTo).WriteTo(&full{room: 1000})
			assert.EqualValues(t, 1000, n)
			assert.Equal(t, errFull, err)
			_, err = resp.Body.Read(make([]byte, 1))
			assert.Equal(t, errFull, err)
			resp.Body.Close()
		}
		assert.Equal(t, 2, s.connections())
	}
}
