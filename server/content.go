package server

import (
	"strings"

	"golang.org/x/net/http/httpguts"
)

const (
	maxChunkLine = 256     // of a chunk's size and extensions, in bytes
	maxTrailer   = 2 << 10 // of all trailer fields, in bytes
	maxDigits    = 15      // of a chunk's size
)

// part is what the next line of a request is.
type part uint8

const (
	none       part = iota // the content has ended, or ends with what is on its way
	chunkSize              // and extensions
	chunkEnd               // the empty line after a chunk
	trailerEnd             // a trailer field, or the empty line at the end
)

// walk goes along the framing of a request, so that what follows is known to
// begin where it ends.
type walk struct {
	left    int64 // bytes up to the next line that must be understood
	next    part
	trailer int // bytes of trailer fields so far
}

// newWalk begins at the head of a request.
func newWalk(r *request) walk {
	w := walk{left: int64(r.size) + r.length}
	if r.chunked {
		w.next = chunkSize
	}
	return w
}

// over reports whether the request has ended.
func (w *walk) over() bool { return w.left == 0 && w.next == none }

// line reads the line at the beginning of b, and goes on to the next. It is not
// whole when more of it is to come, and not ok when it is not as RFC 9112, 7.1,
// says.
func (w *walk) line(b []byte) (whole, ok bool) {
	line, _, found := cutLine(b)
	most := w.longest()
	switch {
	case len(line) > most || !found && (line != nil || len(b) > most+len("\r")):
		return false, false
	case !found:
		return false, true
	}
	w.left += int64(len(line) + len("\r\n"))
	switch {
	case w.next == chunkSize:
		size, ok := parseChunkSize(text(line))
		if !ok {
			return false, false
		}
		w.left += size
		if w.next = chunkEnd; size == 0 {
			w.next = trailerEnd
		}
	case w.next == chunkEnd:
		w.next = chunkSize
	case len(line) == 0:
		w.next = none
	default:
		if _, _, ok := cutField(line); !ok {
			return false, false
		}
		w.trailer += len(line) + len("\r\n")
	}
	return true, true
}

// longest is how long the next line may be.
func (w *walk) longest() int {
	switch w.next {
	case chunkSize:
		return maxChunkLine
	case trailerEnd:
		return maxTrailer - w.trailer
	}
	return 0
}

// parseChunkSize reads "1f;name=value". White space before the extensions is
// refused: recipients do not agree about it.
func parseChunkSize(line string) (size int64, ok bool) {
	digits := 0
	for digits < len(line) {
		d := strings.IndexByte("0123456789abcdef", line[digits]|0x20)
		if d < 0 || line[digits] < '0' {
			break
		}
		size = size<<4 | int64(d)
		if digits++; digits > maxDigits {
			return 0, false
		}
	}
	return size, digits > 0 && validExtensions(line[digits:])
}

// validExtensions reports whether s is a list of chunk extensions (RFC 9112, 7.1.1).
// What they say counts for nothing.
func validExtensions(s string) bool {
	for i := 0; i < len(s); i++ {
		if !class(s[i], inValue) {
			return false
		}
	}
	for s != "" {
		if s[0] != ';' {
			return false
		}
		s = s[1:]
		end := quotedEnd(s)
		if end < 0 {
			return false
		}
		name, value, has := strings.Cut(s[:end], "=")
		value = strings.Trim(value, " \t")
		if !httpguts.ValidHeaderFieldName(strings.Trim(name, " \t")) || has && !isQuoted(value) && !httpguts.ValidHeaderFieldName(value) {
			return false
		}
		s = s[end:]
	}
	return true
}

// quotedEnd returns where the next semicolon outside quotes is, or the end. It is
// negative when a quote is open at the end.
func quotedEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return i
		}
	}
	if quoted {
		return -1
	}
	return len(s)
}

// isQuoted reports whether s is one quoted string (RFC 9110, 5.6.4).
func isQuoted(s string) bool {
	if len(s) < 2 || s[0] != '"' {
		return false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i == len(s)-1
		}
	}
	return false
}
