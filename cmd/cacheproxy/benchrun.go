package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"cacheproxy/bench/load"
	"cacheproxy/bench/report"
	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/trace"
	"cacheproxy/bench/workload"
)

// bench runs a load test and reports it.
func bench(cmd *cobra.Command, f *benchFlags, args []string) error {
	var extra []string
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args, extra = args[:dash], args[dash:]
	}
	target := ""
	switch len(args) {
	case 0:
	case 1:
		target = args[0]
	default:
		return usageError{fmt.Errorf("%q: one target at a time", args[1])}
	}
	if err := f.validate(cmd, target, extra); err != nil {
		return usageError{err}
	}
	if err := checkOrigin(f.origin); err != nil {
		return err
	}
	if err := f.writable(); err != nil {
		return err
	}
	o, named, err := f.options(target)
	if err != nil {
		return err
	}
	if o.Bound, err = f.bound(target == "", extra); err != nil {
		return usageError{err}
	}
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	ctx, stop, done := untilInterrupted(cmd.Context())
	defer done()
	o.Stop = stop
	set, err := f.setUp(ctx, &o, target, extra, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer set.close()
	progress := newProgress(cmd.ErrOrStderr())
	o.Progress = progress.show
	r, err := load.Run(ctx, o)
	progress.end()
	if r == nil {
		return errors.Join(err, set.trouble())
	}
	r.Command, r.Workload = append([]string{"cacheproxy"}, os.Args[1:]...), named
	r.Environment.Program, r.Environment.Proxy = "cacheproxy "+version(), set.command
	r.Driver.WithOrigin = set.origin != nil
	return errors.Join(f.deliver(r, cmd.OutOrStdout()), err, set.trouble())
}

// options are those of the load that need nothing to be started, and the name of
// the workload. Its error is a usageError unless it is about a file.
func (f *benchFlags) options(target string) (o load.Options, named string, err error) {
	o = load.Options{Target: &url.URL{Scheme: "http", Host: "ours"}, HTTP2: f.http2, Connections: f.connections, Rate: f.rate, Timeout: f.timeout, PID: f.pid}
	if o.Warmup, err = parseWarmup(f.warmup); err != nil {
		return o, "", usageError{err}
	}
	if target != "" {
		if o.Target, err = parseTarget(target); err != nil {
			return o, "", usageError{err}
		}
	}
	if o.TLS, err = f.tls(); err != nil {
		return o, "", err
	}
	if f.trace != "" {
		return f.replay(o, target == "" || f.originListen != "" || f.originStats != "")
	}
	spec, err := workload.Parse(f.workload)
	if err != nil {
		return o, "", usageError{fmt.Errorf("--workload: %w", err)}
	}
	if f.reseeded {
		spec.Seed = f.seed
	}
	o.Measured = f.measured(0)
	if o.Source, err = workload.New(spec); err != nil {
		return o, "", usageError{fmt.Errorf("--workload: %w", err)}
	}
	return o, spec.String(), nil
}

// replay makes a trace the source; builtIn says whether the built-in origin is
// there to be told of its objects.
func (f *benchFlags) replay(o load.Options, builtIn bool) (load.Options, string, error) {
	r, err := trace.Open(f.trace)
	if err != nil {
		return o, "", fmt.Errorf("--trace: %w", err)
	}
	defer r.Close()
	t, err := workload.FromTrace(r, f.duration > 0 || f.requests > 0)
	if err != nil {
		return o, "", fmt.Errorf("--trace: %w", err)
	}
	if !builtIn {
		t.Plain()
	}
	o.Source, o.Measured = t, f.measured(int64(t.Len()))
	named := fmt.Sprintf("trace %s: %d requests for %d objects, %.1f MiB together", filepath.Base(f.trace), t.Len(), t.Objects(), float64(t.Footprint())/(1<<20))
	if n := t.LeftOut(); n > 0 {
		named += fmt.Sprintf(", %d left out", n)
	}
	if n := r.Skipped(); n > 0 {
		named += fmt.Sprintf(", %d lines not readable", n)
	}
	return o, named, nil
}

// tls says which certificates are good.
func (f *benchFlags) tls() (*tls.Config, error) {
	if f.ca == "" {
		return &tls.Config{InsecureSkipVerify: f.insecure}, nil
	}
	text, err := os.ReadFile(f.ca)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca: %s holds no certificate", f.ca)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// setting is what was started for a run.
type setting struct {
	origin  *testorigin.Server
	proxy   *child
	command []string // of our proxy; nil if there is a target
}

// setUp starts the built-in origin and our own proxy where they are wanted.
func (f *benchFlags) setUp(ctx context.Context, o *load.Options, target string, extra []string, stderr io.Writer) (*setting, error) {
	s := new(setting)
	listen := f.originListen
	if target == "" {
		listen = "127.0.0.1:0"
	}
	var err error
	if listen != "" {
		if s.origin, err = testorigin.Listen(listen, f.origin); err != nil {
			return nil, err
		}
		o.Origin = load.Local{Origin: s.origin.Origin}
	}
	if f.originStats != "" {
		if _, err := parseTarget(f.originStats); err != nil {
			return nil, usageError{fmt.Errorf("--origin-stats: %w", err)}
		}
		o.Origin = load.Remote(f.originStats)
	}
	o.Check = f.check && o.Origin != nil
	if target != "" {
		return s, nil
	}
	if s.proxy, err = startProxy(ctx, f.proxyFlags(s.origin.URL(), extra), stderr); err != nil {
		s.close()
		return nil, err
	}
	s.command = s.proxy.flags
	o.Target = &url.URL{Scheme: "http", Host: s.proxy.addr}
	o.PID = s.proxy.pid()
	return s, nil
}

// proxyFlags are the flags of our own proxy.
func (f *benchFlags) proxyFlags(origin string, extra []string) []string {
	flags := []string{"--origin", origin, "--listen", "127.0.0.1:0", "--admin", "off", "--access-log", "off"}
	if f.cacheSize != "" {
		flags = append(flags, "--cache-size", f.cacheSize)
	}
	if f.engine != "" {
		flags = append(flags, "--cache-engine", f.engine)
	}
	return append(flags, extra...)
}

// trouble is why our proxy ended, if it did.
func (s *setting) trouble() error {
	if s.proxy == nil {
		return nil
	}
	return s.proxy.trouble()
}

func (s *setting) close() {
	if s.proxy != nil {
		s.proxy.end()
	}
	if s.origin != nil {
		s.origin.Close()
	}
}

// deliver prints a report and writes its files.
func (f *benchFlags) deliver(r *report.Run, stdout io.Writer) error {
	errs := []error{r.Text(stdout)} // what cannot be written keeps nothing else from it
	if f.jsonFile != "" {
		if err := report.Save(f.jsonFile, r); err != nil {
			errs = append(errs, fmt.Errorf("--json: %w", err))
		}
	}
	if f.htmlFile != "" {
		if err := writePage(f.htmlFile, r.Page); err != nil {
			errs = append(errs, fmt.Errorf("--html: %w", err))
		}
	}
	switch n := r.Failed(); {
	case n > 0:
		errs = append(errs, fmt.Errorf("%d of %d requests failed", n, n+r.Answered))
	case r.Answered == 0:
		errs = append(errs, errors.New("nothing was sent"))
	}
	return errors.Join(errs...)
}

// writePage writes a page into a file.
func writePage(name string, page func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(page(file), file.Close())
}
