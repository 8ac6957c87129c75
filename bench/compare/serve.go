package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/spf13/cobra"
)

// The origin and the floors are this program again, started with the name of
// what it is to be: processes of their own, so that their CPU time can be told
// apart.
const (
	originName  = "origin"
	loopName    = "loop"
	nethttpName = "nethttp"
)

// serverFlags are where such a process listens. Without a certificate there is
// no TLS.
type serverFlags struct{ listen, tlsListen, cert, key string }

func serverCommands() []*cobra.Command {
	return []*cobra.Command{
		serverCommand(originName, func(ctx context.Context, f serverFlags) error { return serveHTTP(ctx, f, newOrigin()) }),
		serverCommand(nethttpName, func(ctx context.Context, f serverFlags) error { return serveHTTP(ctx, f, constantHandler()) }),
		serverCommand(loopName, serveLoop),
	}
}

func serverCommand(name string, serve func(context.Context, serverFlags) error) *cobra.Command {
	var f serverFlags
	cmd := &cobra.Command{
		Use:    name + " --listen ADDR",
		Short:  "One of the servers of a run",
		Hidden: true,
		Args:   usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.listen == "" {
				return usageError{errors.New(name + ": say where with --listen ADDR")}
			}
			return serve(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.listen, "listen", "", "`ADDR` for HTTP/1.1")
	cmd.Flags().StringVar(&f.tlsListen, "tls-listen", "", "`ADDR` for TLS")
	cmd.Flags().StringVar(&f.cert, "tls-cert", "", "certificate `FILE`")
	cmd.Flags().StringVar(&f.key, "tls-key", "", "key `FILE`")
	return cmd
}

// serveHTTP serves until the context ends.
func serveHTTP(ctx context.Context, f serverFlags, h http.Handler) error {
	// Clients break off at the end of every measurement; nobody wants to read that.
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	defer srv.Close()
	return f.serve(ctx, srv.Serve, func(ln net.Listener) error { return srv.ServeTLS(ln, f.cert, f.key) })
}

// serveLoop serves until the context ends. Connections end with the process.
func serveLoop(ctx context.Context, f serverFlags) error {
	answers := newLoopAnswers()
	return f.serve(ctx, answers.serve, func(ln net.Listener) error {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return err
		}
		return answers.serve(tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{pair}}))
	})
}

// serve opens the listeners and serves on them until the context ends or one of
// them fails.
func (f serverFlags) serve(ctx context.Context, plain, secure func(net.Listener) error) error {
	failed := make(chan error, 2)
	open := func(addr string, serve func(net.Listener) error) error {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { ln.Close() })
		go func() { failed <- serve(ln) }()
		return nil
	}
	if err := open(f.listen, plain); err != nil {
		return err
	}
	if f.tlsListen != "" {
		if err := open(f.tlsListen, secure); err != nil {
			return err
		}
	}
	if err := <-failed; ctx.Err() == nil {
		return err
	}
	return nil
}
