package load

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"cacheproxy/origin"
)

// streams is how many requests at a time share a connection of HTTP/2.
const streams = 32

// clients are the ways to the target: one for each that sends at the same time.
type clients struct {
	list  []http.RoundTripper
	close func()
}

// dial prepares connections; they are made when they are needed.
func dial(o *Options) (*clients, error) {
	if o.Target.Scheme == "http" && !o.HTTP2 {
		return plainClients(o)
	}
	n := 1
	if o.HTTP2 {
		n = (o.Connections + streams - 1) / streams
	}
	shared := make([]*http.Transport, n)
	for i := range shared {
		shared[i] = transport(o)
	}
	c := &clients{close: func() {
		for _, t := range shared {
			t.CloseIdleConnections()
		}
	}}
	for i := range o.Connections {
		c.list = append(c.list, shared[i*n/o.Connections])
	}
	return c, nil
}

// plainClients speak HTTP/1.1 in clear through the client that the proxy uses
// itself, which takes far less CPU than net/http.
func plainClients(o *Options) (*clients, error) {
	base := &url.URL{Scheme: o.Target.Scheme, Host: o.Target.Host}
	client, err := origin.New(base.String(), origin.Options{
		Connect: o.Timeout, ResponseHeader: o.Timeout, Body: o.Timeout, Idle: time.Hour, MaxIdle: o.Connections, Dial: o.Dial,
	})
	if err != nil {
		return nil, err
	}
	c := &clients{close: client.Close}
	for range o.Connections {
		c.list = append(c.list, client)
	}
	return c, nil
}

func transport(o *Options) *http.Transport {
	d := o.Dial
	if d == nil {
		d = (&net.Dialer{Timeout: o.Timeout}).DialContext
	}
	t := &http.Transport{
		DialContext:         d,
		TLSClientConfig:     &tls.Config{},
		TLSHandshakeTimeout: o.Timeout,
		MaxIdleConnsPerHost: o.Connections,
		DisableCompression:  true,
		ReadBufferSize:      32 << 10,
		Protocols:           new(http.Protocols),
	}
	if o.TLS != nil {
		t.TLSClientConfig = o.TLS.Clone()
	}
	t.Protocols.SetHTTP1(!o.HTTP2)
	t.Protocols.SetHTTP2(o.HTTP2)
	t.Protocols.SetUnencryptedHTTP2(o.HTTP2)
	return t
}
