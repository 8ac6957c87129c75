package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"cacheproxy/config"
	"cacheproxy/memory"
)

// settle is how long a changed file must be quiet before it is read: editors
// write in several steps.
const settle = 200 * time.Millisecond

// watch reloads the configuration on SIGHUP and when its file changes.
func (a *app) watch(ctx context.Context, hup <-chan os.Signal, path string, load func() (config.Config, error)) {
	changed := a.fileChanges(ctx, path)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			a.reopenLog()
			a.reload(load)
		case <-changed:
			a.reload(load)
		}
	}
}

// fileChanges reports, once it is quiet, that the file was written or replaced.
// The folder is watched, since editors and mounts replace the file itself.
func (a *app) fileChanges(ctx context.Context, path string) <-chan struct{} {
	changed := make(chan struct{}, 1)
	if path == "" {
		return changed
	}
	w, err := fsnotify.NewWatcher()
	if err == nil {
		err = w.Add(filepath.Dir(path))
	}
	if err != nil {
		a.log.Warn("the configuration file is not watched; use SIGHUP after a change", "file", path, "error", err)
		return changed
	}
	go func() {
		defer w.Close()
		quiet := time.NewTimer(time.Hour)
		quiet.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-w.Events:
				// A mounted ConfigMap changes by a link beside the file.
				if filepath.Base(e.Name) == filepath.Base(path) || filepath.Base(e.Name) == "..data" {
					quiet.Reset(settle)
				}
			case <-w.Errors:
			case <-quiet.C:
				changed <- struct{}{}
			}
		}
	}()
	return changed
}

// reload takes a new configuration in, or refuses it and keeps the old one.
// Connections and the cache stay.
func (a *app) reload(load func() (config.Config, error)) {
	c, err := load()
	if err == nil {
		err = a.apply(c)
	}
	a.metrics.ConfigReloaded(err == nil)
	if err != nil {
		a.log.Error("the new configuration is refused, the old one stays in use", "error", err)
		return
	}
	a.log.Info("configuration reloaded")
}

// restartKeys are the settings that a reload leaves as they are: sockets are
// opened once, and their timeouts are read without a lock.
var restartKeys = []struct {
	name  string
	value func(config.Config) any
}{
	{"listen", func(c config.Config) any { return c.Listen }},
	{"tls.listen", func(c config.Config) any { return c.TLS.Listen }},
	{"cache.engine", func(c config.Config) any { return c.Cache.Engine }},
	{"cache.size_exponent", func(c config.Config) any { return c.Cache.SizeExponent }},
	{"snapshot.file", func(c config.Config) any { return c.Snapshot.File }},
	{"snapshot.every", func(c config.Config) any { return c.Snapshot.Every }},
	{"fast_lane", func(c config.Config) any { return c.FastLane }},
	{"admin.listen", func(c config.Config) any { return c.Admin.Listen }},
	{"admin.token", func(c config.Config) any { return c.Admin.Token }},
	{"admin.pprof", func(c config.Config) any { return c.Admin.Pprof }},
	{"admin.objective", func(c config.Config) any { return c.Admin.Objective }},
	{"tracing.endpoint", func(c config.Config) any { return c.Tracing.Endpoint }},
	{"tracing.sample", func(c config.Config) any { return c.Tracing.Sample }},
	{"limits.header_size", func(c config.Config) any { return c.Limits.HeaderSize }},
	{"limits.header_fields", func(c config.Config) any { return c.Limits.HeaderFields }},
	{"limits.uri_size", func(c config.Config) any { return c.Limits.URISize }},
	{"timeouts.read_header", func(c config.Config) any { return c.Timeouts.ReadHeader }},
	{"timeouts.idle", func(c config.Config) any { return c.Timeouts.Idle }}, // to clients; origins take it
}

// wantRestart names the settings of next that need a restart to replace those
// the proxy was started with.
func wantRestart(started, next config.Config) (names []string) {
	for _, k := range restartKeys {
		if k.value(started) != k.value(next) {
			names = append(names, k.name)
		}
	}
	return names
}

func (a *app) apply(c config.Config) error {
	old := *a.config.Load()
	if keys := wantRestart(a.started, c); len(keys) > 0 {
		a.log.Warn("some settings take effect only after a restart", "settings", strings.Join(keys, ", "))
	}
	before := a.wired.Load()
	w, err := wire(c, a.token, before)
	if err != nil {
		return err
	}
	keys, err := a.reloadKeys(c)
	if err == nil && c.AccessLog != old.AccessLog {
		err = a.openLog(c)
	}
	if err != nil {
		w.origins.closeOthers(before.origins)
		return err
	}
	if c.Cache.Size != old.Cache.Size {
		a.memory.SetSize(int64(c.Cache.Size), memory.Available())
	}
	a.keys.Store(keys)
	a.fetcher.SetLimits(int64(c.Cache.MaxObject), c.Cache.MaxVariants)
	a.hook(w.proxy)
	a.proxy.SetConfig(w.proxy)
	for _, s := range a.servers() {
		s.SetTimes(time.Duration(c.Timeouts.Write), time.Duration(c.Timeouts.ReadBody))
		s.SetMaxConns(c.Limits.Connections, c.Limits.ClientConnections, c.TrustedPrefixes())
	}
	a.wired.Store(w)
	before.origins.closeOthers(w.origins)
	a.config.Store(&c)
	return nil
}
