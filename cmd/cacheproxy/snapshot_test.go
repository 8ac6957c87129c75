package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/config"
	"cacheproxy/purge"
	"cacheproxy/revalidate"
)

// A snapshot that would bring back what was purged goes, if that cannot be noted.
func TestWhatIsPurgedIsNotedOrTheSnapshotGoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.snapshot")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	a := &app{log: slog.New(slog.DiscardHandler), started: config.Default()}
	a.outdate([]purge.Mark{{Kind: purge.Tag, Value: "no snapshot, nothing to note"}})
	a.started.Snapshot.File = path
	var err error
	a.purged, err = purge.OpenJournal(path + ".purged")
	require.NoError(t, err)
	a.outdate([]purge.Mark{{Kind: purge.Tag, Value: "a"}})
	assert.FileExists(t, path)
	require.NoError(t, os.Remove(path+".purged"))
	require.NoError(t, os.Mkdir(path+".purged", 0o700))
	a.outdate([]purge.Mark{{Kind: purge.Tag, Value: "b"}})
	assert.NoFileExists(t, path)

	store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 1 << 20})
	require.NoError(t, err)
	defer store.Close()
	a.fetcher = revalidate.New(revalidate.Options{Store: store, MaxObject: 1 << 10, MaxVariants: 1})
	defer a.fetcher.Close()
	a.save()
	assert.NoFileExists(t, path, "one that is written when a mark is missing")
	require.NoError(t, os.Remove(path+".purged"))
	a.save()
	assert.FileExists(t, path)
}

// What no snapshot could be put in the place of is told at the start, and not at the stop.
func TestASnapshotNeedsItsPlace(t *testing.T) {
	a := &app{log: slog.New(slog.DiscardHandler)}
	folder := t.TempDir()
	assert.ErrorContains(t, a.restore(folder), "snapshot.file: "+folder+" cannot be written: it is no regular file; name another one")
	assert.NoFileExists(t, folder+".purged")
	assert.ErrorContains(t, a.restore(filepath.Join(folder, "none", "cache.snapshot")), "no such file")
}
