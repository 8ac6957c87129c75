package revalidate

import (
	"iter"
	"net/http"
	"slices"
	"strings"
)

// Block is a header section as it is written to a client: lines of
// "Name: value" with CRLF, sorted by name, without the empty line. One string
// holds it all, which is what it costs in memory.
type Block string

// NewBlock writes a header as a block. Names are canonical.
func NewBlock(h http.Header) Block {
	return newBlock(h, func(string) bool { return false })
}

// newBlock is NewBlock without some of the fields.
func newBlock(h http.Header, without func(name string) bool) Block {
	var room [32]string
	names := room[:0]
	size := 0
	for name, lines := range h {
		if without(name) {
			continue
		}
		names = append(names, name)
		for _, line := range lines {
			size += len(name) + len(line) + len(": \r\n")
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.Grow(size)
	for _, name := range names {
		for _, line := range h[name] {
			b.WriteString(name)
			b.WriteString(": ")
			b.WriteString(line)
			b.WriteString("\r\n")
		}
	}
	return Block(b.String())
}

// All yields the fields, line by line. The strings share the block's memory.
func (b Block) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := string(b); rest != ""; {
			line, after, _ := strings.Cut(rest, "\r\n")
			name, value, _ := strings.Cut(line, ": ")
			if !yield(name, value) {
				return
			}
			rest = after
		}
	}
}

// redated returns the block with the Date of a newer header, if that header
// says nothing else that is new; names are canonical.
func (b Block) redated(newer http.Header) (Block, bool) {
	out, before := b, ""
	at, said := 0, 0
	for name, value := range b.All() {
		start := at + len(name) + len(": ")
		at = start + len(value) + len("\r\n")
		lines := newer[name]
		switch {
		case len(lines) == 0:
			continue
		case len(lines) > 1 || name == before:
			return b, false
		case name == "Date" && len(lines[0]) == len(value):
			if lines[0] != value {
				out = b[:start] + Block(lines[0]) + b[start+len(value):]
			}
		case lines[0] != value:
			return b, false
		}
		before = name
		said++
	}
	return out, said == len(newer)
}

// Header returns the block as a new map, with room for the fields that are added
// to an answer.
func (b Block) Header() http.Header {
	const more = 6
	lines := make([]string, 0, strings.Count(string(b), "\n"))
	h := make(http.Header, cap(lines)+more)
	for name, value := range b.All() {
		if h[name] != nil {
			h[name] = append(h[name], value)
			continue
		}
		n := len(lines)
		lines = append(lines, value)
		h[name] = lines[n : n+1 : n+1]
	}
	return h
}
