package proxytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"

	"cacheproxy/origin"
)

// backend is the scripted origin.
type backend struct {
	w  *world
	wg sync.WaitGroup

	mu      sync.Mutex
	down    bool
	refusal *origin.Error // in place of any connection; nil = none
	answers []*answer
	seen    []*received
	dropped int
	conns   map[net.Conn]bool
	trouble []string // requests that the script has no answer for
}

// received is a request as the origin got it.
type received struct {
	method, target, version string
	header                  http.Header
	body                    []byte
	trailer                 http.Header
}

var errDropped = errors.New("the proxy closed the connection")

// dial makes a connection to the origin, for origin.Options.
func (s *backend) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
	}
	ours, theirs := net.Pipe()
	s.conns[ours] = true
	s.wg.Go(func() {
		err := s.serve(ours)
		ours.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, ours)
		if err != nil {
			s.dropped++
		}
	})
	return theirs, nil
}

// serve answers the requests of one connection; an error means that the proxy
// broke off an answer.
func (s *backend) serve(conn net.Conn) error {
	br := bufio.NewReader(conn)
	for {
		start, h, err := readHead(br)
		if err != nil {
			return nil
		}
		rq := &received{header: h}
		parts := strings.SplitN(start, " ", 3)
		rq.method, rq.target, rq.version = parts[0], parts[1], parts[len(parts)-1]
		a := s.take(rq)
		if a == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 500 Not In Script\r\nContent-Length: 0\r\n\r\n")
			return nil
		}
		// Interim responses come before the content, which may wait for them.
		if err := a.do(conn, a.before, false); err != nil {
			return notEOF(err)
		}
		if !a.unread {
			if err := s.readBody(br, rq); err != nil {
				return err
			}
		}
		if err := a.play(conn, rq.method, s.w); err != nil {
			return notEOF(err)
		}
		if a.unread {
			return nil
		}
	}
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// take notes a request and finds its answer.
func (s *backend) take(rq *received) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, rq)
	for i, a := range s.answers {
		if a.once && a.fits(rq, s.w) {
			s.answers = slices.Delete(s.answers, i, i+1)
			return a
		}
	}
	for _, a := range slices.Backward(s.answers) {
		if a.fits(rq, s.w) {
			return a
		}
	}
	s.trouble = append(s.trouble, rq.method+" "+rq.target)
	return nil
}

func (s *backend) readBody(br *bufio.Reader, rq *received) error {
	trailer, err := readBody(br, rq.header, false, func(b []byte) {
		s.mu.Lock()
		defer s.mu.Unlock()
		rq.body = append(rq.body, b...)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	rq.trailer = trailer
	return err
}

// unanswered returns the requests that no answer was scripted for, once.
func (s *backend) unanswered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trouble
	s.trouble = nil
	return t
}

func (s *backend) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	if down {
		for c := range s.conns {
			c.Close()
		}
	}
}

func (s *backend) close() {
	s.setDown(true)
	s.wg.Wait()
}

// checkSaw holds the number of requests, and what the last one was, against a script.
func (s *backend) checkSaw(count string, cols []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := fmt.Sprint(len(s.seen)); got != count {
		var all []string
		for _, rq := range s.seen {
			all = append(all, rq.method+" "+rq.target)
		}
		return fmt.Errorf("expected origin saw %s, got %s: %s", count, got, strings.Join(all, ", "))
	}
	if len(cols) == 0 {
		return nil
	}
	if len(s.seen) == 0 {
		return fmt.Errorf("expected %q, got no request", cols[0])
	}
	rq := s.seen[len(s.seen)-1]
	if got := rq.method + " " + rq.target; got != cols[0] {
		return fmt.Errorf("expected origin saw %q last, got %q", cols[0], got)
	}
	return check(cols[1:], rq.facts)
}

func (rq *received) facts(name string) []string {
	if t, ok := strings.CutPrefix(name, "trailer."); ok {
		return rq.trailer.Values(t)
	}
	switch name {
	case "body", "bytes":
		return []string{string(rq.body)}
	case "version":
		return []string{rq.version}
	}
	return rq.header.Values(name)
}
