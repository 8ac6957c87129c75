//go:build linux

package siege

import (
	"bytes"
	"fmt"
	"io"
)

// content is a body of lines that all name it, so that no other can pass for it.
// It is made while it is read, however large it is.
type content struct {
	name string
	size int64
}

// block is a piece of whole lines: as long as the content if that is short.
func (c content) block() []byte {
	line := c.name + "\n"
	return bytes.Repeat([]byte(line), int(min(c.size, 64<<10))/len(line)+1)
}

// WriteTo writes all of it.
func (c content) WriteTo(w io.Writer) (n int64, err error) {
	for block := c.block(); n < c.size && err == nil; {
		var wrote int
		wrote, err = w.Write(block[:min(int64(len(block)), c.size-n)])
		n += int64(wrote)
	}
	return n, err
}

// reader checks what a client reads of it.
type reader struct {
	content
	lines []byte
	got   int64
}

func (c content) reader() *reader { return &reader{content: c, lines: c.block()} }

// Write takes what was read, and fails where it is not the content.
func (r *reader) Write(p []byte) (int, error) {
	if r.got+int64(len(p)) > r.size {
		return 0, fmt.Errorf("%s: more than its %d bytes", r.name, r.size)
	}
	for rest := p; len(rest) > 0; {
		want := r.lines[r.got%int64(len(r.lines)):]
		n := min(len(want), len(rest))
		if !bytes.Equal(rest[:n], want[:n]) {
			return 0, fmt.Errorf("%s: other bytes within the %d from %d on: %.100q", r.name, n, r.got, rest)
		}
		r.got += int64(n)
		rest = rest[n:]
	}
	return len(p), nil
}

// whole says whether all of it was read.
func (r *reader) whole() error {
	if r.got != r.size {
		return fmt.Errorf("%s: %d of its %d bytes", r.name, r.got, r.size)
	}
	return nil
}
