package proxy

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
)

// RateLimitOptions say how often a client may ask.
type RateLimitOptions struct {
	PerSecond float64 // requests that are given back each second; more than 0
	Burst     int     // requests at once after a rest; at least 1
	Field     string  // header field whose value names the client; empty = its address
	Clients   int     // that are remembered; 0 = 65536
}

// RateLimit bounds how often each client may ask, with a bucket of tokens for
// each. A client is its address, of IPv6 the first 64 bits; behind trusted
// proxies the last address of X-Forwarded-For that is not one of theirs. With
// Field set it is the value of that field, where there is exactly one: who can
// choose the value is bounded only by what holds for all newcomers.
//
// The table is bounded: about 200 bytes for each client. When it is full, a
// newcomer takes the bucket, as it is, of the client that was away for longest.
// So whoever invents addresses or values gets no more out of it than that many
// clients could, and does not get a full bucket by having itself forgotten; but
// honest newcomers share what is left while that goes on.
type RateLimit struct {
	options RateLimitOptions
	seed    maphash.Seed
	buckets *buckets
}

// NewRateLimit returns a limit, or an error that names the option which is wrong.
func NewRateLimit(o RateLimitOptions) (*RateLimit, error) {
	switch {
	case !(o.PerSecond > 0) || math.IsInf(o.PerSecond, 0):
		return nil, fmt.Errorf("rate limit: %v requests per second: give a number above 0", o.PerSecond)
	case o.Burst < 1:
		return nil, fmt.Errorf("rate limit: burst %d: give at least 1", o.Burst)
	case o.Clients < 0:
		return nil, fmt.Errorf("rate limit: clients %d: give how many are remembered, or 0 for the default", o.Clients)
	case o.Field != "" && !httpguts.ValidHeaderFieldName(o.Field):
		return nil, fmt.Errorf("rate limit: field %q is not the name of a header field", o.Field)
	case strings.EqualFold(o.Field, "Host"):
		return nil, errors.New("rate limit: Host does not name a client: give another field")
	}
	if o.Clients == 0 {
		o.Clients = 65536
	}
	o.Field = http.CanonicalHeaderKey(o.Field)
	return &RateLimit{options: o, seed: maphash.MakeSeed(), buckets: newBuckets(o)}, nil
}

// Options returns what the limit was made of, defaults filled in. A limit with the
// same options need not be made anew, which would forget all clients.
func (l *RateLimit) Options() RateLimitOptions { return l.options }

// take takes a token of a client. Without one it returns false, and when there
// will be one. A nil limit has any number.
func (l *RateLimit) take(now time.Time, remote string, f policy.Fields, c *Config) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	return l.buckets.take(l.client(remote, f, c), now)
}

// client is the number of a client. Nobody can find two with the same: the seed
// is a secret.
func (l *RateLimit) client(remote string, f policy.Fields, c *Config) uint64 {
	if l.options.Field != "" {
		if lines := f.Values(l.options.Field); len(lines) == 1 {
			return maphash.String(l.seed, lines[0])
		}
	}
	addr, ok := c.clientAddr(remote, f)
	if !ok {
		return maphash.String(l.seed, remote)
	}
	bytes := addr.As16()
	if addr.Is4() {
		return maphash.Bytes(l.seed, bytes[:])
	}
	return maphash.Bytes(l.seed, bytes[:8])
}

// clientAddr returns the address of the client: that of the peer, or if its word
// is believed, the last one in X-Forwarded-For that is not trusted.
func (c *Config) clientAddr(remote string, f policy.Fields) (addr netip.Addr, ok bool) {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return addr, false
	}
	addr = peer.Addr().Unmap()
	if !c.trustsAddr(addr) {
		return addr, true
	}
	lines := f.Values("X-Forwarded-For")
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var member string
			at := strings.LastIndexByte(rest, ',')
			member, more = rest[at+1:], at >= 0
			rest = rest[:max(at, 0)]
			said, ok := parseNode(member)
			if !ok { // nobody vouches for what is before it
				return addr, true
			}
			if addr = said; !c.trustsAddr(addr) {
				return addr, true
			}
		}
	}
	return addr, true
}

// parseNode reads a member of X-Forwarded-For: an address, or one with a port.
func parseNode(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	ap, err := netip.ParseAddrPort(s)
	return ap.Addr().Unmap().WithZone(""), err == nil
}
