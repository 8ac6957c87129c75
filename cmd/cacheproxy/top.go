package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const topLong = `Shows what a running proxy does: requests by action, hit ratio, latency, the
store, the origins, and the URLs with the most requests, misses, bytes or origin time, with
the reason of the misses. h lists the keys. Without a terminal, or with --once, it
prints the figures one time.`

// topCommand shows what a running proxy does.
func topCommand(env func(string) (string, bool)) *cobra.Command {
	var once bool
	var by string
	var every time.Duration
	var count int
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch a running proxy: hit ratio, latency, origins, top URLs",
		Long:  topLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ranking := rankingOf(by)
			switch {
			case ranking < 0:
				return usageError{fmt.Errorf("--by: %q is not one of requests, misses, bytes, origin_time", by)}
			case every < 100*time.Millisecond || every > time.Hour:
				return usageError{fmt.Errorf("--interval: %v is out of range; use 100ms to 1h", every)}
			case count < 1 || count > 1000:
				return usageError{fmt.Errorf("-n: %d is out of range; use 1 to 1000", count)}
			}
			c, err := newAdminClient(cmd, env)
			if err != nil {
				return fmt.Errorf("top: %w", err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			v := view{addr: c.addr, every: every, ranking: ranking}
			return top(ctx, c, v, once || !onTerminal(cmd.OutOrStdout()), count, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	addAdminFlags(cmd)
	f.BoolVar(&once, "once", false, "print the figures one time, and end")
	f.StringVar(&by, "by", "requests", "rank URLs by requests, misses, bytes or origin_time")
	f.DurationVar(&every, "interval", 2*time.Second, "time between figures")
	f.IntVarP(&count, "count", "n", 20, "URLs to print with --once")
	return cmd
}

func rankingOf(name string) int {
	return slices.IndexFunc(rankings, func(r struct{ name, title string }) bool { return r.name == name })
}

func top(ctx context.Context, c *adminClient, v view, once bool, count int, out io.Writer) error {
	first, err := gather(ctx, c, v.ranking, count)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // it was told to end
	case err != nil:
		return fmt.Errorf("top: %w", err)
	case once:
		var b strings.Builder
		for _, l := range v.lines(first) {
			b.WriteString(l.String() + "\n")
		}
		_, err := io.WriteString(out, b.String())
		return err
	}
	screen, err := tcell.NewScreen()
	if err == nil {
		m := &monitor{screen: screen, view: v, shown: first, gather: func(ctx context.Context, ranking, urls int) (*figures, error) {
			return gather(ctx, c, ranking, urls)
		}}
		err = m.run(ctx)
	}
	if errors.Is(err, tcell.ErrNoCharset) {
		err = errors.New("the character set of the locale is not known; set LC_ALL=C.UTF-8")
	}
	if err != nil {
		return fmt.Errorf("top: this terminal cannot be used (%w); or print the figures with --once", err)
	}
	return nil
}

// onTerminal reports whether what is written there is seen on a terminal.
func onTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
