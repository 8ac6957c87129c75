package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// secure is the way to an origin of scheme https. HTTP/1.1 is spoken by our own
// client there too: net/http takes what is left over on a connection for the
// next answer if that is asked for soon enough, and reads heads that have two
// meanings. HTTP/2 has neither fault, and is left to net/http.
type secure struct {
	*dialer
	client *client
	offers atomic.Pointer[offer]
	only1  bool         // HTTP/2 is not wanted
	until1 atomic.Int64 // until when it is known that the origin speaks HTTP/1.1; Unix nanoseconds
	limits Options

	two  atomic.Pointer[http.Transport]
	last atomic.Pointer[secured] // connection of HTTP/2
	mu   sync.Mutex
	past []*http.Transport // with connections to addresses that have gone
}

// offer is what is said in a handshake, from one state of the files.
type offer struct {
	from *tls.Config
	both *tls.Config // offers HTTP/2 and HTTP/1.1
	one  *tls.Config // offers HTTP/1.1
}

// askAgain is for how long an origin that did not choose HTTP/2 is not asked again.
const askAgain = 5 * time.Minute

// errHTTP1 is why there is no connection of HTTP/2: the origin chose HTTP/1.1,
// and the connection is kept for that.
var errHTTP1 = errors.New("the origin speaks HTTP/1.1")

// errStillborn is why a request was not sent: the connection of HTTP/2 that was
// there for it had ended already.
var errStillborn = errors.New("the connection has ended before its first request")

func newSecure(d *dialer, o Options) *secure {
	s := &secure{dialer: d, client: newClient(d, o), only1: o.HTTP1Only, limits: o}
	s.client.dial = s.dial1
	s.two.Store(s.newTransport())
	return s
}

func (s *secure) roundTrip(r *http.Request) (*http.Response, error) {
	if s.names != nil {
		s.names.touch()
	}
	if s.only1 || r.Header["Upgrade"] != nil || time.Now().UnixNano() < s.until1.Load() {
		return s.client.roundTrip(r)
	}
	resp, err := s.roundTrip2(r, true)
	if err == errStillborn {
		resp, err = s.roundTrip2(r, false)
	}
	if err == errHTTP1 {
		return s.client.roundTrip(r)
	}
	return resp, err
}

// offer returns what is to be said now. Sessions are resumed only with what was said when
// they began, so that they outlive no roots.
func (s *secure) offer() *offer {
	var from *tls.Config
	if s.limits.TLS != nil {
		from = s.limits.TLS()
	}
	o := s.offers.Load()
	if o == nil || o.from != from {
		o = &offer{from: from, both: prepared(from, s.host, "h2", "http/1.1")}
		o.one = o.both.Clone()
		o.one.NextProtos = []string{"http/1.1"}
		s.offers.Store(o)
	}
	return o
}

// dial1 makes a connection for HTTP/1.1.
func (s *secure) dial1(ctx context.Context) (*conn, error) {
	nc, addr, err := s.handshake(ctx, s.offer().one)
	if err != nil {
		return nil, err
	}
	c := newConn(nc)
	c.addr = addr
	return c, nil
}

// dial2 makes a connection for HTTP/2, or one for HTTP/1.1 that is kept, and errHTTP1.
func (s *secure) dial2(ctx context.Context, _, _ string) (net.Conn, error) {
	nc, addr, err := s.handshake(ctx, s.offer().both)
	if err != nil {
		return nil, err
	}
	if nc.ConnectionState().NegotiatedProtocol == "h2" {
		s.last.Store(nc)
		return nc.Conn, nil
	}
	s.until1.Store(time.Now().Add(askAgain).UnixNano())
	c := newConn(nc)
	c.addr = addr
	s.client.idle.put(c)
	return nil, errHTTP1
}

// handshake makes a connection and TLS on it.
func (s *secure) handshake(ctx context.Context, config *tls.Config) (*secured, netip.Addr, error) {
	nc, addr, err := s.connect(ctx)
	if err != nil {
		return nil, addr, err
	}
	below := newCut(nc)
	c, err := s.dialer.secure(ctx, below, config)
	if err != nil {
		return nil, addr, err
	}
	return &secured{Conn: c, below: below}, addr, nil
}

// mostPast bounds the transports that are left to end by themselves.
const mostPast = 8

// leave ends the use of all connections of HTTP/2, as some are to addresses
// that have gone. Requests on them go on.
func (s *secure) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past = append(s.past, s.two.Swap(s.newTransport()))
	for _, t := range s.past {
		t.CloseIdleConnections()
	}
	s.past = s.past[max(len(s.past)-mostPast, 0):]
}

func (s *secure) close() {
	s.client.idle.close()
	s.two.Load().CloseIdleConnections()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.past {
		t.CloseIdleConnections()
	}
}
