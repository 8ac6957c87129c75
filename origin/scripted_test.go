package origin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// peer is the origin's end of a connection.
type peer struct {
	net.Conn
	br *bufio.Reader
	n  int // which connection this is, from 1

	heard, said chan struct{} // closed when the first answer has been heard, and when what follows it is said
}

func newPeer(nc net.Conn) *peer { return &peer{Conn: nc, br: bufio.NewReader(nc)} }

// head reads the lines of a request head, without their ends.
func (p *peer) head() (lines []string) {
	for {
		line, err := p.br.ReadString('\n')
		if err != nil || line == "\r\n" {
			return lines
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
	}
}

// body reads so many bytes of content.
func (p *peer) body(n int) string {
	b := make([]byte, n)
	n, _ = io.ReadFull(p.br, b)
	return string(b[:n])
}

func (p *peer) say(s string) { _, _ = io.WriteString(p, s) }

// wait waits until the other side closes or says something.
func (p *peer) wait() { _, _ = p.br.ReadByte() }

// server is a scripted origin: fn plays each of its connections, and closes it
// by returning.
type server struct {
	t    *testing.T
	fn   func(*peer)
	base string
	wg   sync.WaitGroup
	mu   sync.Mutex
	n    int
	open map[net.Conn]bool
}

func (s *server) serve(nc net.Conn) {
	s.mu.Lock()
	s.n++
	p := newPeer(nc)
	p.n = s.n
	s.open[nc] = true
	s.mu.Unlock()
	s.wg.Go(func() {
		defer nc.Close()
		s.fn(p)
	})
}

// connections returns how many there have been.
func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

func (s *server) close() {
	s.mu.Lock()
	for nc := range s.open {
		nc.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// overTCP serves on a port of 127.0.0.1.
func overTCP(t *testing.T, o Options, fn func(*peer)) (*server, *Origin) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &server{t: t, fn: fn, base: "http://" + ln.Addr().String(), open: make(map[net.Conn]bool)}
	s.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			s.serve(nc)
		}
	})
	t.Cleanup(func() {
		ln.Close()
		s.close()
	})
	return s, open(t, s.base, o)
}

// overPipes serves on pipes, for bubbles. A pipe cannot be looked at.
func overPipes(t *testing.T, o Options, fn func(*peer)) (*server, *Origin) {
	t.Helper()
	s := &server{t: t, fn: fn, base: "http://origin.test", open: make(map[net.Conn]bool)}
	o.Dial = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		s.serve(theirs)
		return ours, nil
	}
	t.Cleanup(s.close)
	return s, open(t, s.base, o)
}

// request makes a request; content of "" is none.
func (s *server) request(method, content string) *http.Request {
	s.t.Helper()
	var body io.Reader
	if content != "" {
		body = struct{ io.Reader }{strings.NewReader(content)} // which net/http does not know
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+"/", body)
	require.NoError(s.t, err)
	r.ContentLength = int64(len(content))
	return r
}

// ask makes an exchange and reads the body.
func ask(t *testing.T, o *Origin, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := o.RoundTrip(r)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp, string(b)
}

// fails makes an exchange that must not succeed, and returns why, without the target.
func fails(t *testing.T, o *Origin, r *http.Request, want Failure) error {
	t.Helper()
	resp, err := o.RoundTrip(r)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	var known *Error
	require.ErrorAs(t, err, &known)
	assert.Equal(t, want.String(), Classify(err).String(), "%v", err)
	assert.Equal(t, o.target, known.Target)
	assert.Equal(t, o.target+": "+known.Err.Error(), err.Error())
	return known.Err
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// always answers each request with the same bytes.
func always(answer string) func(*peer) {
	return func(p *peer) {
		for p.head() != nil {
			p.say(answer)
		}
	}
}

func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
