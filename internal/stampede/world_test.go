//go:build unix

package stampede

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"cacheproxy/cache"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

const (
	crowd   = 1000     // clients
	opening = 64 << 10 // what the origin sends before it waits
)

// world is an origin, the proxy before it, and what they saw; all of them on
// sockets of 127.0.0.1.
type world struct {
	*testing.T
	addr    string // of the proxy
	fetcher *revalidate.Fetcher
	asked   atomic.Int64 // requests at the origin
	gone    chan string  // URIs of requests whose client left
}

// newWorld starts everything, and ends it with the test: then no goroutine may
// be left.
func newWorld(t *testing.T, answer http.HandlerFunc) *world {
	t.Helper()
	needFiles(t, 4*crowd+500)
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	w := &world{T: t, gone: make(chan string, 2*crowd)}

	upstream := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		answer(rw, r)
	}))
	upstream.Config.ErrorLog = log.New(io.Discard, "", 0)
	upstream.Start()
	t.Cleanup(upstream.Close)

	o, err := origin.New(upstream.URL, origin.Options{})
	require.NoError(t, err)
	t.Cleanup(o.Close)
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 256 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { store.Close() })
	w.fetcher = revalidate.New(revalidate.Options{Store: store, MaxObject: 64 << 20, MaxVariants: 16})
	t.Cleanup(w.fetcher.Close)

	handler := proxy.New(w.fetcher, &proxy.Config{
		Name: "cacheproxy", Token: "stampede",
		Routes: []*proxy.Route{{Name: "all", Origin: o, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}, func(o *proxy.Outcome) {
		if o.Aborted {
			w.gone <- o.URI
		}
	})
	front := httptest.NewUnstartedServer(handler)
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.Start()
	t.Cleanup(front.Close)
	w.addr = front.Listener.Addr().String()
	return w
}

// needFiles raises the limit of open files as far as it goes; a client costs
// two, and two more when the proxy asks the origin for it.
func needFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if uint64(limit.Cur) >= n {
		return
	}
	limit.Cur = limit.Max
	err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err != nil || uint64(limit.Cur) < n {
		t.Fatalf("%d clients need %d open files, and the hard limit is %d: raise it, for example with ulimit -Hn %d as root (%v)",
			crowd, n, limit.Max, n, err)
	}
}

// visit is one client's request and what came of it.
type visit struct {
	conn   net.Conn
	resp   *http.Response
	status string // Cache-Status
	read   int64
	err    error // nil for a clean end
}

// ask opens a connection and sends a request; the answer is for read.
func (w *world) ask(path, user string) *visit {
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		return &visit{err: err}
	}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: site.test\r\nUser: %s\r\n\r\n", path, user)
	return &visit{conn: conn, err: err}
}

// follow reads the answer to its end and compares each byte with what is
// wanted; arrived is called at the first one.
func (v *visit) follow(wanted []byte, arrived func()) {
	if v.err != nil {
		return
	}
	defer v.conn.Close()
	v.resp, v.err = http.ReadResponse(bufio.NewReader(v.conn), nil)
	if v.err != nil {
		return
	}
	v.status = v.resp.Header.Get("Cache-Status")
	buf := make([]byte, 8<<10)
	for {
		n, err := v.resp.Body.Read(buf)
		if n > 0 && v.read == 0 {
			arrived()
		}
		if v.read+int64(n) > int64(len(wanted)) || !bytes.Equal(buf[:n], wanted[v.read:v.read+int64(n)]) {
			v.err = fmt.Errorf("other bytes than expected from %d on: %.60q", v.read, buf[:n])
			return
		}
		v.read += int64(n)
		if err == io.EOF {
			return
		}
		if err != nil {
			v.err = err
			return
		}
	}
}

// flock lets clients visit at the same time. With fn each gets its own path
// and content.
func (w *world) flock(n int, fn func(i int) (path, user string, wanted []byte), arrived func()) []*visit {
	visits := make([]*visit, n)
	var wg sync.WaitGroup
	for i := range visits {
		wg.Go(func() {
			path, user, wanted := fn(i)
			visits[i] = w.ask(path, user)
			visits[i].follow(wanted, arrived)
		})
	}
	wg.Wait()
	return visits
}

// one is a single visit.
func (w *world) one(path string, wanted []byte) *visit {
	return w.flock(1, func(int) (string, string, []byte) { return path, "one", wanted }, func() {})[0]
}

// untilWaiting returns when n clients wait for a response head.
func (w *world) untilWaiting(n int64) {
	for w.fetcher.Stats().Waiting < n {
		time.Sleep(time.Millisecond)
	}
}

// latch opens when it has been told n times.
type latch struct {
	left atomic.Int64
	open chan struct{}
}

func newLatch(n int) *latch {
	l := &latch{open: make(chan struct{})}
	l.left.Store(int64(n))
	return l
}

func (l *latch) tell() {
	if l.left.Add(-1) == 0 {
		close(l.open)
	}
}

// content is data in which no two places look alike.
func content(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}
