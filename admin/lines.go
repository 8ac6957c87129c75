package admin

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultLines = 8192
	lineBytes    = 1 << 10  // lines may wait as long as they have fewer bytes on average
	flushBytes   = 32 << 10 // so much is written at once, without waiting for flushEvery
	flushEvery   = 250 * time.Millisecond
	closeWait    = 2 * time.Second
	keepBytes    = 1 << 20 // a larger buffer is not kept for the next batch
)

// lines collects lines for an output that may be slow. One goroutine writes
// them in batches; a line that finds the buffer full is dropped.
type lines struct {
	out  io.Writer
	most int

	mu      sync.Mutex
	pending []byte
	count   int // lines in pending
	closed  bool

	dropped atomic.Int64
	full    chan struct{} // there is enough for a batch
	stop    chan struct{}
	done    chan struct{}
}

func newLines(out io.Writer, most int) *lines {
	if most == 0 {
		most = defaultLines
	}
	l := &lines{
		out: out, most: most,
		full: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// Write takes one line that ends in the only newline it has. It never blocks on
// the output, and never fails.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tooMuch := l.count > 0 && len(l.pending)+len(line) > l.most*lineBytes
	if l.closed || l.count >= l.most || tooMuch {
		l.dropped.Add(1)
		return len(line), nil
	}
	l.pending = append(l.pending, line...)
	l.count++
	if len(l.pending) >= flushBytes || 2*l.count >= l.most {
		select {
		case l.full <- struct{}{}:
		default: // it knows
		}
	}
	return len(line), nil
}

func (l *lines) run() {
	defer close(l.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var spare []byte
	for open := true; open; {
		select {
		case <-tick.C:
		case <-l.full:
		case <-l.stop:
			open = false
		}
		spare = l.flush(spare)
	}
}

// flush writes what is pending, while new lines gather in spare. It returns the
// buffer that is free now.
func (l *lines) flush(spare []byte) []byte {
	l.mu.Lock()
	batch := l.pending
	l.pending, l.count = spare[:0], 0
	l.mu.Unlock()
	if len(batch) == 0 {
		return batch
	}
	n, err := l.out.Write(batch)
	if err != nil {
		// A line of which only a part was written is lost too.
		l.dropped.Add(int64(bytes.Count(batch[min(max(n, 0), len(batch)):], []byte("\n"))))
	}
	if cap(batch) > keepBytes {
		return nil
	}
	return batch
}

func (l *lines) close() error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.stop)
	}
	l.mu.Unlock()
	select {
	case <-l.done:
		return nil
	case <-time.After(closeWait):
		return fmt.Errorf("access log: the output has not taken the last lines within %s", closeWait)
	}
}
