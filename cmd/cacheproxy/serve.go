package main

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"cacheproxy/admin"
	"cacheproxy/cache"
	"cacheproxy/config"
	"cacheproxy/explain"
	"cacheproxy/insight"
	"cacheproxy/lint"
	"cacheproxy/memory"
	"cacheproxy/origin/upstream"
	"cacheproxy/proxy"
	"cacheproxy/purge"
	"cacheproxy/revalidate"
	"cacheproxy/server"
	"cacheproxy/telemetry"
)

// serveCommand serves until SIGTERM or SIGINT.
func serveCommand(cmd *cobra.Command, env func(string) (string, bool)) error {
	load := func() (config.Config, error) { return loadConfig(cmd, env) }
	c, err := load()
	if err != nil {
		return err
	}
	// The HTTP client of the library writes there on its own, bytes that an
	// origin sent unasked included. What matters is in outcomes and in our log.
	stdlog.SetOutput(io.Discard)
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	// Before the listener is open: who sees it may send a signal at once.
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	a, err := start(c, log, cmd.OutOrStdout(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer a.close()
	go a.watch(ctx, hup, configPath(cmd, env), load)
	return a.serve(ctx)
}

// app is a running proxy with all its parts.
type app struct {
	log            *slog.Logger
	stdout, stderr io.Writer
	started        config.Config // what the parts work with that only a restart changes
	config         atomic.Pointer[config.Config]
	token          string
	wired          atomic.Pointer[wiring]

	store    cache.Store[revalidate.Kept]
	memory   *memory.Keeper
	fetcher  *revalidate.Fetcher
	proxy    *proxy.Proxy
	server   *server.Server
	tls      *server.Server // nil without tls.listen
	keys     atomic.Pointer[keyring]
	admin    *http.Server
	adminLn  net.Listener
	metrics  *admin.Metrics
	insight  *insight.Insight
	lint     *lint.Linter
	traces   *explain.Ring
	tracing  *telemetry.Tracing // nil without tracing.endpoint
	access   atomic.Pointer[accessLog]
	draining atomic.Bool
	purged   *purge.Journal // what the snapshot has and must not come back; nil without a snapshot
}

// start builds a proxy and opens its listeners.
func start(c config.Config, log *slog.Logger, stdout, stderr io.Writer) (a *app, err error) {
	a = &app{log: log, stdout: stdout, stderr: stderr, token: newToken(), started: c}
	a.config.Store(&c)
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if a.store, err = newStore(c); err != nil {
		return a, err
	}
	a.memory = memory.Keep(memory.Store{
		Size: int64(c.Cache.Size), Resize: a.store.Resize,
		Cost: func() int64 { return a.store.Stats().Cost },
	}, memory.Available(), log)
	a.fetcher = revalidate.New(revalidate.Options{
		Store: a.store, MaxObject: int64(c.Cache.MaxObject), MaxVariants: c.Cache.MaxVariants,
	})
	if err = a.restore(c.Snapshot.File); err != nil {
		return a, err
	}
	if a.tracing, err = openTracing(c, log); err != nil {
		return a, err
	}
	w, err := wire(c, a.token, &wiring{proxy: &proxy.Config{}, tracing: a.tracing, log: log})
	if err != nil {
		return a, err
	}
	a.lint, a.traces = lint.New(), explain.NewRing(256)
	a.hook(w.proxy)
	a.wired.Store(w)
	if err = a.openLog(c); err != nil {
		return a, err
	}
	a.metrics = admin.NewMetrics(a.sources())
	a.insight = insight.New(insight.Options{Store: a.store.Stats, Objective: c.Admin.Objective})
	a.metrics.Register(a.insight.Collector())
	a.proxy = proxy.New(a.fetcher, w.proxy, a.observe)
	if a.server, err = server.Listen(c.Listen, a.serverOptions(c)); err != nil {
		return a, err
	}
	if err = a.openTLS(c); err != nil {
		return a, err
	}
	clients := a.servers()
	a.memory.OnShortage(func(need int64) int { return server.Relieve(need, clients...) })
	return a, a.openAdmin(c)
}

func newStore(c config.Config) (cache.Store[revalidate.Kept], error) {
	return cache.New[revalidate.Kept](cache.Options{
		MaxCost: int64(c.Cache.Size), Engine: cache.Engine(c.Cache.Engine), Exponent: c.Cache.SizeExponent,
	})
}

// serverOptions are those of both listeners for clients.
func (a *app) serverOptions(c config.Config) server.Options {
	return server.Options{
		Handler:    a.proxy,
		Hit:        a.proxy.Hit,
		Refuse:     a.proxy.Refuse,
		ReadHeader: time.Duration(c.Timeouts.ReadHeader),
		Idle:       time.Duration(c.Timeouts.Idle),

		ReadContent: time.Duration(c.Timeouts.ReadBody), Write: time.Duration(c.Timeouts.Write),

		MaxHeaderBytes: int(c.Limits.HeaderSize), MaxHeaderFields: c.Limits.HeaderFields, MaxURI: int(c.Limits.URISize),
		MaxConns: c.Limits.Connections, MaxConnsPerClient: c.Limits.ClientConnections, Trusted: c.TrustedPrefixes(),

		NoLane:   !c.FastLane,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelError),
	}
}

// servers are the listeners for clients that are open.
func (a *app) servers() (open []*server.Server) {
	for _, s := range []*server.Server{a.server, a.tls} {
		if s != nil {
			open = append(open, s)
		}
	}
	return open
}

// observe feeds every outcome to metrics, log and traces.
func (a *app) observe(o *proxy.Outcome) {
	a.metrics.Observe(o)
	a.insight.Observe(o)
	a.traces.Observe(o)
	a.access.Load().Observe(o)
	a.tracing.Observe(o)
}

func (a *app) sources() admin.Sources {
	return admin.Sources{
		Store: a.store.Stats,
		Flights: func() (started, running, waiting, collapsed int64) {
			s := a.fetcher.Stats()
			return s.Started, s.Running, s.Waiting, s.Collapsed
		},
		LogDropped:  func() int64 { return a.access.Load().Dropped() },
		Exchanges:   a.fetcher.Exchanges,
		Asking:      func() int64 { return a.proxy.Asking() }, // which is there before anybody can ask
		Targets:     a.targets,
		Connections: a.connections,
	}
}

// connections are those of all listeners for clients.
func (a *app) connections() (open, refused int64) {
	for _, s := range a.servers() {
		o, r := s.Stats()
		open, refused = open+o, refused+r
	}
	return open, refused
}

// targets are the states of all targets, by the name of their upstream.
func (a *app) targets() (all []admin.TargetState) {
	named := a.wired.Load().named
	for _, name := range slices.Sorted(maps.Keys(named)) {
		waiting := named[name].Waiting()
		for _, s := range named[name].Targets() {
			t := admin.TargetState{
				Upstream: name, URL: s.URL, State: s.Condition.String(), Up: s.Condition == upstream.Up,
				InFlight: int64(s.InFlight), Limit: int64(s.Limit), Queued: int64(waiting),
				Requests: s.Requests, Retries: s.Retries, Ejections: s.Ejections, ChecksFailed: s.ChecksFailed,
				Failures: make(map[string]int64, len(s.Failures)),
			}
			for f, n := range s.Failures {
				t.Failures[f.String()] += n
			}
			all = append(all, t)
		}
	}
	return all
}

// openAdmin opens the operator's side.
func (a *app) openAdmin(c config.Config) error {
	if c.Admin.Listen == "off" {
		return nil
	}
	ln, err := net.Listen("tcp", c.Admin.Listen)
	if err != nil {
		return fmt.Errorf("admin: listen on %s: %w", c.Admin.Listen, err)
	}
	a.adminLn = ln
	a.admin = &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		Handler: admin.New(admin.Options{
			Metrics: a.metrics, Token: c.Admin.Token, Pprof: c.Admin.Pprof,
			Draining: a.draining.Load, Origins: a.originChecks, API: a.api(),
			Explain: a.explain, Purge: a.proxy.Purge, Purges: a.proxy.Purges,
			Refresh: a.refresh, SaveSnapshot: a.fetcher.Save, LoadSnapshot: a.load,
		}),
	}
	return nil
}

// hook lets a configuration of the proxy tell this program what happens.
func (a *app) hook(c *proxy.Config) { c.OnMarks, c.OnPurge, c.Lint = a.outdate, a.audit, a.lint }

// originChecks are the checks of the origins in use.
func (a *app) originChecks() map[string]func(context.Context) error {
	checks := make(map[string]func(context.Context) error)
	for name, u := range a.wired.Load().named {
		checks[name] = u.Reachable
	}
	return checks
}

// serve runs until the context ends, then drains.
func (a *app) serve(ctx context.Context) error {
	c := a.config.Load()
	failed := make(chan error, 3)
	if a.admin != nil {
		go func() { failed <- a.admin.Serve(a.adminLn) }()
	}
	for _, s := range a.servers() {
		go func() { failed <- s.Serve() }()
	}
	a.announce(*c)
	saving := a.saveEvery(ctx)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	err := a.drain(time.Duration(a.config.Load().DrainTimeout))
	<-saving
	a.save()
	a.log.Info("stopped")
	return err
}

// drain lets requests in flight finish, and then upgraded connections, which
// the server no longer knows of.
func (a *app) drain(timeout time.Duration) error {
	a.draining.Store(true)
	a.log.Info("draining: no new connections, waiting for requests in flight", "at most", timeout)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range a.servers() {
		wg.Go(func() { _ = s.Drain(ctx) }) // fails when the context ends, which is seen below
	}
	wg.Wait()
	a.proxy.WaitUpgrades(ctx)
	if ctx.Err() != nil {
		a.log.Warn("drain timeout: whatever is still in flight is cut off", "after", timeout)
	}
	return nil
}

// close ends everything that start opened.
func (a *app) close() {
	for _, s := range a.servers() {
		s.Close()
	}
	if a.insight != nil { // before those who listen to it are waited for
		a.insight.Close()
	}
	if a.admin != nil {
		a.admin.Close()
	}
	if a.fetcher != nil {
		a.fetcher.Close()
	}
	if w := a.wired.Load(); w != nil {
		w.origins.closeOthers(nil)
	}
	if a.memory != nil {
		a.memory.Close()
	}
	if a.store != nil {
		a.store.Close()
	}
	a.tracing.Close()
	if l := a.access.Load(); l != nil {
		l.close()
	}
}

// announce tells what is served, and what a careful operator should know.
func (a *app) announce(c config.Config) {
	for _, r := range c.AllRoutes() {
		a.log.Info("serving", "on", a.server.Addr().String(), "host", r.Host, "path", r.Path, "origin", r.Origin)
		for _, rule := range slices.Concat(c.Rules, r.Rules) {
			if rule.SetCookie != nil && *rule.SetCookie == "keep" {
				a.log.Warn("a rule stores Set-Cookie and replays it to everybody", "path", rule.Match.Path, "host", rule.Match.Host)
			}
		}
	}
	a.announceTLS()
	if c.Profile == "rfc9111" {
		a.log.Warn("profile rfc9111 stores responses with Set-Cookie and replays them, as the RFC allows")
	}
	attrs := []any{"cache", c.Cache.Size.String(), "engine", c.Cache.Engine, "profile", c.Profile, "version", version()}
	if a.adminLn != nil {
		attrs = append(attrs, "admin", a.adminLn.Addr().String())
	}
	a.log.Info("ready", attrs...)
}
