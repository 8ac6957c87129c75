package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// inert returns a text as a terminal shows it and does nothing else: what is not
// printable is written as an escape. So no client can paint on an operator's
// screen, or hide what it asked for.
func inert(s string) string {
	clean := func(r rune) bool { return r != utf8.RuneError && strconv.IsPrint(r) }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch _, size := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && size == 1, r < 0x80 && !clean(r):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !clean(r):
			b.WriteString(escaped(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// inertJSON is inert for JSON: it stays the same value.
func inertJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if r < 0x7f || r != utf8.RuneError && strconv.IsPrint(r) {
			out = utf8.AppendRune(out, r)
		} else {
			out = append(out, escaped(r)...)
		}
	}
	return out
}

// escaped is a character as JSON and Go write it.
func escaped(r rune) string {
	if r > 0xffff {
		r -= 0x10000
		return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
