package proxytest

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"cacheproxy/cache"
	"cacheproxy/origin"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
	"cacheproxy/server"
)

// world is everything that a script acts on.
type world struct {
	start   time.Time
	setup   *setup
	origin  *backend
	clients map[string]*client
	made    int  // connections so far
	traced  bool // every request is

	store    cache.Store[revalidate.Kept]
	upstream *origin.Origin
	fetcher  *revalidate.Fetcher
	proxy    *proxy.Proxy
	server   *server.Server
	listener *listener
	served   chan struct{}

	mu       sync.Mutex
	outcomes []proxy.Outcome
}

func newWorld() *world {
	w := &world{start: time.Now(), setup: newSetup(), clients: make(map[string]*client)}
	w.origin = &backend{w: w, conns: make(map[net.Conn]bool)}
	return w
}

// open builds the proxy as configured so far.
func (w *world) open() (err error) {
	if w.proxy != nil {
		return nil
	}
	if w.store, err = cache.New[revalidate.Kept](cache.Options{MaxCost: w.setup.size}); err != nil {
		return err
	}
	if w.upstream, err = origin.New("http://origin.test", origin.Options{Dial: w.origin.dial}); err != nil {
		return err
	}
	w.fetcher = revalidate.New(revalidate.Options{Store: w.store, MaxObject: w.setup.maxObject, MaxVariants: w.setup.maxVariants})
	w.proxy = proxy.New(w.fetcher, w.setup.config(upstream{w.upstream, w.origin}), func(o *proxy.Outcome) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.outcomes = append(w.outcomes, kept(o))
	})
	w.listener = &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	w.server = server.New(w.listener, server.Options{
		Handler: w.handler(), Hit: w.hit(), Refuse: w.proxy.Refuse, ReadHeader: readHeader,
		MaxConnsPerClient: w.setup.mostConns,
	})
	w.served = make(chan struct{})
	go func() {
		defer close(w.served)
		_ = w.server.Serve()
	}()
	return nil
}

// readHeader is how long a client may take for the head of its request.
const readHeader = 30 * time.Second

// kept copies an outcome whose strings may lie in a buffer.
func kept(o *proxy.Outcome) proxy.Outcome {
	k := *o
	for _, s := range []*string{&k.Method, &k.Host, &k.URI, &k.Proto, &k.Remote, &k.RequestID, &k.Referer, &k.UserAgent, &k.Key, &k.Target} {
		*s = strings.Clone(*s)
	}
	return k
}

// close ends everything; what does not end shows as a deadlock of the bubble.
func (w *world) close() {
	for _, c := range w.clients {
		for _, x := range c.asked {
			x.release()
		}
		c.conn.Close()
	}
	if w.proxy == nil {
		return
	}
	_ = w.server.Close()
	<-w.served
	w.fetcher.Close()
	w.upstream.Close()
	w.origin.close()
	_ = w.store.Close()
	time.Sleep(time.Minute) // net/http closes some connections a little later
}

// connect returns the connection of a name, or a new one. A name of "" is for
// one request only.
func (w *world) connect(name, from string) *client {
	if c := w.clients[name]; c != nil && name != "" {
		return c
	}
	w.made++
	if from == "" {
		from = "192.0.2.1"
	}
	if name == "" {
		name = fmt.Sprint("#", w.made)
	}
	addr := net.JoinHostPort(from, fmt.Sprint(40000+w.made))
	ours, theirs := net.Pipe()
	c := &client{conn: ours, addr: addr}
	w.clients[name] = c
	w.listener.conns <- &addressed{theirs, addr}
	go c.receive()
	return c
}

// outcome returns the nth outcome of a connection, nil if there is none yet.
func (w *world) outcome(addr string, n int) *proxy.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.outcomes {
		if w.outcomes[i].Remote == addr {
			if n == 0 {
				return &w.outcomes[i]
			}
			n--
		}
	}
	return nil
}

func (w *world) expand(s string) string { return expand(s, w.start, time.Now()) }

// listener hands pipes to the server.
type listener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return address("192.0.2.80:80") }

// addressed is a pipe with an address.
type addressed struct {
	net.Conn
	remote string
}

func (a *addressed) RemoteAddr() net.Addr {
	ap, err := netip.ParseAddrPort(a.remote)
	if err != nil { // a script may give any name
		return address(a.remote)
	}
	return net.TCPAddrFromAddrPort(ap)
}

type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }
