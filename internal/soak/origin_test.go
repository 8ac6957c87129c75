//go:build linux

package soak

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cacheproxy/internal/siege/rig"
)

// origin is a server that can be gone for a while, and is back at the same address.
type origin struct {
	*ledger
	name, addr string
	// after is how long the proxy may hold a failure against it: an origin that
	// failed several times in a row, or asked to be left alone, is not asked for
	// some seconds.
	after    time.Duration
	answer   func(http.ResponseWriter, *http.Request) (good bool)
	troubles troubles // for failures
	gone     troubles // of these: it could not be reached, and what was under way broke off

	mu     sync.Mutex
	server *http.Server
	closed sync.WaitGroup
}

// newOrigins makes both origins, and opens them.
func newOrigins(t *testing.T, l *ledger, s *site) (steady *origin, moody *moods) {
	steady = &origin{ledger: l, name: "steady.test", addr: rig.FreeAddr(t), after: 2 * time.Second, answer: s.answer}
	moody = &moods{origin: &origin{ledger: l, name: "moody.test", addr: rig.FreeAddr(t), after: 5 * time.Second}}
	moody.origin.answer = moody.answer
	for _, o := range []*origin{steady, moody.origin} {
		o.open(t)
		t.Cleanup(o.close)
	}
	return steady, moody
}

func (o *origin) open(t *testing.T) {
	var ln net.Listener
	rig.Eventually(t, func() (ok bool) {
		var err error
		ln, err = net.Listen("tcp", o.addr)
		return err == nil
	}, func() string { return "the address of an origin is taken" })
	s := &http.Server{Handler: o, ErrorLog: log.New(io.Discard, "", 0)}
	o.mu.Lock()
	o.server = s
	o.mu.Unlock()
	o.closed.Go(func() { _ = s.Serve(ln) })
}

func (o *origin) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.server.Close()
	o.closed.Wait()
}

// restart is gone for a while.
func (o *origin) restart(t *testing.T, d time.Duration) {
	o.gone.begin()
	o.troubles.begin()
	o.close()
	time.Sleep(d)
	o.open(t)
	o.gone.end()
	o.troubles.end()
}

// ServeHTTP notes what was answered well. A failure is made on purpose, and notes itself.
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o.answer(w, r) {
		o.note(r.Header.Get(idField), whole)
	}
}

// fail notes a failure that is made on purpose.
func (o *origin) fail(r *http.Request, how string) {
	o.troubles.at()
	o.note(r.Header.Get(idField), how)
}

// site is what the steady origin has.
type site struct {
	versions [pages]atomic.Int64
	torn     atomic.Int64 // contents that came as complete, and were not what the client sent
}

func (s *site) answer(w http.ResponseWriter, r *http.Request) (good bool) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	key, err := strconv.Atoi(rest)
	switch {
	case err != nil || key < 0 || key >= pages:
		http.NotFound(w, r)
	case r.Method == http.MethodPost:
		s.change(w, r, key)
	case kind == "page":
		s.page(w, r, key)
	case kind == "static": // a rule of the proxy gives it a lifetime
		send(w, key, page(key, 0, "-"))
	case kind == "large":
		w.Header().Set("Cache-Control", "max-age=3600")
		send(w, key, large(key))
	default:
		http.NotFound(w, r)
	}
	return true
}

// change makes a new version of a page, if all of the content has arrived.
func (s *site) change(w http.ResponseWriter, r *http.Request, key int) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client left
	}
	if sum(string(content)) != r.Header.Get(sumField) {
		s.torn.Add(1)
	}
	w.Header().Set("Version", strconv.FormatInt(s.versions[key].Add(1), 10))
	w.WriteHeader(http.StatusNoContent)
}

func (s *site) page(w http.ResponseWriter, r *http.Request, key int) {
	version := s.versions[key].Load()
	tag := fmt.Sprintf(`"%d-%d"`, key, version)
	h := w.Header()
	h.Set("Version", strconv.FormatInt(version, 10))
	h.Set("Cache-Control", "max-age=3600")
	switch kindOf(key) {
	case varied:
		h.Set("Vary", "Tongue")
	case validated:
		h.Set("Cache-Control", "max-age=0")
		h.Set("Etag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	case private:
		h.Set("Cache-Control", "private, max-age=60")
	case brief:
		h.Set("Cache-Control", "max-age=1, stale-while-revalidate=2")
		h.Set("Etag", tag)
	}
	send(w, key, page(key, version, r.Header.Get("Tongue")))
}

// send sends text, every other with its length.
func send(w http.ResponseWriter, key int, text string) {
	if key%2 == 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	}
	_, _ = io.WriteString(w, text)
}

// moods is an origin that fails while it is told to.
type moods struct {
	*origin
	bad atomic.Bool
}

func (m *moods) answer(w http.ResponseWriter, r *http.Request) (good bool) {
	key, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/mood/"))
	if err != nil {
		http.NotFound(w, r)
		return true
	}
	text := mood(key)
	w.Header().Set("Cache-Control", []string{"no-store", "max-age=1", "max-age=1, must-revalidate"}[key%3])
	if m.bad.Load() && rand.IntN(3) == 0 {
		m.fault(w, r, text)
		return false
	}
	send(w, key, text)
	return true
}

// fault is one of the ways to fail.
func (m *moods) fault(w http.ResponseWriter, r *http.Request, text string) {
	h := w.Header()
	switch way := rand.IntN(8); way {
	case 0, 1, 2, 3:
		status := []int{500, 502, 503, 504}[way]
		m.fail(r, "answered "+strconv.Itoa(status))
		h.Set("Cache-Control", "no-store")
		if status == http.StatusServiceUnavailable {
			h.Set("Retry-After", "1")
		}
		w.WriteHeader(status)
	case 4:
		m.fail(r, "closed before the head")
		panic(http.ErrAbortHandler)
	case 5:
		m.fail(r, "closed amid the body")
		h.Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = io.WriteString(w, text[:len(text)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case 6:
		m.fail(r, "sent garbage")
		raw(w, "what is this?\r\n\r\n")
	case 7:
		m.fail(r, "sent two lengths")
		raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
	}
}

func raw(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}
