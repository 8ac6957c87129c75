package proxy

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestAskersKeepsNobody whose requests have ended, and counts nobody for another.
func TestAskersKeepsNobody(t *testing.T) {
	p, c := &Proxy{}, &Config{MaxClientRequests: 2}
	ask := func(remote string) (x *exchange, ok bool) {
		x = &exchange{p: p, c: c, r: &http.Request{RemoteAddr: remote}}
		return x, x.enter()
	}
	var under []*exchange
	for i := range 1000 {
		for port := range 2 {
			x, ok := ask(fmt.Sprintf("10.0.%d.%d:%d", i/250, i%250, 1000+port))
			assert.True(t, ok)
			under = append(under, x)
		}
	}
	x, ok := ask("10.0.0.1:9")
	assert.False(t, ok)
	x.leave() // what was not counted is not taken away
	_, ok = ask("[::ffff:10.0.0.1]:9")
	assert.False(t, ok, "the same address in other words")
	assert.EqualValues(t, 2000, p.Asking())
	assert.Len(t, p.askers.by, 1000)
	for _, x := range under {
		x.leave()
		x.leave()
	}
	assert.Zero(t, p.Asking())
	assert.Empty(t, p.askers.by)
}

// TestAllRequestsCountBeforeTheClients: what is refused for all is not counted for one.
func TestAllRequestsCountBeforeTheClients(t *testing.T) {
	p, c := &Proxy{}, &Config{MaxRequests: 1, MaxClientRequests: 2}
	first := &exchange{p: p, c: c, r: &http.Request{RemoteAddr: "192.0.2.1:1"}}
	assert.True(t, first.enter())
	other := &exchange{p: p, c: c, r: &http.Request{RemoteAddr: "192.0.2.2:1"}}
	assert.False(t, other.enter())
	assert.Len(t, p.askers.by, 1)
	first.leave()
	assert.True(t, other.enter())
	other.leave()
	assert.Empty(t, p.askers.by)
}

// TestThePlaceIsFreeForTheNext: who has an answer may ask again at once, however little
// room there is.
func TestThePlaceIsFreeForTheNext(t *testing.T) {
	x := newPurging(t)
	c := *x.p.config.Load()
	c.MaxRequests = 1
	x.p.SetConfig(&c)
	for i := range 2000 {
		x.get(fmt.Sprintf("http://a.test/%d", i))
		if i%4 == 0 {
			x.get(fmt.Sprintf("http://a.test/%d", i), "Cache-Control: no-store")
			x.get(fmt.Sprintf("http://a.test/%d", i), "Cache-Control: no-cache")
		}
	}
	assert.Zero(t, x.p.Asking())
}

// TestAskersUnderLoad: no client ever has more than it may, and the account is even at
// the end.
func TestAskersUnderLoad(t *testing.T) {
	var a askers
	var wg sync.WaitGroup
	client := netip.MustParsePrefix("192.0.2.1/32")
	var now, greatest atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				if !a.enter(client, 3) {
					continue
				}
				n := now.Add(1)
				for g := greatest.Load(); n > g && !greatest.CompareAndSwap(g, n); g = greatest.Load() {
				}
				now.Add(-1)
				a.leave(client)
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, greatest.Load(), int64(3))
	assert.Empty(t, a.by)
}

func TestPeerNetwork(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "10.1.2.3": "invalid Prefix", "::ffff:10.1.2.3": "invalid Prefix", "fd00::1%eth0": "invalid Prefix",
	} {
		assert.Equal(t, want, PeerNetwork(netip.MustParseAddr(addr), trusted).String(), addr)
	}
	assert.False(t, PeerNetwork(netip.Addr{}, nil).IsValid())
}
