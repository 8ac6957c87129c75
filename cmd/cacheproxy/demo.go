package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"cacheproxy/config"
)

// demoListen is where the demo listens when nothing else is said and it is free.
const demoListen = "127.0.0.1:8080"

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a built-in origin through the cache, and say what to try",
		Args:  noArgs,
	}
	listen := &textFlag{kind: "ADDR"}
	cmd.Flags().VarP(listen, "listen", "", "where clients connect (default "+demoListen+", or another port if that is taken)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		return demo(ctx, listen.value, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

// demo serves until the context ends. An empty address means demoListen, or
// any free port when that is taken.
func demo(ctx context.Context, listen string, stdout, stderr io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the built-in origin has no port to listen on: %w", err)
	}
	origin := &http.Server{Handler: newDemoOrigin(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = origin.Serve(ln) }() // ends with Close
	defer origin.Close()
	c, err := demoConfig("http://"+ln.Addr().String(), listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen: %w", err)}
	}
	// What matters is in the tour; a demo's log would only get in its way.
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := start(c, log, stdout, stderr)
	if err != nil {
		return err
	}
	defer a.close()
	addr := reachable(a.server.Addr())
	if listen == "" && addr != demoListen {
		fmt.Fprintf(stdout, "%s is taken, so the demo listens on %s.\n\n", demoListen, addr)
	}
	printTour(stdout, "http://"+addr, "http://"+a.adminLn.Addr().String())
	return a.serve(ctx)
}

// demoConfig is the default configuration before the demo's origin, but for
// addresses and a quiet terminal.
func demoConfig(origin, listen string) (config.Config, error) {
	c := config.Default()
	c.Origin = origin
	c.AccessLog.Mode = "off"
	c.DrainTimeout = config.Duration(3 * time.Second)
	c.Admin.Listen = freeOr(c.Admin.Listen)
	if listen == "" {
		listen = freeOr(demoListen)
	}
	if err := c.Set("listen", listen); err != nil {
		return c, err
	}
	return c, nil
}

// reachable returns an address that connects to a listener, which may listen on
// every interface.
func reachable(addr net.Addr) string {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil || !ap.Addr().IsUnspecified() {
		return addr.String()
	}
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), ap.Port()).String()
}

// freeOr returns a loopback address if nobody listens there, otherwise one for
// any free port.
func freeOr(addr string) string {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "127.0.0.1:0"
	}
	ln.Close()
	return addr
}
