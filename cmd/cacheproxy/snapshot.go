package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"cacheproxy/proxy"
	"cacheproxy/purge"
	"cacheproxy/snapshot"
)

// restore loads the snapshot of the run before, if there is one. What is wrong with it
// keeps nobody from serving; that none could be written does.
func (a *app) restore(path string) error {
	if path == "" {
		return nil
	}
	if err := writable(path); err != nil {
		return fmt.Errorf("snapshot.file: %s cannot be written: %w", path, err)
	}
	var err error
	if a.purged, err = purge.OpenJournal(path + ".purged"); err != nil {
		return fmt.Errorf("snapshot.file: %w", err)
	}
	start := time.Now()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var loaded snapshot.Loaded
	if err == nil {
		defer f.Close()
		loaded, err = a.fetcher.Load(f, a.purged.Marks())
	}
	if err != nil {
		a.log.Error("the snapshot is not loaded, or not all of it", "file", path, "entries", loaded.Entries, "error", err)
		return nil
	}
	log := a.log.Info
	if loaded.Lost > 0 || loaded.Truncated || loaded.ClockBack {
		log = a.log.Warn
	}
	log("snapshot: loaded "+loadedText(loaded), "file", path, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// writable says why no file can be put in this place.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return errors.New("it is no regular file; name another one")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".cacheproxy.*.tmp")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// saveEvery saves as often as is configured until the context ends. The channel is
// closed when nothing is being saved any more.
func (a *app) saveEvery(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	every := time.Duration(a.started.Snapshot.Every)
	if every <= 0 {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				a.save()
			case <-ctx.Done():
				return
			}
		}
	}()
	return done
}

// save writes the snapshot, if there is to be one.
func (a *app) save() {
	path := a.started.Snapshot.File
	if path == "" {
		return
	}
	start, before := time.Now(), a.purged.End()
	var saved snapshot.Saved
	err := snapshot.WriteFile(path, func(w io.Writer) (err error) {
		saved, err = a.fetcher.Save(w)
		return err
	})
	if err != nil {
		a.log.Error("the snapshot is not saved, the one before stays", "file", path, "error", err)
		return
	}
	if err := a.purged.Forget(before); err != nil { // what was purged meanwhile may not be in it either
		a.withdraw(err)
		return
	}
	a.log.Info("snapshot: saved", "file", path, "entries", saved.Entries, "bytes", saved.Bytes, "took", time.Since(start).Round(time.Millisecond))
}

// outdate is called with the marks of every purge: what was purged must not come back
// after a crash. Where that cannot be noted the file goes; the next save writes another.
func (a *app) outdate(marks []purge.Mark) {
	if a.purged == nil {
		return
	}
	if err := a.purged.Add(marks); err != nil {
		a.withdraw(err)
	}
}

func (a *app) withdraw(err error) {
	_ = os.Remove(a.started.Snapshot.File)
	a.log.Error("the snapshot is removed, as what is purged cannot be noted beside it", "error", err)
}

// load loads a snapshot from elsewhere.
func (a *app) load(r io.Reader) (snapshot.Loaded, error) { return a.fetcher.Load(r, nil) }

// refresh fetches a URL anew, or what is missing of it.
func (a *app) refresh(ctx context.Context, url string, header http.Header, onlyMissing bool) (proxy.RefreshResult, error) {
	if onlyMissing {
		return a.proxy.WarmURL(ctx, url, header)
	}
	return a.proxy.RefreshURL(ctx, url, header)
}
