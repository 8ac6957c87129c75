package proxytest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// statement is one line of a script, with its continuations.
type statement struct {
	line int
	verb string
	cols []string
}

var gap = regexp.MustCompile(`\t+| {2,}`)

// parse splits a script into statements.
func parse(text string) ([]statement, error) {
	var all []statement
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		cols := gap.Split(trimmed, -1)
		if line[0] == ' ' || line[0] == '\t' {
			if len(all) == 0 {
				return nil, lineError(i+1, "nothing to continue; begin the statement at the start of the line")
			}
			last := &all[len(all)-1]
			last.cols = append(last.cols, cols...)
			continue
		}
		if verbs[cols[0]] == nil {
			return nil, lineError(i+1, "unknown statement %q", cols[0])
		}
		all = append(all, statement{line: i + 1, verb: cols[0], cols: cols[1:]})
	}
	return all, nil
}

// scriptError is an error at a line.
type scriptError struct {
	line int
	text string
}

func (e *scriptError) Error() string { return fmt.Sprintf("%d: %s", e.line, e.text) }

func lineError(line int, format string, args ...any) error {
	return &scriptError{line, fmt.Sprintf(format, args...)}
}

// field splits "name: value"; ok is false for other columns.
func field(col string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(col, ":")
	if !ok || name == "" || strings.ContainsAny(name, " =~") {
		return "", "", false
	}
	return name, strings.TrimSpace(value), true
}

var dates = regexp.MustCompile(`\{(?:now)?(?:[+-]\d+[a-z]+)?\}`)

var repeats = regexp.MustCompile(`\{\d+\*[^}]+\}`)

// expand turns {now+10s} and {-10s} into HTTP dates, and {20000*a} into so many a.
func expand(s string, start, now time.Time) string {
	s = repeats.ReplaceAllStringFunc(s, func(m string) string {
		count, what, _ := strings.Cut(m[1:len(m)-1], "*")
		n, _ := strconv.Atoi(count)
		return strings.Repeat(what, n)
	})
	return dates.ReplaceAllStringFunc(s, func(m string) string {
		at := start
		shift, isNow := strings.CutPrefix(m[1:len(m)-1], "now")
		if isNow {
			at = now
		}
		if shift != "" {
			d, err := time.ParseDuration(shift)
			if err != nil {
				return m
			}
			at = at.Add(d)
		}
		return at.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	})
}

var escapes = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\t`, "\t", `\s`, " ", `\\`, `\`)

// fill is the content of "bytes n": at every place another letter, so that a
// part cannot be mistaken for another one.
func fill(first, n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		at := first + int64(i)
		b[i] = 'a' + byte((at*7+at/26+at/1000)%26)
	}
	return b
}
