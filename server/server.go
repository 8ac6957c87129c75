// Package server is the client side: sockets, TLS, the fast lane of HTTP/1.1,
// draining.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/proxy"
	"cacheproxy/server/h2"
)

// Options of a Server. Timeouts of zero mean none.
type Options struct {
	Handler http.Handler
	// Hit answers a plain request without the handler, where it can; see
	// [proxy.Proxy.Hit]. Nil = never.
	Hit func(*proxy.Head, *proxy.Reply) bool
	// Refuse appends the answer to what is no request, or goes beyond a limit; see
	// [proxy.Proxy.Refuse]. Nil = the connection is closed without one.
	Refuse     func(dst []byte, q proxy.Refusal) []byte
	ReadHeader time.Duration // a client's time to send a request head (then 408), and for the handshake of TLS
	Idle       time.Duration // a kept connection without a request

	// Of HTTP/2, where the frames of all requests share a connection; over HTTP/1.1 the
	// handler says.
	ReadContent time.Duration // for a client to send a frame of content that it has begun
	Write       time.Duration // for it to take 64 KiB of a response, or what is left

	MaxHeaderBytes  int // of a request head, in bytes; default 64 KiB; beyond it 431
	MaxHeaderFields int // lines of a request head; default 256; beyond it 431
	MaxURI          int // of the target, in bytes; default 16 KiB; beyond it 414

	// MaxConns is how many connections may be open; 0 = any number. For one more, one
	// that has waited long for a further request, or over HTTP/2 has no stream open, is
	// closed, or it is answered 503 (over TLS: closed).
	MaxConns int
	// MaxConnsPerClient is how many an IPv4 address, or an IPv6 network of 64 bits, may
	// have open; 0 = any number. One more is answered 503 (over TLS: closed).
	MaxConnsPerClient int
	Trusted           []netip.Prefix // peers to which MaxConnsPerClient does not apply

	TLS      *tls.Config // nil = in clear
	ErrorLog *log.Logger // of panics; nil = none
	NoLane   bool        // every request goes through net/http
}

// Server serves clients on one listener.
type Server struct {
	o        Options
	listener net.Listener
	http     *http.Server // for what the lane does not take
	h2       *h2.Server
	loans    *loans // its listener
	head     headLimits
	clock    clock
	crowd    crowd
	heads    atomic.Int64 // bytes of those that are held
	surplus  []byte       // the last answer to a connection too many

	mu       sync.Mutex
	conns    map[*conn]struct{}
	none     chan struct{} // closed when a draining server has no connection left
	left     sync.Once     // for none
	draining atomic.Bool
	stop     chan struct{} // ends the sweeper
	closed   sync.Once
}

// Listen opens the address and returns a server for it; Serve starts it.
func Listen(addr string, o Options) (*Server, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return New(ln, o), nil
}

// New returns a server for a listener.
func New(ln net.Listener, o Options) *Server {
	o.MaxHeaderBytes = cmp.Or(o.MaxHeaderBytes, 64<<10)
	s := &Server{
		o: o, listener: ln, loans: newLoans(ln.Addr()),
		conns: make(map[*conn]struct{}), none: make(chan struct{}), stop: make(chan struct{}),
	}
	if s.o.ErrorLog == nil {
		s.o.ErrorLog = log.New(io.Discard, "", 0)
	}
	s.head = headLimits{
		bytes: o.MaxHeaderBytes, fields: cmp.Or(o.MaxHeaderFields, 256),
		target: min(cmp.Or(o.MaxURI, 16<<10), o.MaxHeaderBytes),
	}
	s.crowd.set(o.MaxConns, o.MaxConnsPerClient, o.Trusted)
	s.clock.set(time.Now())
	s.http = &http.Server{
		Handler:        o.Handler,
		MaxHeaderBytes: o.MaxHeaderBytes,
		ConnState:      connState,
		ConnContext:    connContext,
		// The handler answers OPTIONS * like any other request.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     s.o.ErrorLog,
	}
	s.h2 = &h2.Server{
		Handler: o.Handler, Hit: o.Hit, ReadHeader: o.ReadHeader, ReadContent: o.ReadContent, Idle: o.Idle, Write: o.Write,
		MaxHeaderBytes: o.MaxHeaderBytes, MaxHeaderFields: o.MaxHeaderFields, MaxURI: o.MaxURI, Refuse: o.Refuse,
		ErrorLog: s.o.ErrorLog,
	}
	if o.NoLane {
		s.h2.Hit = nil
	}
	return s
}

// SetTimes changes Options.Write and ReadContent for connections that begin from now on.
func (s *Server) SetTimes(write, content time.Duration) { s.h2.SetTimes(write, content) }

// Addr returns the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve serves until Drain or Close; then it returns nil.
func (s *Server) Serve() error {
	go s.sweep()
	go s.http.Serve(s.loans)
	for wait := time.Duration(0); ; {
		nc, err := s.listener.Accept()
		switch {
		case err == nil:
			wait = 0
			s.accept(nc)
		case s.draining.Load() || errors.Is(err, net.ErrClosed) && s.isClosed():
			return nil
		case !temporary(err):
			return err
		default: // too many open files, say: some will be closed
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			time.Sleep(wait)
		}
	}
}

func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// accept serves a new connection, unless there are too many.
func (s *Server) accept(nc net.Conn) {
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		nc.Close()
		return
	}
	t, full := s.crowd.enter(nc.RemoteAddr())
	if full && s.shed() {
		t, _ = s.crowd.enter(nc.RemoteAddr())
	}
	if !t.taken {
		s.mu.Unlock()
		s.turnAway(nc)
		return
	}
	c := newConn(s, nc)
	c.ticket = t
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	go c.serve()
}

// forget takes a connection from the list, at its end or when it speaks another
// protocol.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.noteNone()
}

// noteNone closes none once a draining server has no connection left. The caller
// holds the lock.
func (s *Server) noteNone() {
	if s.draining.Load() && len(s.conns) == 0 {
		s.left.Do(func() { close(s.none) })
	}
}

// Drain stops accepting, lets requests in flight finish, and closes what is
// left when the context ends; then it returns the context's error.
func (s *Server) Drain(ctx context.Context) error {
	s.draining.Store(true)
	s.http.SetKeepAlivesEnabled(false)
	s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.dismiss()
	}
	s.noteNone()
	s.mu.Unlock()
	go s.h2.Drain(ctx)
	var err error
	select {
	case <-s.none:
		// Only now, since what the lane has begun may still need it.
		err = s.http.Shutdown(ctx)
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.Close()
	return err
}

// Close closes all connections at once.
func (s *Server) Close() error {
	s.closed.Do(func() { close(s.stop) })
	s.draining.Store(true)
	s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.abandon()
	}
	s.mu.Unlock()
	s.h2.Close()
	s.loans.Close()
	return s.http.Close()
}

// panicked reports a fault in our own code, which ends one connection only.
func (s *Server) panicked(p any) {
	s.o.ErrorLog.Printf("panic while serving a client: %v\n%s", p, debug.Stack())
}

func (s *Server) isClosed() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}
