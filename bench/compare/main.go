// Command compare measures what a request costs cacheproxy in CPU time, beside
// nginx, HAProxy and Varnish on the same machine, in the same run, under the
// same load. bench/README.md says how to read the numbers.
//
// Reading order: scenario.go (what is measured), peers.go (who), run.go (in
// which order), measure.go (the accounting), report.go (what comes of it).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func main() {
	// A closed terminal ends the run as ctrl-C does: peers must not outlive us.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs a command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "compare:", err)
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintln(stderr, "Run 'go run ./bench/compare --help' for usage.")
		return exitUsage
	}
	return exitFailed
}

const long = `Measure CPU per request of cacheproxy beside nginx, HAProxy and Varnish (each
if installed), and beside two floors: "loop" only reads and writes, "nethttp" is
a net/http handler with a constant answer.

  go run ./bench/compare --out bench/results/mine.json
  go run ./bench/compare --scenarios hit,pass --peers nginx --rounds 1 --secs 1
  go run ./bench/compare --us before=/tmp/old --us after=/tmp/new
  go run ./bench/compare report bench/results/mine.json
  go run ./bench/compare plot bench/results/mine.json --out bench/results/mine.svg

Needs Linux, two CPUs that are otherwise idle, wrk, and h2load for HTTP/2. With
all peers and the defaults a round takes about four minutes. The exit status is
1 when an answer was bad or a peer did not do what its row says.`

func newRoot() *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:           "compare",
		Short:         "CPU per request of cacheproxy beside other caching proxies",
		Long:          long,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return compare(cmd.Context(), o, os.Args[1:], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	o.addFlags(root.Flags())
	root.AddCommand(reportCommand(), plotCommand())
	root.AddCommand(serverCommands()...)
	return root
}

// usageArgs makes what check finds a mistake in usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report FILE.json...",
		Short: "Print the tables of recorded runs; several files are pooled",
		Args:  usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			r, err := loadAll(files)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), report(r))
			return err
		},
	}
}

func plotCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "plot FILE.json... --out FILE.svg",
		Short: "Draw CPU per request, relative to nginx, as an SVG",
		Args:  usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(_ *cobra.Command, files []string) error {
			if out == "" {
				return usageError{errors.New("plot: say where the picture goes with --out FILE.svg")}
			}
			r, err := loadAll(files)
			if err != nil {
				return err
			}
			svg, err := plot(r)
			if err != nil {
				return err
			}
			return os.WriteFile(out, []byte(svg), 0o644)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`FILE`.svg to write")
	return cmd
}
