// Package server is the client side: listeners, connections, draining.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Options of a Server. Timeouts of zero mean none.
type Options struct {
	Handler        http.Handler
	ReadHeader     time.Duration // a client's time to send a request head
	Idle           time.Duration // a kept connection without a request
	MaxHeaderBytes int           // of a request head; default 64 KiB
}

// Server serves clients on one listener.
type Server struct {
	http     *http.Server
	listener net.Listener
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
	if o.MaxHeaderBytes == 0 {
		o.MaxHeaderBytes = 64 << 10
	}
	return &Server{listener: ln, http: &http.Server{
		Handler:           o.Handler,
		ReadHeaderTimeout: o.ReadHeader,
		IdleTimeout:       o.Idle,
		MaxHeaderBytes:    o.MaxHeaderBytes,
		// The handler answers OPTIONS * like any other request.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0), // a client's broken connection is no event
	}}
}

// Addr returns the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve serves until Drain or Close; then it returns nil.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Drain stops accepting, lets requests in flight finish, and closes what is
// left when the context ends; then it returns the context's error.
func (s *Server) Drain(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		s.http.Close()
	}
	return err
}

// Close closes all connections at once.
func (s *Server) Close() error { return s.http.Close() }
