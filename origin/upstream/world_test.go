package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// world is scripted origins on pipes, in a bubble, and what they have been asked.
type world struct {
	*testing.T
	start time.Time
	wg    sync.WaitGroup

	mu    sync.Mutex
	hosts map[string]*host
	log   []arrival
	conns int
	open  map[net.Conn]bool
	ups   []*Upstream
}

// host is one scripted origin. answer gets each request and returns what is to
// be written; "" closes the connection, and silence never answers.
type host struct {
	answer  func(arrival) string
	refuses error // no connection comes about
	deaf    bool  // nor an answer to that
	dials   int
	asked   int // requests, since the log was looked at
}

const silence = "silence"

// arrival is a request as an origin has it.
type arrival struct {
	at      time.Duration // since the start
	host    string        // that was connected to
	n       int           // which request to it, from 1
	conn    int           // which connection of all, from 1
	name    string        // Host
	method  string
	uri     string
	content string
}

// bubble runs f with a world in which time is virtual.
func bubble(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, start: time.Now(), hosts: map[string]*host{}, open: map[net.Conn]bool{}}
		defer w.close()
		f(w)
	})
}

// host adds an origin, or gives one another answer.
func (w *world) host(name string, answer func(arrival) string) *host {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hosts[name]
	if h == nil {
		h = &host{}
		w.hosts[name] = h
	}
	h.answer = answer
	return h
}

// refuse has connections to an origin fail from now on, or come about again.
func (w *world) refuse(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[name].refuses = err
}

var refused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

func (w *world) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	name, _, _ := strings.Cut(addr, ":")
	w.mu.Lock()
	h := w.hosts[name]
	h.dials++
	err, deaf := h.refuses, h.deaf
	w.mu.Unlock()
	if deaf {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	w.mu.Lock()
	w.conns++
	n := w.conns
	w.open[theirs] = true
	w.mu.Unlock()
	w.wg.Go(func() {
		defer theirs.Close()
		w.serve(name, n, theirs)
	})
	return ours, nil
}

func (w *world) serve(name string, conn int, nc net.Conn) {
	br := bufio.NewReader(nc)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		content := ""
		if r.Header.Get("Expect") == "" {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			content = string(b)
		}
		w.mu.Lock()
		h := w.hosts[name]
		h.asked++
		a := arrival{time.Since(w.start), name, h.asked, conn, r.Host, r.Method, r.URL.RequestURI(), content}
		w.log = append(w.log, a)
		answer := h.answer
		w.mu.Unlock()
		switch text := answer(a); text {
		case "":
			return
		case silence:
			_, _ = br.ReadByte()
			return
		default:
			if r.Method == http.MethodHead {
				text, _, _ = strings.Cut(text, "\r\n\r\n")
				text += "\r\n\r\n"
			}
			if _, err := io.WriteString(nc, text); err != nil {
				return
			}
		}
	}
}

// close ends the upstreams, and then the origins.
func (w *world) close() {
	for _, u := range w.ups {
		u.Close()
	}
	w.mu.Lock()
	for nc := range w.open {
		nc.Close()
	}
	w.mu.Unlock()
	w.wg.Wait()
}

// dials returns how often a connection to an origin was tried.
func (w *world) dials(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hosts[name].dials
}

// deafen has an origin not answer to connections any more.
func (w *world) deafen(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[name].deaf = true
}

// asked returns what origins have been asked so far, and forgets it.
func (w *world) asked() []arrival {
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log
	w.log = nil
	for _, h := range w.hosts {
		h.asked = 0
	}
	return log
}

// upstream makes one of origins by name: "b:3" has weight 3, "+c" is a backup.
func (w *world) upstream(o Options, names ...string) *Upstream {
	w.Helper()
	for _, name := range names {
		t := Target{}
		name, t.Backup = strings.CutPrefix(name, "+")
		if short, weight, ok := strings.Cut(name, ":"); ok {
			_, err := fmt.Sscan(weight, &t.Weight)
			require.NoError(w, err)
			name = short
		}
		t.URL = "http://" + name + ".test"
		w.mu.Lock()
		if w.hosts[name+".test"] == nil {
			w.hosts[name+".test"] = &host{answer: always(ok)}
		}
		w.mu.Unlock()
		o.Targets = append(o.Targets, t)
	}
	o.Name = "app"
	o.Origin.Dial = w.dial
	u, err := New(o)
	require.NoError(w, err)
	w.ups = append(w.ups, u)
	return u
}

// one makes an upstream of one target and a backup, so that all failures of the target
// count.
func (w *world) one(o Options) *Upstream {
	w.Helper()
	return w.upstream(o, "a", "+spare")
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func always(text string) func(arrival) string { return func(arrival) string { return text } }

// first gives answers to the first requests, and ok to all after them.
func first(answers ...string) func(arrival) string {
	return func(a arrival) string {
		if a.n <= len(answers) {
			return answers[a.n-1]
		}
		return ok
	}
}

// status is an answer with a status and fields.
func status(code int, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", fields[i], fields[i+1])
	}
	fmt.Fprintf(&b, "Content-Length: 4\r\n\r\n%04d", code)
	return b.String()
}

// request makes a request as the proxy would; content of "" is none.
func (w *world) request(u *Upstream, method, uri, content string) *http.Request {
	w.Helper()
	var body io.Reader
	if content != "" {
		body = struct{ io.Reader }{strings.NewReader(content)}
	}
	r, err := http.NewRequestWithContext(w.Context(), method, u.URL().String()+uri, body)
	require.NoError(w, err)
	r.Host = "www.example.com"
	r.ContentLength = int64(len(content))
	return r
}

// got is what came of a request.
type got struct {
	status int
	body   string
	target string
	err    *origin.Error
	took   time.Duration
}

func (g got) failure() origin.Failure {
	if g.err == nil {
		return origin.None
	}
	return g.err.Failure
}

// send makes an exchange, with all of the body.
func (w *world) send(u *Upstream, r *http.Request) got {
	w.Helper()
	start := time.Now()
	resp, err := u.RoundTrip(r)
	g := got{}
	if err == nil {
		var b []byte
		b, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		g.status, g.body, g.target = resp.StatusCode, string(b), resp.Request.URL.Host
	}
	g.took = time.Since(start)
	if err != nil {
		require.ErrorAs(w, err, &g.err)
	}
	return g
}

func (w *world) get(u *Upstream) got {
	w.Helper()
	return w.send(u, w.request(u, "GET", "/", ""))
}

// condition is that of a target.
func condition(u *Upstream, i int) Condition { return u.Targets()[i].Condition }

// idle checks that no request is taken to be under way.
func (w *world) idle(u *Upstream) {
	w.Helper()
	for _, s := range u.Targets() {
		assert.Zero(w, s.InFlight, s.URL)
	}
	assert.Zero(w, u.Waiting())
}
