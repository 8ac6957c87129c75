//go:build linux

package siege

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"cacheproxy/cache"
	upstream "cacheproxy/origin"
	"cacheproxy/policy"
	front "cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

// TestNothingIsLeftOver makes a tenth of the attack on a proxy within the test. Once
// its parts are closed, with the attack under way, no goroutine is left.
func TestNothingIsLeftOver(t *testing.T) {
	before := goleak.IgnoreCurrent()
	origin := httptest.NewServer(http.HandlerFunc(answer))
	addr, end := inside(t, origin.URL)
	g := newGood(t, addr)
	g.warm()

	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	attack, retreat := context.WithCancel(t.Context())
	defer retreat()
	a := &army{T: t, ctx: attack, addr: addr}
	slow := a.launch(10)
	g.run(ctx, 2, time.Millisecond)
	end()
	retreat()
	a.wg.Wait()
	t.Logf("%s%s", a.report(), g.report())
	assert.GreaterOrEqual(t, slow(), int64(200), "slow connections at once")
	origin.CloseClientConnections()
	origin.Close()
	goleak.VerifyNone(t, before)
}

// inside starts a proxy within the test, and gives where it listens and what ends it.
func inside(t *testing.T, origin string) (addr string, end func()) {
	o, err := upstream.New(origin, upstream.Options{})
	require.NoError(t, err)
	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 64 << 20})
	require.NoError(t, err)
	fetcher := revalidate.New(revalidate.Options{Store: store, MaxObject: 32 << 20, MaxVariants: 64})
	handler := front.New(fetcher, &front.Config{
		Name: "cacheproxy", Token: "siege",
		Routes: []*front.Route{{Name: "all", Origin: o, Base: front.Settings{Rules: policy.DefaultRules()}}},
	}, nil)
	s, err := server.Listen("127.0.0.1:0", server.Options{
		Handler: handler, Hit: handler.Hit, ReadHeader: 10 * time.Second, Idle: time.Minute, Write: time.Minute,
	})
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve() }()
	return s.Addr().String(), func() {
		s.Close()
		<-served
		fetcher.Close()
		store.Close()
		o.Close()
	}
}
