package revalidate

import (
	"bytes"
	"io"
	"slices"

	"cacheproxy/policy"
)

// Body is stored content: chunks in their order. It is immutable.
type Body struct {
	chunks [][]byte
	size   int64
}

// NewBody returns a body of one chunk, which must not be changed any more.
func NewBody(b []byte) Body {
	if len(b) == 0 {
		return Body{}
	}
	return Body{chunks: [][]byte{b}, size: int64(len(b))}
}

// Chunks returns the content. It must not be changed.
func (b Body) Chunks() [][]byte { return b.chunks }

// Size returns the number of bytes.
func (b Body) Size() int64 { return b.size }

// Each calls fn with the bytes from offset first on, n of them, chunk by
// chunk and without a copy, until fn returns an error.
func (b Body) Each(first, n int64, fn func([]byte) error) error {
	for _, c := range b.chunks {
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
func (b Body) reader(first, n int64) io.Reader {
	var parts []io.Reader
	_ = b.Each(first, n, func(c []byte) error {
		parts = append(parts, bytes.NewReader(c))
		return nil
	})
	return io.MultiReader(parts...)
}

// copyTo copies the bytes from offset first on to dst.
func (b Body) copyTo(dst []byte, first int64) {
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
	var out Body
	for _, part := range joined.Held {
		buf := make([]byte, part.Len())
		fill(buf, part, old, oldBody)
		fill(buf, part, newer, newBody)
		out.chunks = append(out.chunks, buf)
		out.size += int64(len(buf))
	}
	return out
}

func fill(buf []byte, part policy.ByteRange, from *policy.Partial, body Body) {
	for _, h := range from.Held {
		if h.First >= part.First && h.Last <= part.Last {
			at := h.First - part.First
			body.copyTo(buf[at:at+h.Len()], offset(from.Held, h.First))
		}
	}
}

// trimmed returns the body without slack: a last chunk that uses less than
// seven eighths of its memory is copied.
func (b Body) trimmed() Body {
	if n := len(b.chunks); n > 0 {
		if last := b.chunks[n-1]; len(last) < cap(last)/8*7 {
			b.chunks = slices.Clone(b.chunks)
			b.chunks[n-1] = slices.Clone(last)
		}
	}
	return b
}
