package admin

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"cacheproxy/proxy"
)

// LogOptions say what is logged, and where.
type LogOptions struct {
	Mode   string    // off, sampled or full
	Format string    // json or combined
	Sample int       // in mode sampled, one of so many requests; at least 1
	Output io.Writer // gets whole lines, many in one Write; Close does not close it
	Lines  int       // most lines that wait for the output; 0 = 8192
}

// Log writes a line for each outcome, or for some. Lines wait for the output in
// a bounded buffer, for a quarter of a second at most while it keeps up; what
// does not fit is dropped and counted, so that a log never slows the proxy
// down. A nil *Log logs nothing.
type Log struct {
	sample uint64 // 1 = all
	seen   atomic.Uint64
	write  func(*proxy.Outcome)
	lines  *lines
}

// NewLog starts a log; Close ends it. In mode off the log is nil. It returns an
// error that names the option which is wrong.
func NewLog(o LogOptions) (*Log, error) {
	l := &Log{sample: 1}
	switch o.Mode {
	case "off":
		return nil, nil
	case "full":
	case "sampled":
		if o.Sample < 1 {
			return nil, fmt.Errorf("access log: sample is %d: give 1 to log every request, or N to log one of N", o.Sample)
		}
		l.sample = uint64(o.Sample)
	default:
		return nil, fmt.Errorf("access log: mode %q: give off, sampled or full", o.Mode)
	}
	if o.Format != "json" && o.Format != "combined" {
		return nil, fmt.Errorf("access log: format %q: give json or combined", o.Format)
	}
	if o.Output == nil {
		return nil, errors.New("access log: no output: give one, or mode off")
	}
	if o.Lines < 0 {
		return nil, fmt.Errorf("access log: lines is %d: give how many may wait, or 0 for the default", o.Lines)
	}
	l.lines = newLines(o.Output, o.Lines)
	l.write = jsonWriter(l.lines)
	if o.Format == "combined" {
		l.write = combinedWriter(l.lines)
	}
	return l, nil
}

// Observe logs an outcome, and does not keep it. In mode sampled it logs the
// first of every N requests, and every 5xx and every answer that broke off.
func (l *Log) Observe(o *proxy.Outcome) {
	if l == nil {
		return
	}
	if l.sample > 1 {
		due := l.seen.Add(1)%l.sample == 1
		if !due && o.Status < 500 && !o.Aborted {
			return
		}
	}
	l.write(o)
}

// Dropped is the number of lines that were lost: the buffer was full, the
// output failed, or the log was closed.
func (l *Log) Dropped() int64 {
	if l == nil {
		return 0
	}
	return l.lines.dropped.Load()
}

// Close writes what waits and ends the log. Lines that come later are dropped.
// It returns an error when the output has not taken everything within two
// seconds. It may be called more than once.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	return l.lines.close()
}
