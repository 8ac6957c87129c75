package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"cacheproxy/bench/testorigin"
)

// benchOriginCommand serves the built-in origin for a bench in another process.
func benchOriginCommand() *cobra.Command {
	var latency time.Duration
	var listen string
	cmd := &cobra.Command{
		Use:   "origin",
		Short: "Serve the built-in origin alone, for --origin-stats",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
			defer signal.Stop(stop)
			s, err := testorigin.Listen(listen, testorigin.Options{Latency: latency})
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
	cmd.Flags().DurationVar(&latency, "latency", 0, "`TIME` that it takes for an answer")
	return cmd
}
