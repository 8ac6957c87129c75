package origin

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// zone is a name server of one name, and the network behind it.
type zone struct {
	mu    sync.Mutex
	addrs []netip.Addr
	err   error
	asked int
	deaf  map[string]string // address -> "refuses" or "hangs"
	dials []string
	open  []net.Conn
	wg    sync.WaitGroup
}

func (z *zone) set(err error, addrs ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.err, z.addrs = err, nil
	for _, a := range addrs {
		z.addrs = append(z.addrs, netip.MustParseAddr(a))
	}
}

func (z *zone) lookup(context.Context, string) ([]netip.Addr, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked++
	return z.addrs, z.err
}

func (z *zone) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(addr)
	z.mu.Lock()
	z.dials = append(z.dials, host)
	how := z.deaf[host]
	z.mu.Unlock()
	switch how {
	case "refuses":
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	case "hangs":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	z.mu.Lock()
	z.open = append(z.open, theirs)
	z.mu.Unlock()
	z.wg.Go(func() { always(ok)(newPeer(theirs)) })
	return ours, nil
}

// dialed returns the addresses of the connections made since it was called last.
func (z *zone) dialed() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	out := z.dials
	z.dials = nil
	return out
}

func (z *zone) lookups() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := z.asked
	z.asked = 0
	return n
}

// named runs fn with an origin whose name is looked up in a zone.
func named(t *testing.T, fn func(t *testing.T, z *zone, o *Origin)) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{deaf: make(map[string]string)}
		o := open(t, "http://origin.test", Options{Dial: z.dial, Lookup: z.lookup, Resolve: 10 * time.Second, Idle: time.Hour})
		fn(t, z, o)
		o.Close()
		for _, c := range z.open {
			c.Close()
		}
		z.wg.Wait()
	})
}

func TestAddressesThatGo(t *testing.T) {
	named(t, func(t *testing.T, z *zone, o *Origin) {
		z.set(nil, "192.0.2.1")
		ask(t, o, get(t, "http://origin.test"))
		assert.Equal(t, []string{"192.0.2.1"}, z.dialed())

		z.set(nil, "192.0.2.1", "192.0.2.2")
		time.Sleep(11 * time.Second)
		ask(t, o, get(t, "http://origin.test"))
		assert.Empty(t, z.dialed(), "one that has come is no reason to leave the old one")

		z.set(errors.New("no answer"))
		time.Sleep(11 * time.Second)
		ask(t, o, get(t, "http://origin.test"))
		assert.Empty(t, z.dialed(), "nor is a look-up that fails")

		z.set(nil, "192.0.2.2")
		time.Sleep(11 * time.Second)
		ask(t, o, get(t, "http://origin.test"))
		assert.Equal(t, []string{"192.0.2.2"}, z.dialed())
	})
}

// A name of which each answer has another address keeps the connections to all of them.
func TestAddressesThatTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		s, o := overPipes(t, Options{Resolve: 10 * time.Second, Lookup: func(context.Context, string) ([]netip.Addr, error) {
			n := looks.Add(1)
			time.Sleep(time.Duration(n) * time.Millisecond) // one after the other
			return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(n % 4)})}, nil
		}}, func(p *peer) {
			for len(p.head()) > 0 {
				time.Sleep(10 * time.Millisecond)
				p.say(ok)
			}
		})
		for range 20 {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { ask(t, o, s.request("GET", "")) })
			}
			wg.Wait()
		}
		assert.Equal(t, 8, s.connections())
	})
}

// A connection in use when its address goes ends with its request.
func TestAddressesThatGoWhileInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{}
		z.set(nil, "192.0.2.1")
		s, o := overPipes(t, Options{Lookup: z.lookup, Resolve: 10 * time.Second}, func(p *peer) {
			p.head()
			time.Sleep(25 * time.Second)
			p.say(ok)
			always(ok)(p)
		})
		time.AfterFunc(time.Second, func() { z.set(nil, "192.0.2.2") })
		_, body := ask(t, o, s.request("GET", ""))
		assert.Equal(t, "ok", body)
		ask(t, o, s.request("GET", ""))
		assert.Equal(t, 2, s.connections())
	})
}

// Names are looked up while there is something to look them up for, and no longer.
func TestLookUpsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{}
		z.set(nil, "192.0.2.1")
		s, o := overPipes(t, Options{Lookup: z.lookup, Resolve: 10 * time.Second, Idle: 35 * time.Second}, always(ok))
		time.Sleep(time.Minute)
		assert.Zero(t, z.lookups(), "there was no request")
		ask(t, o, s.request("GET", ""))
		time.Sleep(time.Hour)
		assert.Equal(t, 4, z.lookups(), "one to connect, three while the connection was kept")
		ask(t, o, s.request("GET", ""))
		assert.Equal(t, 2, s.connections())
		assert.Equal(t, 1, z.lookups())
		o.Close()
		time.Sleep(time.Hour)
		assert.Zero(t, z.lookups(), "Close ends them")
	})
}

// Close waits for a look-up on its way.
func TestCloseAmidALookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		left := false
		_, o := overPipes(t, Options{Resolve: 10 * time.Second, Lookup: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			if n++; n > 1 {
				<-ctx.Done()
				left = true
			}
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		}}, always(ok))
		ask(t, o, get(t, "http://origin.test"))
		time.Sleep(11 * time.Second)
		o.Close()
		assert.True(t, left)
	})
}

func TestNoLookUpIsNeeded(t *testing.T) {
	for base, want := range map[string]bool{
		"http://origin.test": true, "https://origin.test:1": true, "http://192.0.2.1": false, "http://[2001:db8::1]:81": false, "https://192.0.2.1": false,
	} {
		assert.Equal(t, want, open(t, base, Options{}).dialer.names != nil, base)
	}
}

func TestDialsSpread(t *testing.T) {
	named(t, func(t *testing.T, z *zone, o *Origin) {
		z.set(nil, "192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3")
		for range 6 {
			r := get(t, "http://origin.test")
			r.Close = true
			ask(t, o, r)
		}
		assert.Equal(t, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1", "192.0.2.2", "192.0.2.3"}, z.dialed(),
			"over those of the family that the system prefers")
	})
}

// What one address does not give, another one does.
func TestDialsGoOn(t *testing.T) {
	for _, tc := range []struct {
		name  string
		addrs []string
		deaf  map[string]string
		want  Failure
		after time.Duration
		tried []string
	}{
		{"one refuses", []string{"192.0.2.1", "192.0.2.2"}, map[string]string{"192.0.2.1": "refuses"}, None, 0, []string{"192.0.2.1", "192.0.2.2"}},
		{"one hangs", []string{"192.0.2.1", "192.0.2.2"}, map[string]string{"192.0.2.1": "hangs"}, None, headStart, []string{"192.0.2.1", "192.0.2.2"}},
		{"all but the other family", []string{"2001:db8::1", "2001:db8::2", "192.0.2.1"},
			map[string]string{"2001:db8::1": "hangs", "2001:db8::2": "refuses"}, None, headStart, []string{"2001:db8::1", "2001:db8::2", "192.0.2.1"}},
		{"all refuse", []string{"192.0.2.1", "192.0.2.2"}, map[string]string{"192.0.2.1": "refuses", "192.0.2.2": "refuses"}, Refused, 0, []string{"192.0.2.1", "192.0.2.2"}},
		{"all hang", []string{"192.0.2.1", "192.0.2.2"}, map[string]string{"192.0.2.1": "hangs", "192.0.2.2": "hangs"}, ConnectTimeout, 5 * time.Second, []string{"192.0.2.1", "192.0.2.2"}},
		{"the only one hangs", []string{"192.0.2.1"}, map[string]string{"192.0.2.1": "hangs"}, ConnectTimeout, 5 * time.Second, []string{"192.0.2.1"}},
		{"no addresses", nil, nil, DNS, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			named(t, func(t *testing.T, z *zone, o *Origin) {
				z.set(nil, tc.addrs...)
				z.deaf = tc.deaf
				start := time.Now()
				if tc.want == None {
					_, body := ask(t, o, get(t, "http://origin.test"))
					assert.Equal(t, "ok", body)
				} else {
					fails(t, o, get(t, "http://origin.test"), tc.want)
				}
				assert.Equal(t, tc.after, time.Since(start))
				assert.Equal(t, tc.tried, z.dialed())
				synctest.Wait()
			})
		})
	}
}

func TestNamesThatAreNotFound(t *testing.T) {
	for name, tc := range map[string]struct {
		lookup func(context.Context) error
		want   Failure
		after  time.Duration
	}{
		"no such name":       {func(context.Context) error { return &net.DNSError{Err: "no such host", IsNotFound: true} }, DNS, 0},
		"a server fails":     {func(context.Context) error { return &net.DNSError{Err: "server misbehaving", IsTemporary: true} }, DNS, 0},
		"a server is silent": {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, DNSTimeout, 5 * time.Second},
		"its time was up":    {func(context.Context) error { return &net.DNSError{Err: "i/o timeout", IsTimeout: true} }, DNSTimeout, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, o := overPipes(t, Options{Lookup: func(ctx context.Context, _ string) ([]netip.Addr, error) { return nil, tc.lookup(ctx) }}, always(ok))
				start := time.Now()
				fails(t, o, get(t, "http://origin.test"), tc.want)
				assert.Equal(t, tc.after, time.Since(start))
			})
		})
	}
}

// The last known addresses do when the name server fails.
func TestNewConnectionsWithoutANameServer(t *testing.T) {
	named(t, func(t *testing.T, z *zone, o *Origin) {
		z.set(nil, "192.0.2.1")
		r := get(t, "http://origin.test")
		r.Close = true
		ask(t, o, r)
		z.set(errors.New("no answer"))
		ask(t, o, r)
		assert.Equal(t, []string{"192.0.2.1", "192.0.2.1"}, z.dialed())
	})
}

func TestOrderKeepsAll(t *testing.T) {
	n := newNames("a.test", time.Second, nil)
	defer n.close()
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.2")}
	for range 10 {
		got := n.order(addrs)
		require.Len(t, got, len(addrs))
		for _, a := range addrs {
			assert.True(t, slices.Contains(got, a))
		}
		assert.Equal(t, addrs[1], got[2])
	}
}
