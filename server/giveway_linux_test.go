package server

import (
	"crypto/tls"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"cacheproxy/certs"
)

// secure returns a server over TLS, and a client of HTTP/2 that has a connection of its
// own: what it returns asks for a path.
func secure(t *testing.T, o Options) (*Server, func() (get func(path string) error)) {
	t.Helper()
	log, _ := newLog()
	c, err := LoadCertificates([]certs.Pair{newPair(t, "a.example")}, nil, log)
	require.NoError(t, err)
	o.TLS = TLSConfig(c.For)
	s := front(t, o)
	return s, func() func(string) error {
		tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
		t.Cleanup(tr.CloseIdleConnections)
		return func(path string) error {
			resp, err := (&http.Client{Transport: tr, Timeout: tooLong}).Get("https://" + s.Addr().String() + path)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			require.Equal(t, "HTTP/2.0", resp.Proto)
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		}
	}
}

// TestIdleHTTP2GivesWay to a new connection; one with an open stream stays.
func TestIdleHTTP2GivesWay(t *testing.T) {
	goOn := make(chan struct{})
	asked := make(chan struct{})
	s, client := secure(t, Options{MaxConns: 2, Idle: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-goOn
		}
	})})
	busy, idle, third := client(), client(), client()
	slow := make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() { slow <- busy("/slow") })
	defer wg.Wait()
	<-asked
	require.NoError(t, idle("/"))
	require.Eventually(t, func() bool { return third("/") == nil }, tooLong, 10*time.Millisecond, "the idle one has not given way")
	require.Eventually(t, func() bool { return idle("/") == nil }, tooLong, 10*time.Millisecond, "its client comes again, in place of the third")
	n, _ := s.Stats()
	assert.LessOrEqual(t, n, int64(2))
	close(goOn)
	assert.NoError(t, <-slow, "who is being answered does not give way")
}

// TestGivingWayIsAnnounced with GOAWAY.
func TestGivingWayIsAnnounced(t *testing.T) {
	s, client := secure(t, Options{MaxConns: 1, Handler: http.NotFoundHandler()})
	nc, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	defer nc.Close()
	require.NoError(t, nc.SetDeadline(time.Now().Add(tooLong)))
	fr := http2.NewFramer(nc, nc)
	_, err = io.WriteString(nc, http2.ClientPreface)
	require.NoError(t, err)
	require.NoError(t, fr.WriteSettings())
	read := func() (frames []http2.FrameType) {
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				assert.ErrorIs(t, err, io.EOF)
				return frames
			}
			frames = append(frames, f.Header().Type)
		}
	}
	get := client()
	require.Eventually(t, func() bool { return get("/") == nil }, tooLong, 10*time.Millisecond)
	frames := read()
	assert.Equal(t, http2.FrameGoAway, frames[len(frames)-1])
	n, _ := s.Stats()
	assert.LessOrEqual(t, n, int64(1))
}

// TestTheOneThatWaitedLongestGivesWay, whatever it speaks.
func TestTheOneThatWaitedLongestGivesWay(t *testing.T) {
	s, client := secure(t, Options{MaxConns: 3, Idle: time.Minute, Handler: http.NotFoundHandler()})
	first, second := client(), client()
	require.NoError(t, first("/"))
	time.Sleep(2 * tick) // the clock of HTTP/1.1 is a coarse one
	one, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer one.Close()
	_, err = io.WriteString(one, aGet)
	require.NoError(t, err)
	_, err = one.Read(make([]byte, 1))
	require.NoError(t, err)
	time.Sleep(2 * tick)
	require.NoError(t, second("/"))
	untilIdle(t, s, 3)
	of := func(c *conn) string {
		if c.multi.Load() != nil {
			return "HTTP/2"
		}
		return "HTTP/1.1"
	}
	var spoke []string
	for range 3 {
		s.mu.Lock()
		before := map[*conn]bool{}
		for c := range s.conns {
			before[c] = true
		}
		require.True(t, s.shed())
		s.mu.Unlock()
		require.Eventually(t, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			for c := range before {
				if _, ok := s.conns[c]; !ok {
					spoke = append(spoke, of(c))
					return true
				}
			}
			return false
		}, tooLong, time.Millisecond)
	}
	assert.Equal(t, []string{"HTTP/2", "HTTP/1.1", "HTTP/2"}, spoke)
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.False(t, s.shed(), "there is none left")
}
