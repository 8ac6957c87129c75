package testorigin

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Server is an origin that listens.
type Server struct {
	*Origin
	listener net.Listener
	http     *http.Server
	done     chan struct{}
}

// Listen starts an origin at addr, host:port, where port 0 is any free one. It
// speaks HTTP/1.1 and HTTP/2 without TLS (prior knowledge). Close stops it.
func Listen(addr string, o Options) (*Server, error) {
	origin, err := New(o)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("testorigin: %w: give a free address, such as 127.0.0.1:0", err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &Server{
		Origin:   origin,
		listener: listener,
		done:     make(chan struct{}),
		http: &http.Server{
			Handler:           origin,
			Protocols:         protocols,
			ReadHeaderTimeout: time.Minute,
			ErrorLog:          log.New(io.Discard, "", 0), // clients that go away are counted, not told of
		},
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(listener) // ends with Close
	}()
	return s, nil
}

// Addr is the address that the server listens at, host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the address as a URL without a path.
func (s *Server) URL() string { return "http://" + s.Addr() }

// Close ends the server and all its connections at once. It may be called again.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}
