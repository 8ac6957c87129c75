package snapshot

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// leftover is from which age on a file that was never finished is taken away.
const leftover = time.Hour

// WriteFile writes a file that only its owner may read, and puts it in the place of
// what was at path when it is complete and on the disk: whatever happens, the old file
// or the new one is there. Unfinished ones of processes that were killed are removed.
func WriteFile(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("snapshot: %s is no regular file: name another one", path) // a device would be replaced by a file
	}
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	removeLeftovers(filepath.Join(dir, name+".*.tmp"))
	file, err := os.CreateTemp(dir, name+".*.tmp") // for its owner alone
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("snapshot: %s: %w", path, err)
	}
	return syncDir(dir)
}

// syncDir makes a new name last. Not every file system can do that for a directory;
// then it needs no telling.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	_ = d.Sync()
	return d.Close()
}

func removeLeftovers(pattern string) {
	names, _ := filepath.Glob(pattern)
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > leftover {
			_ = os.Remove(name)
		}
	}
}
