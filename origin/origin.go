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
	MaxHeaderBytes int64         // of a response head; default 256 KiB

	// Dial replaces the network, for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Origin is one upstream server.
type Origin struct {
	base      *url.URL
	transport *http.Transport
	dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	body      time.Duration
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
	return &Origin{base: u, dial: o.Dial, body: o.Body, transport: &http.Transport{
		DialContext:            o.Dial,
		TLSHandshakeTimeout:    o.Connect,
		ResponseHeaderTimeout:  o.ResponseHeader,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        o.Idle,
		MaxIdleConns:           o.MaxIdle,
		MaxIdleConnsPerHost:    o.MaxIdle,
		MaxResponseHeaderBytes: o.MaxHeaderBytes,
		DisableCompression:     true, // codings are between the client and the origin
		ForceAttemptHTTP2:      true,
		ReadBufferSize:         32 << 10,
	}}, nil
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

// RoundTrip sends a request whose URL has the origin's scheme and host. Errors
// are classified by [Classify]. The caller closes the response's body.
func (o *Origin) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	resp, err := o.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	o.watch(resp, cancel)
	return resp, nil
}

// Reachable reports whether a connection can be made; nil if so.
func (o *Origin) Reachable(ctx context.Context) error {
	addr := o.base.Host
	if o.base.Port() == "" {
		addr = net.JoinHostPort(o.base.Hostname(), map[string]string{"http": "80", "https": "443"}[o.base.Scheme])
	}
	conn, err := o.dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Close closes kept connections; those in use end with their requests.
func (o *Origin) Close() { o.transport.CloseIdleConnections() }
