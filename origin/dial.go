package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// dialer makes connections to an origin.
type dialer struct {
	base
	limit time.Duration // of a connection, and of TLS on it
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	names *names // nil: the address is known, or dial finds it
}

func newDialer(b base, o Options) *dialer {
	d := &dialer{base: b, limit: o.Connect, dial: o.Dial}
	if d.dial == nil {
		d.dial = (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext
		if o.Lookup == nil {
			o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
				return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
			}
		}
	}
	if _, err := netip.ParseAddr(b.host); err != nil && b.host != "" && o.Lookup != nil {
		d.names = newNames(b.host, o.Resolve, o.Lookup)
	}
	return d
}

// connect makes a connection. Its address is zero where names are not looked up here.
func (d *dialer) connect(ctx context.Context) (net.Conn, netip.Addr, error) {
	if ctx.Err() != nil {
		return nil, netip.Addr{}, ended(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	nc, addr, err := d.reach(limited)
	var known *Error
	switch {
	case err == nil:
		return nc, addr, nil
	case ctx.Err() != nil:
		err = ended(ctx)
	case errors.As(err, &known):
	case limited.Err() != nil:
		err = failed(ConnectTimeout, "no connection within %s: %w", d.limit, err)
	default:
		err = &Error{Failure: notConnected(err), Err: err}
	}
	return nil, netip.Addr{}, err
}

// notConnected names the failure of a dial.
func notConnected(err error) Failure {
	switch f := Classify(err); f {
	case Timeout:
		return ConnectTimeout
	case Invalid, Canceled:
		return Refused
	default:
		return f
	}
}

func (d *dialer) reach(ctx context.Context) (net.Conn, netip.Addr, error) {
	if d.names == nil {
		nc, err := d.dial(ctx, d.network, d.target)
		return nc, netip.Addr{}, err
	}
	addrs, err := d.names.resolve(ctx)
	if err != nil {
		return nil, netip.Addr{}, err
	}
	d.names.touch()
	return d.spread(ctx, addrs)
}

// secure makes TLS on a connection. When that fails the connection is closed.
func (d *dialer) secure(ctx context.Context, nc net.Conn, config *tls.Config) (*tls.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	conn := tls.Client(nc, config)
	err := conn.HandshakeContext(limited)
	if err == nil {
		return conn, nil
	}
	nc.Close()
	var plain tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
		return nil, ended(ctx)
	case limited.Err() != nil:
		return nil, timedOut(ConnectTimeout, "no TLS within", d.limit)
	case errors.As(err, &plain):
		return nil, failed(TLSProtocol, "no TLS is spoken at this port: %w", err)
	}
	f := Classify(err)
	if f == Invalid { // what TLS says without a type, such as about versions
		f = TLSProtocol
	}
	return nil, &Error{Failure: f, Err: fmt.Errorf("TLS: %w", err)}
}
