package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cacheproxy/bench/simulate"
	"cacheproxy/bench/trace"
	"cacheproxy/cache"
	"cacheproxy/config"
)

var benchSizeLong = fmt.Sprintf(`How big must the cache be? This replays access logs, and says for a row of cache
sizes which share of the requests and of the bytes would have been hits, and
what would have been left for the origin.

  cacheproxy bench size access.log
  cacheproxy bench size access.log.2.gz access.log.1 access.log
  ssh web cat /var/log/nginx/access.log | cacheproxy bench size -
  cacheproxy bench size --sizes 64MiB,1GiB --cache-engine gdsf access.log

INPUT
  Logs of nginx, Apache, Caddy and cacheproxy: common and combined format, with
  or without the site in front, and JSON lines; or a trace, "ID SIZE" a line.
  Each plain or gzip, - for standard input. Several files are one log: give the
  oldest first. Lines that cannot be read are skipped and counted.

WHAT COUNTS
  GET and HEAD with status 200, 203, 204, 206, 300, 301, 404 or 410, and 304: the
  client had it, the cache is asked all the same. A URL with another size is a
  new version, which has to be fetched. HEAD, 206 and 304 do not show the size:
  they are requests for the version that was seen last. A download that a client
  broke off has fewer bytes in the log, and looks like another version as well.
  The cache begins empty. A log does not say how long answers stay fresh or that
  they may not be stored, so this is the best that the size allows: a site with
  short lifetimes or many cookies gets less.

MEMORY
  Sizes are those of --cache-size. An object counts its body, its URL, %d bytes
  for header fields and bookkeeping, and what the engine takes for an entry (about
  200 bytes; --json has the number). As with the defaults of cache.max_object,
  bodies above %s, and above half of a smaller cache, are not stored.

TIME
  A million lines take about a second to be read and then, for each size, about
  a second with gdsf and two with ristretto. Fewer --sizes are done sooner.

OUTPUT
  "unlimited" is a cache that keeps everything. Then, for each engine, the
  smallest of the sizes with which it gets %d %% of those hits.`,
	simulate.Bookkeeping, config.Default().Cache.MaxObject, int(100*simulate.Enough))

// benchSizeFlags are the flags of bench size.
type benchSizeFlags struct {
	sizes   []string
	engines []string
	json    bool
}

// question checks the flags.
func (f *benchSizeFlags) question() (q simulate.Question, err error) {
	c := config.Default()
	q.Exponent, q.MaxObject = cache.DefaultExponent, int64(c.Cache.MaxObject)
	for _, text := range f.sizes {
		size, err := config.ParseSize(text) // a share of memory is no size here
		if err == nil {
			err = c.Set("cache.size", text)
		}
		if err != nil {
			return q, usageError{fmt.Errorf("--sizes: %w", err)}
		}
		q.Sizes = append(q.Sizes, int64(size))
	}
	slices.Sort(q.Sizes)
	q.Sizes = slices.Compact(q.Sizes)
	for _, name := range f.engines {
		if !slices.Contains(cache.Engines(), cache.Engine(name)) {
			return q, usageError{fmt.Errorf("--cache-engine: %q is none of %v", name, cache.Engines())}
		}
		if !slices.Contains(q.Engines, cache.Engine(name)) {
			q.Engines = append(q.Engines, cache.Engine(name))
		}
	}
	if len(q.Engines) == 0 {
		q.Engines = cache.Engines()
	}
	return q, nil
}

func benchSizeCommand() *cobra.Command {
	var f benchSizeFlags
	cmd := &cobra.Command{
		Use:   "size FILE...",
		Short: "Tell from access logs how big the cache must be",
		Long:  benchSizeLong,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("bench size: name an access log or a trace, or - for standard input")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, files []string) error {
			q, err := f.question()
			if err != nil {
				return err
			}
			return benchSize(cmd.Context(), files, q, f.json, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringSliceVar(&f.sizes, "sizes", nil, "`SIZES` of caches, such as 64MiB,1GiB (default up to 8 that suit the log)")
	cmd.Flags().StringSliceVar(&f.engines, "cache-engine", nil, "only `ENGINE`, ristretto or gdsf (default both)")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON: sizes in bytes, ratios from 0 to 1")
	return cmd
}

// benchSize reads, replays and prints.
func benchSize(ctx context.Context, files []string, q simulate.Question, asJSON bool, stdout, stderr io.Writer) error {
	progress := newProgressLine(stderr)
	s, err := readLogs(ctx, files, progress, stderr)
	if err != nil {
		return err
	}
	q.Progress = func(done, all int) { progress.say("replaying, %d of %d", done+1, all) }
	sizing, err := simulate.Size(ctx, s, q)
	progress.clear()
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(sizing)
	}
	return printSizing(stdout, sizing)
}

// readLogs makes one sequence of all files.
func readLogs(ctx context.Context, files []string, progress *progressLine, stderr io.Writer) (*simulate.Sequence, error) {
	b := simulate.NewBuilder()
	for _, file := range files {
		r, err := trace.Open(file)
		if err != nil {
			return nil, err
		}
		err = b.Read(stopping{ctx, r}, func(n int) { progress.say("reading %s, %s requests", r.Name(), grouped(int64(n))) })
		progress.clear()
		r.Close()
		if err != nil {
			return nil, err
		}
		if n := r.Skipped(); n > 0 {
			fmt.Fprintf(stderr, "%s: %s lines skipped that cannot be read; the first is %s\n", r.Name(), grouped(int64(n)), r.FirstSkipped())
		}
	}
	return b.Sequence(), nil
}

// stopping is a reader that ends with a context.
type stopping struct {
	ctx context.Context
	*trace.Reader
}

func (s stopping) Next() (trace.Request, error) {
	if err := s.ctx.Err(); err != nil {
		return trace.Request{}, err
	}
	return s.Reader.Next()
}

// progressLine is a line on a terminal that is written anew; nothing elsewhere.
type progressLine struct{ out io.Writer }

func newProgressLine(out io.Writer) *progressLine {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progressLine{out}
	}
	return &progressLine{io.Discard}
}

const clearLine = "\r\x1b[K"

func (p *progressLine) say(format string, args ...any) {
	fmt.Fprintf(p.out, clearLine+format, args...)
}

func (p *progressLine) clear() { fmt.Fprint(p.out, clearLine) }
