package origin

import (
	"bytes"
	"io"
	"sync"
)

// pageSize is how much is read at once. A head that needs more gets a larger
// buffer of its own.
const pageSize = 16 << 10

type page [pageSize]byte

var pages = sync.Pool{New: func() any { return new(page) }}

// input is what comes on a connection, with a buffer that is there only while
// it holds something.
type input struct {
	src      *conn
	head     []byte // of a request that is sent before the first read
	unsent   bool   // nothing of it has left
	page     *page
	buf      []byte // the page, or a larger one
	from, to int    // what of buf has arrived and is not taken yet

	line, seen int  // of a section, after from: where the current line begins; how far it was searched
	heard      bool // at least one byte has arrived
}

func (in *input) buffered() int { return in.to - in.from }

// fill reads once and waits for it. It returns an error only if nothing came.
func (in *input) fill() error {
	in.makeRoom()
	n, err := in.read(in.buf[in.to:])
	if n > 0 {
		in.to += n
		in.heard = true
		return nil // an error will come again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// read reads once, after the head of the request has been sent.
func (in *input) read(p []byte) (int, error) {
	if head := in.head; head != nil {
		in.head = nil
		n, sent, err := in.src.ask(head, p)
		if err != nil || sent == len(head) {
			in.unsent = sent == 0
			return n, err
		}
		if err := in.write(head[sent:]); err != nil {
			in.unsent = in.unsent && sent == 0
			return 0, err
		}
	}
	return in.src.Read(p)
}

// write writes the head of the request, and waits until it is taken.
func (in *input) write(head []byte) error {
	n, err := in.src.Write(head)
	in.unsent = n == 0
	return err
}

func (in *input) makeRoom() {
	switch {
	case in.buf == nil:
		in.page = pages.Get().(*page)
		in.buf = in.page[:]
	case in.from == in.to:
		in.from, in.to = 0, 0
	case in.to < len(in.buf):
	case in.from > 0:
		in.to = copy(in.buf, in.buf[in.from:in.to])
		in.from = 0
	default:
		larger := make([]byte, 2*len(in.buf))
		copy(larger, in.buf)
		in.giveBack()
		in.buf = larger
	}
}

func (in *input) giveBack() {
	if in.page != nil {
		pages.Put(in.page)
	}
	in.page = nil
}

// take moves what is buffered into p.
func (in *input) take(p []byte) int {
	n := copy(p, in.buf[in.from:in.to])
	in.from += n
	return n
}

// drop lets go of the buffer and of what it holds.
func (in *input) drop() {
	in.giveBack()
	in.buf, in.from, in.to = nil, 0, 0
}

// section takes the lines up to and with the first empty one, which ends a
// head or a trailer, if it has arrived.
func (in *input) section() (string, bool) {
	for {
		b := in.buf[in.from:in.to]
		i := bytes.IndexByte(b[in.seen:], '\n')
		if i < 0 {
			in.seen = len(b)
			return "", false
		}
		line := b[in.line : in.seen+i]
		in.seen += i + 1
		in.line = in.seen
		if len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			text := string(b[:in.seen])
			in.from += in.seen
			in.line, in.seen = 0, 0
			return text, true
		}
	}
}

// begins reports whether what has arrived, as far as it has, begins with s.
func (in *input) begins(s string) bool {
	b := in.buf[in.from:in.to]
	n := min(len(b), len(s))
	return string(b[:n]) == s[:n]
}
