package load

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"cacheproxy/bench/workload"
)

// pipes is a listener without a network: synctest knows when its connections wait.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// serve starts a server in a bubble, and returns options for a load on it.
func serve(t *testing.T, h http.HandlerFunc) Options {
	p := newPipes()
	s := &http.Server{Handler: h}
	go s.Serve(p)
	t.Cleanup(func() { s.Close() })
	return Options{
		Target: target("http://cache.test"), Source: always("/"), Connections: 1, Timeout: 10 * time.Second,
		Dial: p.dial, Sleep: time.Sleep,
	}
}

func target(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// always asks for the same target for ever.
type always string

func (a always) Next() (workload.Request, bool) {
	return workload.Request{Method: "GET", Target: string(a)}, true
}

// list asks for each target once.
type list struct{ targets []string }

func (l *list) Next() (workload.Request, bool) {
	if len(l.targets) == 0 {
		return workload.Request{}, false
	}
	next := l.targets[0]
	l.targets = l.targets[1:]
	return workload.Request{Method: "GET", Target: next}, true
}
