// Package hostile holds tests against clients that mean harm: requests that two
// parsers might read in two ways, headers that try to change what others get,
// paths that pretend to be others, and answers that are for one user only. Every
// request goes over real sockets through the whole proxy, by the fast lane and
// past it, to an origin that reads bytes and forgives nothing.
package hostile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/internal/witness"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

// tooLong is when something that ends by itself has failed.
const tooLong = 30 * time.Second

// world is an origin and the proxy before it.
type world struct {
	testing.TB
	origin   *witness.Origin
	upstream *origin.Origin
	fetcher  *revalidate.Fetcher
	front    *server.Server
	served   chan struct{}
	stop     sync.Once

	mu   sync.Mutex
	keys []string // of the requests, in the order of their answers
}

// ways are how requests go through the proxy.
var ways = []struct {
	name   string
	noLane bool
}{{"lane", false}, {"slow path", true}}

// newWorld starts a world whose origin answers as it is told to. Nobody is trusted
// unless it is said.
func newWorld(t testing.TB, noLane bool, rules policy.Rules, answer func(*witness.Asked) string, trusted ...netip.Prefix) *world {
	w := &world{TB: t, origin: witness.Listen(t, answer), served: make(chan struct{})}
	var err error
	w.upstream, err = origin.New("http://"+w.origin.Addr, origin.Options{})
	require.NoError(t, err)
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 4 << 20})
	require.NoError(t, err)
	w.fetcher = revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 16})
	handler := proxy.New(w.fetcher, &proxy.Config{
		Name: "cacheproxy", Token: "edge", Trusted: trusted,
		Routes: []*proxy.Route{{Name: "all", Origin: w.upstream, Base: proxy.Settings{Rules: rules}}},
	}, w.observe)
	w.front, err = server.Listen("127.0.0.1:0", server.Options{Handler: handler, Hit: handler.Hit, Refuse: handler.Refuse, NoLane: noLane})
	require.NoError(t, err)
	go func() { defer close(w.served); _ = w.front.Serve() }()
	t.Cleanup(func() {
		w.close()
		require.NoError(t, store.Close())
	})
	return w
}

func (w *world) observe(o *proxy.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys = append(w.keys, string([]byte(o.Key)))
}

// close ends everything, so that the origin's record is whole.
func (w *world) close() {
	w.stop.Do(func() {
		w.front.Close()
		<-w.served
		w.fetcher.Close()
		w.upstream.Close()
		w.origin.Close()
	})
}

// send sends bytes on a connection of its own and returns the answers, until the
// proxy ends the connection, and what went wrong with the last one. It does not
// end its own side: to a server that is a client that has left.
func (w *world) send(input []byte) (answers []answer, err error) {
	nc, err := net.Dial("tcp", w.front.Addr().String())
	require.NoError(w, err)
	defer nc.Close()
	require.NoError(w, nc.SetDeadline(time.Now().Add(tooLong)))
	sent := make(chan struct{})
	go func() { // the proxy may answer, and close, before it has read everything
		defer close(sent)
		_, _ = nc.Write(input)
	}()
	br := bufio.NewReader(nc)
	for err == nil {
		var a answer
		if a, err = readAnswer(br); err == nil {
			answers = append(answers, a)
		}
	}
	nc.Close()
	<-sent
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return answers, err
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool // it says that the connection ends
}

// readAnswer reads an answer. Those to a HEAD must say that they are empty. The
// error is io.EOF when there is none.
func readAnswer(br *bufio.Reader) (answer, error) {
	if _, err := br.Peek(1); err != nil {
		return answer{}, err
	}
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", noEOF(err))
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read content: %w", noEOF(err))
	}
	return answer{resp.StatusCode, resp.Header, string(body), resp.Close}, nil
}

// noEOF keeps an end in the middle from passing for one between answers.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
