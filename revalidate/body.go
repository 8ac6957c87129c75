package revalidate

import (
	"bytes"
	"io"
	"slices"

	"cacheproxy/policy"
)

// Body is stored content: chunks in their order. It is immutable.
type Body struct {
	one  [1][]byte // all of it, when it is in one piece
	many *many
}

type many struct {
	chunks [][]byte
	size   int64
}

// bodyInPieces returns a body of chunks, none of which is empty.
func bodyInPieces(chunks [][]byte) (b Body) {
	if len(chunks) == 1 {
		b.one[0] = chunks[0]
	}
	if len(chunks) <= 1 {
		return b
	}
	b.many = &many{chunks: chunks}
	for _, c := range chunks {
		b.many.size += int64(len(c))
	}
	return b
}

// NewBody returns a body of one chunk, which must not be changed any more.
func NewBody(b []byte) Body {
	if len(b) == 0 {
		return Body{}
	}
	return Body{one: [1][]byte{b}}
}

// Chunks returns the content. It must not be changed, and is part of the body.
func (b *Body) Chunks() [][]byte {
	switch {
	case b.many != nil:
		return b.many.chunks
	case b.one[0] == nil:
		return nil
	}
	return b.one[:]
}

// first returns the content of a body that is in one piece.
func (b *Body) first() []byte { return b.one[0] }

// Size returns the number of bytes.
func (b *Body) Size() int64 {
	if b.many != nil {
		return b.many.size
	}
	return int64(len(b.one[0]))
}

// Each calls fn with the bytes from offset first on, n of them, chunk by
// chunk and without a copy, until fn returns an error.
func (b *Body) Each(first, n int64, fn func([]byte) error) error {
	for _, c := range b.Chunks() {
		size := int64(len(c))
		if first >= size {
			first -= size
			continue
		}
		if n <= 0 {
			return nil
		}
		c = c[first:]
		c = c[:min(n, int64(len(c)))]
		if err := fn(c); err != nil {
			return err
		}
		n -= int64(len(c))
		first = 0
	}
	return nil
}

// reader reads n bytes from offset first on; none if n is not positive.
func (b *Body) reader(first, n int64) io.Reader {
	var parts []io.Reader
	_ = b.Each(first, n, func(c []byte) error {
		parts = append(parts, bytes.NewReader(c))
		return nil
	})
	return io.MultiReader(parts...)
}

// copyTo copies the bytes from offset first on to dst.
func (b *Body) copyTo(dst []byte, first int64) {
	_ = b.Each(first, int64(len(dst)), func(c []byte) error {
		dst = dst[copy(dst, c):]
		return nil
	})
}

// offset returns where a byte of the representation lies in a body that holds
// the given parts one after the other.
func offset(held []policy.ByteRange, at int64) int64 {
	var before int64
	for _, h := range held {
		if at <= h.Last {
			return before + at - h.First
		}
		before += h.Len()
	}
	return before
}

// joinBodies makes the body of joined parts from those of two partial
// responses (RFC 9111, 3.4); where both hold a byte, the newer one counts.
func joinBodies(joined, old *policy.Partial, oldBody Body, newer *policy.Partial, newBody Body) Body {
	chunks := make([][]byte, 0, len(joined.Held))
	for _, part := range joined.Held {
		buf := make([]byte, part.Len())
		fill(buf, part, old, oldBody)
		fill(buf, part, newer, newBody)
		chunks = append(chunks, buf)
	}
	return bodyInPieces(chunks)
}

func fill(buf []byte, part policy.ByteRange, from *policy.Partial, body Body) {
	for _, h := range from.Held {
		if h.First >= part.First && h.Last <= part.Last {
			at := h.First - part.First
			body.copyTo(buf[at:at+h.Len()], offset(from.Held, h.First))
		}
	}
}

// trim takes the slack from chunks: a last one that uses less than seven eighths
// of its memory is copied.
func trim(chunks [][]byte) {
	if n := len(chunks); n > 0 {
		if last := chunks[n-1]; len(last) < cap(last)/8*7 {
			chunks[n-1] = slices.Clone(last)
		}
	}
}
