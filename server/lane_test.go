package server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"cacheproxy/proxy"
)

// inPipes serves a handler over pipes in a bubble, with and without the lane,
// and returns what dials.
func inPipes(t *testing.T, o Options, fn func(t *testing.T, s *Server, dial func() net.Conn)) {
	for _, noLane := range []bool{false, true} {
		t.Run(fmt.Sprintf("lane=%t", !noLane), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := newPipes()
				o := o
				o.NoLane = noLane
				s := New(ln, o)
				go s.Serve()
				defer s.Close()
				fn(t, s, func() net.Conn {
					ours, theirs := net.Pipe()
					ln.conns <- theirs
					t.Cleanup(func() { ours.Close() })
					return ours
				})
			})
		})
	}
}

// sayWhy answers what is refused by the name of the reason.
func sayWhy(dst []byte, q proxy.Refusal) []byte {
	return append(append(dst, q.Reason.String()...), '\n')
}

const plainGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// ask sends a request and returns its answer.
func ask(t *testing.T, nc net.Conn, br *bufio.Reader, request string) *http.Response {
	t.Helper()
	go func() { _, _ = io.WriteString(nc, request) }()
	resp, err := http.ReadResponse(br, nil)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp
}

// TestTimeouts: no connection is ended early, and none much later than said.
func TestTimeouts(t *testing.T) {
	o := Options{
		ReadHeader: 3 * time.Second, Idle: 10 * time.Second, Refuse: sayWhy,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Method == "OPTIONS" {
				time.Sleep(20 * time.Second)
			}
		}),
	}
	for _, tc := range []struct {
		name string
		ask  string // and wait for the answer
		then string // the beginning of another request
		want time.Duration
	}{
		{"no head", "", "", 3 * time.Second},
		{"half a head", "", "GET / HT", 3 * time.Second},
		{"idle", plainGet, "", 10 * time.Second},
		{"half a second head", plainGet, "GET / HT", 3 * time.Second},
		{"half a head after a loan", "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HT", 3 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inPipes(t, o, func(t *testing.T, s *Server, dial func() net.Conn) {
				nc := dial()
				br := bufio.NewReader(nc)
				if tc.ask != "" {
					ask(t, nc, br, tc.ask)
				}
				_, _ = io.WriteString(nc, tc.then)
				began := time.Now()
				answer, _ := io.ReadAll(br)
				took := time.Since(began)
				assert.Equal(t, tc.then != "", strings.HasPrefix(string(answer), "request-timeout"), "%q", answer)
				assert.GreaterOrEqual(t, took, tc.want)
				assert.LessOrEqual(t, took, tc.want+2*tick)
			})
		})
	}
}

// TestAClientThatTakesNothing is cut off, however the answer is framed.
func TestAClientThatTakesNothing(t *testing.T) {
	var failed time.Duration
	o := Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		_ = http.NewResponseController(w).SetWriteDeadline(began.Add(5 * time.Second))
		_, err := w.Write(make([]byte, 1<<20))
		failed = time.Since(began)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	})}
	inPipes(t, o, func(t *testing.T, s *Server, dial func() net.Conn) {
		nc := dial()
		_, _ = io.WriteString(nc, plainGet)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.GreaterOrEqual(t, failed, 5*time.Second)
		assert.LessOrEqual(t, failed, 5*time.Second+2*tick)
	})
}

// TestAFaultEndsOneConnection: a handler that panics takes nobody else with it.
func TestAFaultEndsOneConnection(t *testing.T) {
	var logged strings.Builder
	o := Options{
		ErrorLog: log.New(&logged, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/fault" {
				panic("a fault of ours")
			}
		}),
	}
	inPipes(t, o, func(t *testing.T, s *Server, dial func() net.Conn) {
		logged.Reset()
		other := dial()
		reader := bufio.NewReader(other)
		ask(t, other, reader, plainGet)
		nc := dial()
		_, _ = io.WriteString(nc, "GET /fault HTTP/1.1\r\nHost: x\r\n\r\n")
		answer, _ := io.ReadAll(nc)
		assert.Empty(t, string(answer))
		synctest.Wait()
		assert.Contains(t, logged.String(), "a fault of ours")
		assert.Equal(t, 200, ask(t, other, reader, plainGet).StatusCode)
	})
}

// amidDrain checks the answer to a request that was on its way when the drain
// began.
func amidDrain(t *testing.T, request string, check func(*http.Response)) {
	o := Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) })}
	inPipes(t, o, func(t *testing.T, s *Server, dial func() net.Conn) {
		nc := dial()
		drained := make(chan error)
		go func() {
			time.Sleep(time.Second / 2)
			drained <- s.Drain(t.Context())
		}()
		check(ask(t, nc, bufio.NewReader(nc), request))
		assert.NoError(t, <-drained)
	})
}

// TestDrainSaysClose: such an answer tells its client that the connection ends.
func TestDrainSaysClose(t *testing.T) {
	amidDrain(t, plainGet, func(resp *http.Response) { assert.True(t, resp.Close) })
}

// TestDrainServesLoans: what only net/http can answer is answered in a drain, too.
func TestDrainServesLoans(t *testing.T) {
	amidDrain(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", func(resp *http.Response) {
		assert.Equal(t, 200, resp.StatusCode)
	})
}

// TestPriorKnowledgeIsForClearText: over TLS ALPN chooses HTTP/2, nothing else.
func TestPriorKnowledgeIsForClearText(t *testing.T) {
	ca, err := OpenSelfSigned(t.TempDir())
	require.NoError(t, err)
	s, err := Listen("127.0.0.1:0", Options{TLS: TLSConfig(ca.For), Handler: http.NotFoundHandler(), Refuse: sayWhy})
	require.NoError(t, err)
	go s.Serve()
	defer s.Close()
	nc, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
	require.NoError(t, err)
	defer nc.Close()
	_, err = io.WriteString(nc, http2.ClientPreface)
	require.NoError(t, err)
	answer, _ := io.ReadAll(nc)
	assert.Equal(t, "version-not-supported\n", string(answer))
}
