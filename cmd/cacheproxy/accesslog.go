package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"cacheproxy/admin"
	"cacheproxy/config"
)

// accessLog is a log and the file it writes to, if that is ours to close.
type accessLog struct {
	*admin.Log
	file io.Closer
}

func (l *accessLog) close() {
	l.Close()
	if l.file != nil {
		l.file.Close()
	}
}

// openLog opens the access log and closes the one before it.
func (a *app) openLog(c config.Config) error {
	next := &accessLog{}
	out := a.stderr
	switch c.AccessLog.Output {
	case "stderr":
	case "stdout":
		out = a.stdout
	default:
		if c.AccessLog.Mode != "off" {
			f, err := os.OpenFile(c.AccessLog.Output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
			if err != nil {
				return fmt.Errorf("access_log.output: %w", err)
			}
			out, next.file = f, f
		}
	}
	var err error
	if next.Log, err = admin.NewLog(admin.LogOptions{
		Mode: c.AccessLog.Mode, Format: c.AccessLog.Format, Sample: c.AccessLog.Sample, Output: out,
	}); err != nil {
		return err
	}
	if old := a.access.Swap(next); old != nil {
		old.close()
	}
	return nil
}

// reopenLog opens the file of the access log anew, since whoever rotates it has
// moved the old one away. It does not depend on whether a new configuration is
// accepted.
func (a *app) reopenLog() {
	if a.access.Load().file == nil {
		return
	}
	if err := a.openLog(*a.config.Load()); err != nil {
		a.log.Error("the access log stays with the file it has", "error", err)
	}
}

// newToken makes the pseudonym of this process for Via and CDN-Loop: two
// proxies in a row must not take each other for themselves.
func newToken() string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return "cacheproxy-" + hex.EncodeToString(b[:])
}
