// Package h2spec holds HTTP/2 to its letter: the cases of RFC 9113 and RFC 7541
// section by section, as frames that are built by hand, and requests that mean
// harm, with what reaches the origin. All goes over real sockets through the
// whole proxy. docs/h2spec.md is made of it.
package h2spec

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"cacheproxy/cache"
	"cacheproxy/internal/witness"
	"cacheproxy/origin"
	"cacheproxy/policy"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ways are how requests go through the proxy.
var ways = []struct {
	name   string
	noLane bool
}{{"from the store", false}, {"from the handler", true}}

// world is an origin and the proxy before it.
type world struct {
	origin *witness.Origin
	addr   string
	close  func() // so that the origin's record is whole
}

// newWorld starts a world in which /stored is stored, /wait is never answered,
// and all else is passed on.
func newWorld(t testing.TB, noLane bool) *world {
	w := &world{origin: witness.Listen(t, answerOf)}
	upstream, err := origin.New("http://"+w.origin.Addr, origin.Options{})
	require.NoError(t, err)
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 4 << 20})
	require.NoError(t, err)
	fetcher := revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 20, MaxVariants: 16})
	handler := proxy.New(fetcher, &proxy.Config{
		Name: "cacheproxy", Token: "edge",
		Routes: []*proxy.Route{{Name: "all", Origin: upstream, Base: proxy.Settings{Rules: policy.DefaultRules()}}},
	}, func(*proxy.Outcome) {})
	front, err := server.Listen("127.0.0.1:0", server.Options{Handler: handler, Hit: handler.Hit, Refuse: handler.Refuse, NoLane: noLane})
	require.NoError(t, err)
	w.addr = front.Addr().String()
	served := make(chan struct{})
	go func() { defer close(served); _ = front.Serve() }()
	var once sync.Once
	w.close = func() {
		once.Do(func() {
			front.Close()
			<-served
			fetcher.Close()
			upstream.Close()
			w.origin.Close()
			require.NoError(t, store.Close())
		})
	}
	t.Cleanup(w.close)
	return w
}

func answerOf(a *witness.Asked) string {
	control := "no-store"
	switch {
	case strings.HasPrefix(a.Target, "/wait"):
		return ""
	case a.Target == "/stored":
		control = "max-age=3600"
	}
	body := "answer"
	if a.Method == http.MethodHead {
		body = ""
	}
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: %s\r\nContent-Length: 6\r\n\r\n%s", control, body)
}
