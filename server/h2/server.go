package h2

import (
	"cmp"
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cacheproxy/proxy"
)

// Server is what all connections share. Its fields must not change while it
// serves.
type Server struct {
	// Handler answers every request that Hit does not.
	Handler http.Handler

	// Hit answers a GET or HEAD without content from memory, or returns false.
	// It must not block. It may be nil.
	Hit func(*proxy.Head, *proxy.Reply) bool

	// Timeouts; zero means none.
	ReadHeader  time.Duration // for the client's preface, for a header that comes in several frames, and for any frame but content that has begun
	ReadContent time.Duration // for a frame of content that has begun; how fast they follow is for the handler to bound
	Idle        time.Duration // a connection without requests
	Write       time.Duration // for 64 KiB of a response, or for what is left of it, to be taken

	// MaxHeaderBytes bounds the header of a request as RFC 9113, 6.5.2 counts
	// it: 32 bytes for each field beside name and value. Default 64 KiB.
	// MaxHeaderFields bounds its field lines without pseudo-header fields;
	// default 256. The answer to more is 431.
	MaxHeaderBytes  int
	MaxHeaderFields int

	// MaxURI bounds the bytes of :path. Default 16 KiB. The answer to more is 414.
	MaxURI int

	// Refuse makes these answers, as HTTP/1.1 sends them, and is told of them;
	// see [proxy.Proxy.Refuse]. Nil: they are a status and nothing else.
	Refuse func(dst []byte, q proxy.Refusal) []byte

	// ErrorLog gets the panics of the handler; nil is the log package's own.
	ErrorLog *log.Logger

	heads  atomic.Int64 // bytes of the headers of requests that are being answered
	unread atomic.Int64 // bytes of content that no handler has read

	later atomic.Pointer[times] // in place of Write and ReadContent, for connections that come

	mu       sync.Mutex
	conns    map[*conn]struct{}
	draining bool
	empty    chan struct{} // closed when draining and the last connection ended
}

func (s *Server) maxHeaderBytes() int  { return cmp.Or(s.MaxHeaderBytes, 64<<10) }
func (s *Server) maxHeaderFields() int { return cmp.Or(s.MaxHeaderFields, 256) }
func (s *Server) maxURI() int          { return cmp.Or(s.MaxURI, 16<<10) }

// hold counts a header of so many bytes. It returns false, and counts nothing, when
// it is a large one and all together take too much.
func (s *Server) hold(size int) bool {
	if s.heads.Add(int64(size)) > mostHeads && size > littleHead {
		s.release(size)
		return false
	}
	return true
}

func (s *Server) release(size int) { s.heads.Add(-int64(size)) }

type times struct{ write, content time.Duration }

// SetTimes changes Write and ReadContent for connections that begin from now on.
func (s *Server) SetTimes(write, content time.Duration) { s.later.Store(&times{write, content}) }

func (s *Server) times() (write, content time.Duration) {
	if t := s.later.Load(); t != nil {
		return t.write, t.content
	}
	return s.Write, s.ReadContent
}

// ServeConn serves a connection until it ends, closes it, and waits for its
// handlers. It is a *tls.Conn after its handshake, or anything else with
// ConnectionState, or a connection in clear whose client knows that this is
// HTTP/2; nothing of the client's preface has been read. The contexts of
// requests derive from ctx.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	s.Conn(ctx, nc).Serve()
}

// Drain tells all clients that their connections end, lets the requests under
// way finish, and closes what is left when the context ends; then it returns the
// context's error. Connections that come later are closed at once.
func (s *Server) Drain(ctx context.Context) error {
	empty := s.stop((*conn).drain)
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		s.stop((*conn).kill)
		<-empty
		return ctx.Err()
	}
}

// Close closes all connections at once and waits until their handlers have
// returned.
func (s *Server) Close() error {
	<-s.stop((*conn).kill)
	return nil
}

// stop takes no more connections and calls fn for those that are there.
func (s *Server) stop(fn func(*conn)) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.draining = true
		s.empty = make(chan struct{})
		if len(s.conns) == 0 {
			close(s.empty)
		}
	}
	for c := range s.conns {
		fn(c)
	}
	return s.empty
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.draining && len(s.conns) == 0 {
		close(s.empty)
	}
}

func (s *Server) logf(format string, args ...any) {
	if s.ErrorLog != nil {
		s.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}

// state returns the TLS state of a connection, nil in clear.
func state(nc net.Conn) *tls.ConnectionState {
	t, ok := nc.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return nil
	}
	st := t.ConnectionState()
	return &st
}

// strong reports whether a connection has the encryption that HTTP/2 demands
// (RFC 9113, 9.2): with TLS 1.2 an ephemeral key exchange and an AEAD cipher.
func strong(st *tls.ConnectionState) bool {
	if st == nil || st.Version >= tls.VersionTLS13 {
		return true
	}
	switch st.CipherSuite {
	case tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return st.Version == tls.VersionTLS12
	}
	return false
}
