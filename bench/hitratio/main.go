// Command hitratio replays traces through the engines of cacheproxy, through
// other policies and through the best that is possible, and makes a table of hit
// ratios. bench/README.md says how to read it.
//
// Reading order: policies.go (who), replay.go (how), check.go (what must hold),
// then bound.go and belady.go (the best that is possible).
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a mistake in how the command was called.
type usageError struct{ error }

// execute runs a command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := command()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "hitratio:", err)
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

const long = `Replay every trace DIR/*.txt.gz (lines of "ID SIZE") through caches of 1, 5, 10
and 25 % of its footprint, and print the share of requests and of bytes that were
hits. A cache begins empty and counts the size of an object as its cost.

  go -C bench/hitratio run . --traces DIR
  go -C bench/hitratio run . --traces DIR --out FILE.json --markdown FILE.md

Paths are relative to bench/hitratio. The exit status is 1 when a policy whose
digits are known has others (--expect), or an engine is below its threshold.`

// options are the flags.
type options struct {
	traces, out, markdown, expect, thresholds string
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:           "hitratio --traces DIR",
		Short:         "Hit ratios of cacheproxy's engines on traces, beside other policies",
		Long:          long,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.NoArgs(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.traces == "" {
				return usageError{errors.New("say where the traces are with --traces DIR")}
			}
			return hitratio(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	f := cmd.Flags()
	f.StringVar(&o.traces, "traces", "", "`DIR` with *.txt.gz")
	f.StringVar(&o.out, "out", "", "`FILE`.json to write, with exact ratios")
	f.StringVar(&o.markdown, "markdown", "", "`FILE`.md to write, instead of standard output")
	f.StringVar(&o.expect, "expect", "testdata/reference.csv", "`FILE`.csv of ratios that must be met exactly")
	f.StringVar(&o.thresholds, "thresholds", "testdata/thresholds.csv", "`FILE`.csv of ratios that must be reached")
	return cmd
}

// hitratio replays, writes and checks.
func hitratio(ctx context.Context, o options, stdout, stderr io.Writer) error {
	reference, err := loadChecks(o.expect, equal)
	if err != nil {
		return err
	}
	thresholds, err := loadChecks(o.thresholds, reached)
	if err != nil {
		return err
	}
	record, err := replayAll(ctx, o.traces, stderr)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := record.save(o.out); err != nil {
			return err
		}
	}
	if o.markdown == "" {
		_, err = io.WriteString(stdout, record.markdown())
	} else {
		err = os.WriteFile(o.markdown, []byte(record.markdown()), 0o644)
	}
	if err != nil {
		return err
	}
	return verify(record, append(reference, thresholds...), stderr)
}
