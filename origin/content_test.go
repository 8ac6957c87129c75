package origin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestContentNotTakenOverHTTP2: with its window shut, an origin takes nothing.
func TestContentNotTakenOverHTTP2(t *testing.T) {
	play := func(w *two) {
		for w.request() != 0 { // and no window update
		}
	}
	s, o := over2(t, Options{ResponseHeader: 300 * time.Millisecond}, play)
	err := fails(t, o, s.request("POST", strings.Repeat("x", 1<<20)), WriteTimeout)
	assert.ErrorContains(t, err, "nothing of the request's content taken for 300ms")
	s, o = over2(t, Options{ResponseHeader: 300 * time.Millisecond}, play)
	err = fails(t, o, s.request("POST", "little"), Timeout)
	assert.ErrorContains(t, err, "no response head within 300ms")
}

// TestContentOverHTTP2: an origin gets it whole, and what is wrong with it is not the
// origin's fault. Whatever becomes of it, it is closed once.
func TestContentOverHTTP2(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		for _, tc := range []struct {
			name   string
			breaks bool
			length int64
			want   Failure
		}{
			{"sized", false, 7, None},
			{"of unknown length", false, -1, None},
			{"short", false, 9, Canceled},
			{"long", false, 5, Canceled},
			{"broken", true, -1, Canceled},
		} {
			t.Run(tc.name+" "+protocol, func(t *testing.T) {
				got := make(chan string, 1)
				s, o := overTLS(t, Options{}, goodTLS(protocol), func(p *peer) {
					serveHTTP(p, func(w http.ResponseWriter, r *http.Request) {
						b, _ := io.ReadAll(r.Body)
						got <- string(b)
						_, _ = io.WriteString(w, "ok")
					})
				})
				content := &closing{Reader: strings.NewReader("content")}
				if tc.breaks {
					content.Reader = io.MultiReader(content.Reader, brokenContent{})
				}
				r := s.request("POST", "")
				r.Body, r.ContentLength = content, tc.length
				if tc.want == None {
					_, body := ask(t, o, r)
					assert.Equal(t, "ok", body)
					assert.Equal(t, "content", <-got)
				} else {
					fails(t, o, r, tc.want)
				}
				assert.Eventually(t, func() bool { return content.closed.Load() == 1 }, 5*time.Second, time.Millisecond)
			})
		}
	}
}

type brokenContent struct{}

func (brokenContent) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// serveHTTP answers requests of either protocol on one connection.
func serveHTTP(p *peer, handle http.HandlerFunc) {
	if p.state().NegotiatedProtocol == "h2" {
		ended := make(chan net.Conn)
		server := &http.Server{Handler: handle, ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(ended)
			}
		}}
		_ = server.Serve(&single{p.Conn, ended})
		return
	}
	for {
		r, err := http.ReadRequest(p.br)
		if err != nil {
			return
		}
		w := &recorded{header: make(http.Header)}
		handle(w, r)
		p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", w.text.Len(), w.text.String()))
	}
}

// single is a listener with one connection.
type single struct {
	conn  net.Conn
	ended chan net.Conn // closed when the connection has ended
}

func (l *single) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.ended
	return nil, net.ErrClosed
}

func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return &net.TCPAddr{} }

type recorded struct {
	header http.Header
	text   strings.Builder
}

func (w *recorded) Header() http.Header         { return w.header }
func (w *recorded) WriteHeader(int)             {}
func (w *recorded) Write(b []byte) (int, error) { return w.text.Write(b) }
