package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// files is how many open files everybody may have: 1,000 clients make two
// connections each, and nginx holds 11,000 objects open.
const files = 16384

// run is one comparison under way.
type run struct {
	options    options
	dir        string // gone at the end
	peers      []peer
	generators generators
	client     *http.Client
	ports      ports
	cpus       int    // that we may use
	all        cpuSet // those
	progress   io.Writer
	result     *result
}

// compare measures, records and reports.
func compare(ctx context.Context, o options, args []string, stdout, stderr io.Writer) error {
	if err := o.validate(); err != nil {
		return err
	}
	r := &run{options: o, progress: stderr}
	defer r.close()
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.result = r.describe(args)
	measured := r.rounds(ctx)
	if len(r.result.Samples) == 0 {
		return errors.Join(measured, errors.New("nothing was measured"), errors.New(strings.Join(r.result.Failures, "\n")))
	}
	// What was measured is kept, also when the run was broken off.
	if o.out != "" {
		if err := r.result.save(o.out); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(stdout, report([]result{*r.result})); err != nil {
		return err
	}
	return errors.Join(measured, r.result.verdict())
}

// prepare finds or builds all that is needed, before any time is spent.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.all, err = affinity(); err != nil {
		return err
	}
	r.cpus = len(r.all.list())
	if r.cpus < 2 && slices.Contains(r.options.modes, pinned) {
		return errors.New("pinned, a proxy and its load need a CPU each, and only one may be used here; there is --modes unpinned")
	}
	if err := raiseFiles(files); err != nil {
		return err
	}
	if err := r.findGenerators(); err != nil {
		return err
	}
	if r.peers, err = rivals(r.options.peers, r.progress); err != nil {
		return err
	}
	if r.dir, err = makeDir(); err != nil {
		return err
	}
	r.generators.dir = r.dir
	builds, err := r.builds(ctx)
	if err != nil {
		return err
	}
	r.peers = append(builds, r.peers...)
	if err := writeCert(r.file("cert.pem"), r.file("key.pem"), r.file("both.pem")); err != nil {
		return err
	}
	r.client, err = newClient(r.file("cert.pem"))
	return err
}

func (r *run) findGenerators() (err error) {
	if r.options.has(func(s scenario) bool { return s.proto != tls2 && s.want != stampedes }) {
		if r.generators.wrk, err = needTool("wrk", "wrk", "the load of HTTP/1.1"); err != nil {
			return err
		}
	}
	if r.options.has(func(s scenario) bool { return s.proto == tls2 }) {
		r.generators.h2load, err = needTool("h2load", "nghttp2-client", "the load of HTTP/2 (or leave tls2 out with --scenarios)")
	}
	return err
}

// makeDir makes the directory of the run in memory if there is such a place:
// nginx keeps its cache in files, and disks are not what is compared.
func makeDir() (string, error) {
	name := fmt.Sprintf("cacheproxy-compare-%d-", os.Getpid())
	if dir, err := os.MkdirTemp("/dev/shm", name); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", name)
}

func (r *run) file(name string) string { return filepath.Join(r.dir, name) }

func (r *run) close() {
	if r.client != nil {
		r.client.CloseIdleConnections()
	}
	if r.dir != "" {
		if err := os.RemoveAll(r.dir); err != nil {
			fmt.Fprintln(r.progress, "compare:", err)
		}
	}
}

// rounds measures everything as often as asked for. The order of the peers
// turns from round to round, so that none always has the same place.
func (r *run) rounds(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, setProcess(r.all)) }()
	for _, mode := range r.options.modes {
		sh := r.shares(mode)
		if err := setProcess(sh.load); err != nil {
			return err
		}
		for round := 1; round <= r.options.rounds; round++ {
			for _, p := range rotate(r.peers, round-1) {
				if err := r.visit(ctx, mode, round, p, sh); err != nil {
					r.result.Failures = append(r.result.Failures, fmt.Sprintf("%s, round %d: %s: %v", mode, round, p.name, err))
				}
				if ctx.Err() != nil {
					return errors.New("broken off; only what was measured until then counts")
				}
			}
		}
	}
	return nil
}

// shares are the CPUs of the proxy, and those of load, origin and ourselves.
type shares struct {
	proxy, load cpuSet
	workers     int
}

func (r *run) shares(mode string) shares {
	if mode == unpinned {
		return shares{proxy: r.all, load: r.all, workers: 2}
	}
	cpus := r.all.list()
	return shares{proxy: oneCPU(cpus[0]), load: oneCPU(cpus[1]), workers: 1}
}

// visit starts a peer afresh and measures all its scenarios.
func (r *run) visit(ctx context.Context, mode string, round int, p peer, sh shares) error {
	var todo []scenario
	for _, s := range r.options.plan(mode) {
		if p.does(s) {
			todo = append(todo, s)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	started, err := r.start(ctx, p, sh)
	if err != nil {
		return err
	}
	defer started.stop()
	for _, s := range todo {
		sm := sample{Mode: mode, Round: round, Peer: p.name, Scenario: s.name}
		measure := r.steady
		if s.want == stampedes {
			measure = r.stampede
		}
		if err := measure(ctx, started, s, &sm); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.result.Samples = append(r.result.Samples, sm)
		fmt.Fprintln(r.progress, progressLine(sm))
	}
	return nil
}

func progressLine(sm sample) string {
	line := fmt.Sprintf("%s %d  %-12s %-9s %8.2f µs/request %8.0f/s  others %2.0f %%",
		sm.Mode, sm.Round, sm.Peer, sm.Scenario, sm.cost(), sm.rate(), 100*sm.Others/sm.Seconds)
	if sm.Bad > 0 {
		line += fmt.Sprintf("  %d BAD", sm.Bad)
	}
	return strings.Join(append([]string{line}, sm.Problems...), "  PROBLEM: ")
}
