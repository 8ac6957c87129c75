package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"cacheproxy/bench/testorigin"
)

// benchOriginCommand serves the built-in origin for a bench in another process.
func benchOriginCommand() *cobra.Command {
	var o testorigin.Options
	var listen string
	cmd := &cobra.Command{
		Use:   "origin",
		Short: "Serve the built-in origin alone, for --origin-stats",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOrigin(o); err != nil {
				return err
			}
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
			defer signal.Stop(stop)
			s, err := testorigin.Listen(listen, o)
			if err != nil {
				return err
			}
			defer s.Close()
			fmt.Fprintf(cmd.OutOrStdout(), "the built-in origin listens on %s\n", s.URL())
			select {
			case <-stop:
			case <-cmd.Context().Done():
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:9000", "`ADDR` to listen on")
	cmd.Flags().DurationVar(&o.Latency, "latency", 0, "`TIME` that it takes for an answer")
	cmd.Flags().StringVar(&o.CacheControl, "origin-cache-control", testorigin.DefaultCacheControl, "`VALUE` of Cache-Control in its answers")
	return cmd
}

// checkOrigin refuses what flags say of the built-in origin.
func checkOrigin(o testorigin.Options) error {
	if o.CacheControl == "" {
		return usageError{errors.New("--origin-cache-control: say a value, such as max-age=60 or no-cache")}
	}
	if err := o.Validate(); err != nil {
		return usageError{fmt.Errorf("the built-in origin: %w", err)}
	}
	return nil
}
