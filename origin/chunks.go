package origin

import (
	"bytes"
	"io"
)

// Bounds on chunks.
const (
	mostLine       = 4 << 10  // the line with a chunk's size
	mostExtensions = 16 << 10 // of extensions beyond as many bytes of content
)

// chunks is how far the reading of chunks is (RFC 9112, 7.1).
type chunks struct {
	next     chunkPart // what comes when nothing of a chunk is left
	content  int64     // bytes of content so far
	excesses int64     // bytes of extensions so far
}

type chunkPart uint8

const (
	sizeLine chunkPart = iota // the line with the size of a chunk
	chunkEnd                  // the line end after its content
	trailer                   // the fields after the last one
)

// readChunks reads content as far as it is at hand, and waits only for the
// first of it. So the end of the body is often seen together with its last bytes.
func (b *body) readChunks(p []byte) (n int, err error) {
	for {
		if b.left == 0 {
			ok, err := b.frameChunk(n == 0)
			if !ok || err != nil {
				return n, err
			}
			continue
		}
		if n == len(p) || n > 0 && b.x.in.buffered() == 0 {
			return n, nil
		}
		m, err := b.take(p[n:], b.left)
		n += m
		b.left -= int64(m)
		b.chunks.content += int64(m)
		if b.left == 0 && err == nil {
			b.chunks.next = chunkEnd
		}
		if err != nil {
			return n, early(err)
		}
	}
}

// frameChunk takes what is between the contents of two chunks, or after the
// last one, for which it returns io.EOF. Unless it may wait, it returns false
// if that has not arrived yet.
func (b *body) frameChunk(wait bool) (bool, error) {
	if b.chunks.next == trailer {
		return b.readTrailer(wait)
	}
	line, ok, err := b.line(wait)
	if !ok || err != nil {
		return false, err
	}
	if b.chunks.next == chunkEnd {
		if len(line) > 0 {
			return false, failed(TransferCoding, "%.20q where a chunk should end", line)
		}
		b.chunks.next = sizeLine
		return true, nil
	}
	if b.left, err = b.chunks.size(line); err != nil {
		return false, err
	}
	if b.left == 0 {
		b.chunks.next = trailer
	}
	return true, nil
}

// size parses the line that begins a chunk. Extensions are ignored, and bounded
// by the content that they come with.
func (c *chunks) size(line []byte) (int64, error) {
	digits, extension, _ := bytes.Cut(line, []byte{';'})
	if c.excesses += int64(len(extension)); c.excesses > mostExtensions+c.content {
		return 0, failed(TransferCoding, "chunk extensions over %d bytes", mostExtensions)
	}
	digits = bytes.TrimRight(digits, " \t")
	var n int64
	for _, d := range digits {
		v := hexValue(d)
		if v < 0 || n>>58 != 0 {
			return 0, failed(TransferCoding, "invalid chunk size %.40q", line)
		}
		n = n<<4 | int64(v)
	}
	if len(digits) == 0 {
		return 0, failed(TransferCoding, "invalid chunk size %.40q", line)
	}
	return n, nil
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c - 'a' + 10)
	case c >= 'A' && c <= 'F':
		return int(c - 'A' + 10)
	}
	return -1
}

// line takes a line of the framing, without its end, which is CRLF and nothing
// else: where a lenient reader sees another end than a strict one, content
// could be taken for framing.
func (b *body) line(wait bool) ([]byte, bool, error) {
	in := &b.x.in
	for {
		held := in.buf[in.from:in.to]
		held = held[:min(len(held), mostLine)]
		if i := bytes.IndexByte(held, '\n'); i >= 0 {
			line, ok := bytes.CutSuffix(held[:i], []byte{'\r'})
			if !ok || bytes.IndexByte(line, '\r') >= 0 {
				return nil, false, failed(TransferCoding, "invalid line %.40q between chunks", held[:i+1])
			}
			in.from += i + 1
			return line, true, nil
		}
		if len(held) == mostLine {
			return nil, false, failed(TransferCoding, "a line of over %d bytes between chunks", mostLine)
		}
		if !wait {
			return nil, false, nil
		}
		b.extend()
		if err := in.fill(); err != nil {
			return nil, false, early(err)
		}
	}
}

// readTrailer takes the trailer, and with it the end of the body.
func (b *body) readTrailer(wait bool) (bool, error) {
	in, most := &b.x.in, b.x.client.headSize
	for {
		text, ok := in.section()
		if int64(len(text)) > most || !ok && int64(in.buffered()) > most {
			return false, failed(TransferCoding, "trailer over %d bytes", most)
		}
		if ok {
			fields, err := parseFields(text)
			if err != nil {
				return false, err
			}
			addTrailer(&b.x.resp, fields)
			return false, io.EOF
		}
		if !wait {
			return false, nil
		}
		b.extend()
		if err := in.fill(); err != nil {
			return false, early(err)
		}
	}
}

// early turns the end of the connection into the early end of the body.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
