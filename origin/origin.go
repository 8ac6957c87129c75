package origin

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Options are the timeouts and limits of an origin. Zero means the default.
type Options struct {
	Connect        time.Duration // TCP, the name's look-up included, and TLS handshake each; default 5 s
	ResponseHeader time.Duration // from the request sent to the response head, and for a piece of its content to be taken; default 60 s
	Body           time.Duration // without a byte of the body; default 60 s; not for event streams
	Total          time.Duration // from the request to the end of the body; 0 = no limit; not for event streams and upgrades
	Idle           time.Duration // a kept connection without use; default 120 s
	MaxIdle        int           // kept connections, but for those of HTTP/2; default 512
	MaxHeaderBytes int64         // of the head of a response and those of its 1xx; of its trailer; default 256 KiB
	Resolve        time.Duration // between look-ups of the host's name while the origin is in use; default 30 s

	// TLS is called for each connection to an origin of scheme https; see [LoadTLS].
	// nil trusts the system's roots. Without a ServerName that is the URL's host, and
	// below TLS 1.2 nothing is spoken unless MinVersion says so.
	TLS       func() *tls.Config
	HTTP1Only bool // HTTP/2 is not offered to origins of scheme https

	// Dial replaces the network, for tests. It must heed its context. Unless Lookup
	// is set too, it gets names, and no name is looked up.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Lookup replaces the system's way to find the addresses of a name.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
}

// Origin is one upstream server.
type Origin struct {
	base
	dialer *dialer
	plain  *client // for http, and Unix sockets
	secure *secure // for https
	total  time.Duration
}

// New returns an origin for a base URL: http://host, https://host, or
// unix:/path for HTTP/1.1 over the socket at that path.
func New(text string, o Options) (*Origin, error) {
	b, err := parseBase(text)
	if err != nil {
		return nil, err
	}
	if o.Connect < 0 || o.ResponseHeader < 0 || o.Body < 0 || o.Total < 0 || o.Idle < 0 || o.Resolve < 0 || o.MaxIdle < 0 || o.MaxHeaderBytes < 0 {
		return nil, fmt.Errorf("origin %q: timeouts and limits cannot be negative", text)
	}
	o = o.withDefaults()
	origin := &Origin{base: b, dialer: newDialer(b, o), total: o.Total}
	gone := func() {}
	if b.url.Scheme == "https" {
		origin.secure = newSecure(origin.dialer, o)
		gone = origin.secure.leave
	} else {
		origin.plain = newClient(origin.dialer, o)
	}
	if n := origin.dialer.names; n != nil {
		idle := &origin.http1().idle
		n.kept = idle.kept
		n.gone = func() { idle.leave(); gone() }
	}
	return origin, nil
}

// http1 is who speaks HTTP/1.1.
func (o *Origin) http1() *client {
	if o.plain != nil {
		return o.plain
	}
	return o.secure.client
}

func (o Options) withDefaults() Options {
	if o.Connect == 0 {
		o.Connect = 5 * time.Second
	}
	if o.ResponseHeader == 0 {
		o.ResponseHeader = 60 * time.Second
	}
	if o.Body == 0 {
		o.Body = 60 * time.Second
	}
	if o.Idle == 0 {
		o.Idle = 120 * time.Second
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 512
	}
	if o.MaxHeaderBytes == 0 {
		o.MaxHeaderBytes = 256 << 10
	}
	if o.Resolve == 0 {
		o.Resolve = 30 * time.Second
	}
	return o
}

// URL returns the base URL. The host in that of a Unix socket is the socket's path, so
// that a request tells where it went. It must not be changed.
func (o *Origin) URL() *url.URL { return o.url }

// RoundTrip sends a request whose URL has the origin's scheme and host. What
// is neither in its header nor needed to frame it is not sent. A request
// without content that meets a kept connection which has just been lost is sent
// again if its method is safe, or if nothing of it was sent. Errors are of type
// *Error and name the target. The caller closes the response's body.
//
// Interim responses go to the Got1xxResponse of the context's
// httptrace.ClientTrace; an error of it ends the exchange. The body of a 101 is
// the connection, an io.ReadWriteCloser. Over HTTP/1.1 other bodies are
// io.WriterTo too.
func (o *Origin) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.total > 0 {
		return o.roundTripLimited(r)
	}
	return o.roundTrip(r)
}

func (o *Origin) roundTripLimited(r *http.Request) (*http.Response, error) {
	l := limit(r.Context(), o.total)
	resp, err := o.roundTrip(r.WithContext(l))
	if err != nil {
		l.finish()
		return nil, err
	}
	l.lift(resp)
	return resp, nil
}

func (o *Origin) roundTrip(r *http.Request) (resp *http.Response, err error) {
	if o.plain != nil {
		resp, err = o.plain.roundTrip(r)
	} else {
		resp, err = o.secure.roundTrip(r)
	}
	if err != nil {
		return nil, at(o.target, err)
	}
	return resp, nil
}

// Reachable reports whether a connection can be made, with TLS if that is
// spoken; nil if so. Its errors are those of RoundTrip.
func (o *Origin) Reachable(ctx context.Context) error {
	var nc net.Conn
	var err error
	if o.secure != nil {
		nc, _, err = o.secure.handshake(ctx, o.secure.offer().one)
	} else {
		nc, _, err = o.dialer.connect(ctx)
	}
	if err != nil {
		return at(o.target, err)
	}
	return nc.Close()
}

// Close closes kept connections and ends looking for addresses. Connections in
// use end with their requests.
func (o *Origin) Close() {
	if o.dialer.names != nil {
		o.dialer.names.close()
	}
	if o.plain != nil {
		o.plain.idle.close()
		return
	}
	o.secure.close()
}
