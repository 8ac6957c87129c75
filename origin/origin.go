package origin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Options are the timeouts and limits of an origin. Zero means the default.
type Options struct {
	Connect        time.Duration // TCP and TLS handshake each; default 5 s
	ResponseHeader time.Duration // from the request sent to the response head; default 60 s
	Body           time.Duration // without a byte of the body; default 60 s; not for event streams
	Idle           time.Duration // a kept connection without use; default 120 s
	MaxIdle        int           // kept connections; default 512
	MaxHeaderBytes int64         // of the head of a response and those of its 1xx; of its trailer; default 256 KiB

	// Dial replaces the network, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Origin is one upstream server.
type Origin struct {
	base   *url.URL
	addr   string // host and port
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	plain  *client // for http
	secure *secure // for https
}

// New returns an origin for a base URL with scheme http or https and a host.
func New(base string, o Options) (*Origin, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("origin %q: want http://host or https://host: %w", base, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("origin %q: want http://host or https://host", base)
	}
	o = o.withDefaults()
	origin := &Origin{base: u, addr: u.Host, dial: o.Dial}
	if u.Port() == "" {
		origin.addr = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	if u.Scheme == "https" {
		origin.secure = newSecure(o)
		return origin, nil
	}
	if !validHost(u.Host) {
		return nil, fmt.Errorf("origin %q: want http://host or https://host with a name in ASCII (xn--...)", base)
	}
	origin.plain = newClient(origin.addr, o)
	return origin, nil
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
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: o.Connect, KeepAlive: 15 * time.Second}).DialContext
	}
	return o
}

// URL returns the base URL. It must not be changed.
func (o *Origin) URL() *url.URL { return o.base }

// RoundTrip sends a request whose URL has the origin's scheme and host. What
// is neither in its header nor needed to frame it is not sent. A request
// without content that meets a kept connection which has just been lost is sent
// again if its method is safe, or if nothing of it was sent. Errors are
// classified by [Classify]. The caller closes the response's body.
//
// Interim responses go to the Got1xxResponse of the context's
// httptrace.ClientTrace; an error of it ends the exchange. The body of a 101 is
// the connection, an io.ReadWriteCloser. From an origin of scheme http other
// bodies are io.WriterTo too.
func (o *Origin) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.plain != nil {
		return o.plain.roundTrip(r)
	}
	return o.secure.roundTrip(r)
}

// Reachable reports whether a connection can be made; nil if so.
func (o *Origin) Reachable(ctx context.Context) error {
	conn, err := o.dial(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Close closes kept connections; those in use end with their requests.
func (o *Origin) Close() {
	if o.plain != nil {
		o.plain.idle.close()
		return
	}
	o.secure.transport.CloseIdleConnections()
}
