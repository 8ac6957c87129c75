package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	maxLine    = 1 << 20 // bytes of a line; a longer one is skipped
	firstLines = 100     // so many lines are tried to find the format
)

// expected names the formats in errors.
const expected = `expected "ID SIZE" lines, the common or combined access log format, or JSON lines of nginx, Caddy or cacheproxy`

var errLongLine = fmt.Errorf("longer than %d bytes", maxLine)

// format reads one line, which is not empty.
type format func(line string) (Request, error)

var formats = []format{parseIDSize, parseCombined, parseJSON}

// Reader yields the requests of a trace or log in order. It is not safe for
// concurrent use.
type Reader struct {
	name   string
	in     *bufio.Reader
	close  func() error
	parse  format
	first  *Request // read to find the format, not yet given out
	line   int
	broken int
	reason string // of the first broken line
}

// Open opens a file, plain or gzip; "-" is standard input. It reads the first
// lines to find the format. The error says what was expected when none of them
// can be read.
func Open(path string) (*Reader, error) {
	if path == "-" {
		return NewReader("standard input", os.Stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := NewReader(path, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.close = f.Close
	return r, nil
}

// NewReader reads from in, as [Open] does; name is for messages.
func NewReader(name string, in io.Reader) (*Reader, error) {
	buffered := bufio.NewReaderSize(in, maxLine+2) // room for the end of the line
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		buffered = bufio.NewReaderSize(z, maxLine+2)
	}
	r := &Reader{name: name, in: buffered, close: func() error { return nil }}
	if err := r.findFormat(); err != nil {
		return nil, err
	}
	return r, nil
}

// findFormat takes the format that can read one of the first lines.
func (r *Reader) findFormat() error {
	for range firstLines {
		line, err := r.readLine()
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, errLongLine) {
			return err
		}
		for _, parse := range formats {
			if rq, err := parse(line); err == nil {
				r.parse, r.first = parse, &rq
				return nil
			}
		}
		r.skip(explain(line, err))
	}
	if r.broken == 0 {
		return fmt.Errorf("%s: empty; %s", r.name, expected)
	}
	return fmt.Errorf("%s: none of the first lines can be read; %s; %s", r.name, r.reason, expected)
}

// explain says why a line fits no format, by the one that it resembles.
func explain(line string, err error) error {
	if err != nil {
		return err
	}
	parse := parseCombined
	switch {
	case line[0] == '{':
		parse = parseJSON
	case line[0] >= '0' && line[0] <= '9' && !strings.ContainsAny(line, `."[`):
		parse = parseIDSize
	}
	_, err = parse(line)
	return err
}

// Next returns the next request that can be read, or io.EOF at the end. Other
// errors are those of reading the file, and name it.
func (r *Reader) Next() (Request, error) {
	if first := r.first; first != nil {
		r.first = nil
		return *first, nil
	}
	for {
		line, err := r.readLine()
		if err != nil && !errors.Is(err, errLongLine) {
			return Request{}, err
		}
		if err == nil {
			var rq Request
			if rq, err = r.parse(line); err == nil {
				return rq, nil
			}
		}
		r.skip(err)
	}
}

func (r *Reader) skip(err error) {
	if r.broken == 0 {
		r.reason = fmt.Sprintf("line %d: %v", r.line, err)
	}
	r.broken++
}

// readLine returns the next line that is not empty, without its end. It returns
// errLongLine for a line that is too long, which is read over.
func (r *Reader) readLine() (string, error) {
	for {
		line, err := r.in.ReadSlice('\n')
		if len(line) > 0 {
			r.line++
		}
		long := err == bufio.ErrBufferFull
		for err == bufio.ErrBufferFull {
			_, err = r.in.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("%s: line %d: %w", r.name, r.line, err)
		}
		text := bytes.TrimRight(line, "\r\n")
		if long || len(text) > maxLine {
			return "", errLongLine
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return string(text), nil
		}
		if err == io.EOF {
			return "", io.EOF
		}
	}
}

// Name is the name of the file, for messages.
func (r *Reader) Name() string { return r.name }

// Skipped is the number of lines so far that could not be read.
func (r *Reader) Skipped() int { return r.broken }

// FirstSkipped is the number of the first line that could not be read, and why;
// empty when all could.
func (r *Reader) FirstSkipped() string { return r.reason }

// Close closes the file.
func (r *Reader) Close() error { return r.close() }
