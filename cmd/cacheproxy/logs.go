package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"cacheproxy/policy"
)

// What is asked of the proxy: follow asks each followTime for few, and for all that
// are kept only when the few may not reach back to the last one.
const (
	followTime = time.Second
	fewLogged  = 250
	allLogged  = 1000
)

const logsLong = `Shows the recent requests of a running proxy, oldest first, and with -f those
that follow. The proxy keeps the last thousand or two, and of a busy second only a part:
20 hits, 100 other requests, and 100 that went wrong. The access log has them all.

  cacheproxy logs -f --status 5xx
  cacheproxy logs -n 100 --action fetch --url 'shop.example/*.css'
  cacheproxy logs --reason uri-miss --json`

// logsCommand shows recent requests.
func logsCommand(env func(string) (string, bool)) *cobra.Command {
	var l logs
	var status, glob string
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show the recent requests of a running proxy, and follow them",
		Long:  logsLong,
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if l.filter.statuses, err = parseStatuses(status); err != nil {
				return err
			}
			if err := l.filter.check(); err != nil {
				return err
			}
			if l.count < 0 || l.count > allLogged {
				return usageError{fmt.Errorf("-n: %d is out of range; use 0 to %d", l.count, allLogged)}
			}
			l.filter.url, l.filter.host = policy.Glob(glob), strings.ToLower(l.filter.host)
			c, err := newAdminClient(cmd, env)
			if err != nil {
				return fmt.Errorf("logs: %w", err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			_, plain := env("NO_COLOR")
			l.colours = !plain && onTerminal(cmd.OutOrStdout())
			l.out, l.notes = cmd.OutOrStdout(), cmd.ErrOrStderr()
			l.get = func(ctx context.Context, query url.Values, v any) error { return c.get(ctx, "/api/requests", query, v) }
			return l.run(ctx)
		},
	}
	f := cmd.Flags()
	addAdminFlags(cmd)
	f.BoolVarP(&l.follow, "follow", "f", false, "go on with those that follow, until Ctrl-C")
	f.IntVarP(&l.count, "lines", "n", 20, "requests to begin with")
	f.StringVar(&l.filter.reason, "reason", "", "only those with this reason, as uri-miss; docs/reasons.md has them")
	f.StringVar(&l.filter.action, "action", "", "only those that were passed: serve, serve-stale, validate, fetch, pass or fail")
	f.StringVar(&status, "status", "", "only those with this status: 404, 5xx, 500-599, or several with commas")
	f.StringVar(&l.filter.host, "host", "", "only those for this host")
	f.StringVar(&glob, "url", "", "only those whose host and target fit; * is any run of characters, ? is one")
	f.BoolVar(&l.json, "json", false, "a JSON object a line, with all that is known")
	return cmd
}

// logs shows requests.
type logs struct {
	get        func(ctx context.Context, query url.Values, v any) error
	out, notes io.Writer
	filter     logFilter
	count      int
	follow     bool
	json       bool
	colours    bool

	last string // ID of the newest one that was seen
}

func (l *logs) run(ctx context.Context) error {
	fresh, err := l.fresh(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil // it was told to end
		}
		return fmt.Errorf("logs: %w", err)
	}
	if err := l.show(fresh[max(len(fresh)-l.count, 0):]); err != nil || !l.follow {
		return err
	}
	tick := time.NewTicker(followTime)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		fresh, err := l.fresh(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errNotOffered):
			return fmt.Errorf("logs: %w", err)
		case err != nil && !failing:
			fmt.Fprintf(l.notes, "cacheproxy: logs: %v; trying on\n", err)
		}
		failing = err != nil
		if err := l.show(fresh); err != nil {
			return err
		}
	}
}

// logged is a request, and all that the proxy says of it.
type logged struct {
	loggedRequest
	raw json.RawMessage
}

func (g *logged) UnmarshalJSON(text []byte) error {
	var one bytes.Buffer // on a line
	if err := json.Compact(&one, text); err != nil {
		return err
	}
	g.raw = one.Bytes()
	return json.Unmarshal(text, &g.loggedRequest)
}

// fresh returns the requests that fit since the last time, oldest first.
func (l *logs) fresh(ctx context.Context) ([]logged, error) {
	limit := allLogged
	if l.last != "" {
		limit = fewLogged
	}
	all, err := l.ask(ctx, limit)
	if err == nil && len(all) == fewLogged && all[len(all)-1].ID > l.last {
		all, err = l.ask(ctx, allLogged)
	}
	if err != nil || len(all) == 0 {
		return nil, err
	}
	newest := all[0].ID
	if newest < l.last { // the proxy was started anew, and so are its numbers
		l.last = ""
	}
	all = slices.DeleteFunc(all, func(g logged) bool { return g.ID <= l.last || !l.filter.fits(&g.loggedRequest) })
	l.last = newest
	slices.Reverse(all)
	return all, nil
}

// ask asks for the newest requests, newest first. What the proxy can filter it
// does, so that its answer reaches further back.
func (l *logs) ask(ctx context.Context, limit int) ([]logged, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if l.filter.reason != "" {
		query.Set("reason", l.filter.reason)
	}
	var answer struct {
		Requests []logged `json:"requests"`
	}
	if err := l.get(ctx, query, &answer); err != nil {
		return nil, err
	}
	return answer.Requests, nil
}

func (l *logs) show(fresh []logged) error {
	var b strings.Builder
	for i := range fresh {
		if l.json {
			b.Write(inertJSON(fresh[i].raw))
		} else {
			b.WriteString(fresh[i].text(l.colours))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(l.out, b.String())
	return err
}
