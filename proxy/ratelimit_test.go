package proxy

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newLimit(t *testing.T, o RateLimitOptions) *RateLimit {
	t.Helper()
	l, err := NewRateLimit(o)
	require.NoError(t, err)
	return l
}

func TestRateLimitOptions(t *testing.T) {
	for _, c := range []struct {
		o    RateLimitOptions
		want string
	}{
		{RateLimitOptions{Burst: 1}, "rate limit: 0 requests per second: give a number above 0"},
		{RateLimitOptions{PerSecond: -1, Burst: 1}, "-1 requests per second"},
		{RateLimitOptions{PerSecond: 1}, "rate limit: burst 0: give at least 1"},
		{RateLimitOptions{PerSecond: 1, Burst: 1, Clients: -1}, "rate limit: clients -1"},
		{RateLimitOptions{PerSecond: 1, Burst: 1, Field: "a b"}, `rate limit: field "a b" is not the name of a header field`},
		{RateLimitOptions{PerSecond: 1, Burst: 1, Field: "host"}, "rate limit: Host does not name a client"},
	} {
		_, err := NewRateLimit(c.o)
		assert.ErrorContains(t, err, c.want)
	}
	l := newLimit(t, RateLimitOptions{PerSecond: 0.5, Burst: 2, Field: "x-api-key"})
	assert.Equal(t, RateLimitOptions{PerSecond: 0.5, Burst: 2, Field: "X-Api-Key", Clients: 65536}, l.Options())
}

func TestRateLimitRefills(t *testing.T) {
	l := newLimit(t, RateLimitOptions{PerSecond: 0.5, Burst: 2})
	now := time.Unix(1e9, 0)
	c, h := &Config{}, http.Header{}
	for range 2 {
		_, ok := l.take(now, "192.0.2.1:1", h, c)
		assert.True(t, ok)
	}
	wait, ok := l.take(now, "192.0.2.1:2", h, c)
	assert.False(t, ok, "another port is the same client")
	assert.Equal(t, 2*time.Second, wait)
	wait, ok = l.take(now.Add(500*time.Millisecond), "192.0.2.1:1", h, c)
	assert.False(t, ok)
	assert.Equal(t, 1500*time.Millisecond, wait, "who asks too early does not wait for longer")
	_, ok = l.take(now.Add(2*time.Second), "192.0.2.1:1", h, c)
	assert.True(t, ok)
	_, ok = l.take(now, "@", h, c)
	assert.True(t, ok, "a peer without an address is a client too")
}

// Whoever invents addresses gets no more out of a full table than that many clients
// could, and the table does not grow.
func TestInventedClientsGainNothing(t *testing.T) {
	const clients, burst, perSecond = 8192, 2, 1
	l := newLimit(t, RateLimitOptions{PerSecond: perSecond, Burst: burst, Clients: clients})
	start := time.Unix(1e9, 0)
	c, h := &Config{}, http.Header{}
	taken := 0
	const seconds, asked = 4, 100_000
	for i := range asked {
		now := start.Add(time.Duration(i) * seconds * time.Second / asked)
		if _, ok := l.take(now, fmt.Sprintf("[2001:db8:%x:%x::1]:1", i>>16, i&0xffff), h, c); ok {
			taken++
		}
	}
	assert.LessOrEqual(t, taken, clients*(burst+perSecond*seconds))
	assert.Greater(t, taken, clients, "and clients that are new do get through")
	for i := range l.buckets.shards {
		assert.LessOrEqual(t, len(l.buckets.shards[i].clients), clients/len(l.buckets.shards))
	}
}

// A client that has itself forgotten comes back to what the others have left.
func TestForgottenClientsGainNothing(t *testing.T) {
	l := newLimit(t, RateLimitOptions{PerSecond: 1, Burst: 1, Clients: 10})
	now := time.Unix(1e9, 0)
	c, h := &Config{}, http.Header{}
	taken := 0
	for i := range 1000 {
		for _, addr := range []string{"192.0.2.1:1", fmt.Sprintf("198.51.100.%d:1", i%200)} {
			if _, ok := l.take(now, addr, h, c); ok {
				taken++
			}
		}
	}
	assert.Equal(t, 10, taken)
}

func TestClientAddr(t *testing.T) {
	c := &Config{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, tc := range []struct {
		remote string
		xff    []string
		want   string
	}{
		{"192.0.2.1:1", nil, "192.0.2.1"},
		{"192.0.2.1:1", []string{"198.51.100.1"}, "192.0.2.1"},
		{"[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"198.51.100.1, 203.0.113.1"}, "203.0.113.1"},
		{"10.0.0.1:1", []string{"198.51.100.1,10.0.0.2 , fd00::1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1:1", []string{"198.51.100.1, 10.0.0.2, for=x"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1, x, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1", []string{","}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1:80"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"[2001:db8::1]:80"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"fe80::1%eth0"}, "fe80::1"},
	} {
		addr, ok := c.clientAddr(tc.remote, http.Header{"X-Forwarded-For": tc.xff})
		assert.True(t, ok)
		assert.Equal(t, tc.want, addr.String(), "%s %q", tc.remote, tc.xff)
	}
}

// Many requests at once take exactly the tokens that there are.
func TestRateLimitAtOnce(t *testing.T) {
	l := newLimit(t, RateLimitOptions{PerSecond: 1, Burst: 100})
	now := time.Unix(1e9, 0)
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 1000 {
				if _, ok := l.take(now, "192.0.2.1:1", http.Header{}, &Config{}); ok {
					taken.Add(1)
				}
				l.take(now, fmt.Sprintf("198.51.%d.%d:1", i>>8, i&255), http.Header{}, &Config{})
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 100, taken.Load())
}

func TestRateLimitDoesNotAllocate(t *testing.T) {
	l := newLimit(t, RateLimitOptions{PerSecond: 1e9, Burst: 1e9})
	c := &Config{RateLimit: l, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	h := &Head{Remote: "10.0.0.1:1", Fields: []Field{{"x-forwarded-for", "198.51.100.1, 10.0.0.2"}}}
	now := time.Now()
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		h.lines = h.lines[:0]
		c.mayHit(h, now)
	}))
}
