package server

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// transcript is what came of an input on one side.
type transcript struct {
	raw      []byte // all that the client got
	reset    bool   // the connection was reset, so that the last of it may be missing
	kept     string // whether the server waited for more before the client's end, where that was looked at
	asked    []string
	outcomes []outcome
}

// write writes a transcript down, for it to be compared: chunks are joined, ids
// and boundaries are named. loose also names what depends on the time.
func (t *transcript) write(loose bool) string {
	return strings.Join(t.answers(loose), "") + t.rest()
}

// answers are the answers in a transcript, one by one.
func (t *transcript) answers(loose bool) (all []string) {
	rest := t.raw
	for i := 0; len(rest) > 0; i++ {
		method := http.MethodGet
		if i < len(t.outcomes) {
			method = t.outcomes[i].method
		}
		var b strings.Builder
		for informational(rest) {
			rest = writeAnswer(&b, rest, method, loose)
		}
		rest = writeAnswer(&b, rest, method, loose)
		all = append(all, b.String())
	}
	return all
}

// rest is what else there is to a transcript.
func (t *transcript) rest() string {
	var b strings.Builder
	b.WriteString(t.kept)
	for _, o := range t.outcomes {
		b.WriteString("outcome " + o.text)
		if withoutID(o.id) != "<id>" {
			b.WriteString(" id=" + o.id)
		}
		b.WriteByte('\n')
	}
	for _, a := range t.asked {
		b.WriteString("asked " + a + "\n")
	}
	return b.String()
}

// difference tells how transcripts differ; it is empty when they do not. A server
// that closes while the client is still sending resets the connection, and what
// of its answers is still on the way may be lost, with net/http as with the lane:
// then those that did arrive are compared.
func difference(without, with *transcript) string {
	if !without.reset && !with.reset {
		return firstDifference(without.write(true), with.write(true))
	}
	a, b := without.answers(true), with.answers(true)
	a, b = arrived(a, without.reset), arrived(b, with.reset)
	if without.reset {
		b = b[:min(len(a), len(b))]
	}
	if with.reset {
		a = a[:min(len(a), len(b))]
	}
	return firstDifference(strings.Join(a, "")+without.rest(), strings.Join(b, "")+with.rest())
}

// arrived leaves out an answer that may have been cut by a reset.
func arrived(answers []string, reset bool) []string {
	if reset && len(answers) > 0 {
		return answers[:len(answers)-1]
	}
	return answers
}

// firstDifference shows where texts begin to differ.
func firstDifference(want, got string) string {
	if want == got {
		return ""
	}
	a, b := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	excerpt := func(lines []string) string {
		return fmt.Sprintf("%.3000s", strings.Join(lines[min(max(0, i-8), len(lines)):min(i+20, len(lines))], ""))
	}
	return fmt.Sprintf("from line %d on.\nwithout the lane:\n%s\nwith the lane:\n%s", i+1, excerpt(a), excerpt(b))
}

func informational(b []byte) bool {
	return len(b) > 10 && b[9] == '1' && bytes.HasPrefix(b, []byte("HTTP/1.1 ")) && !bytes.HasPrefix(b[9:], []byte("101"))
}

var (
	anID    = regexp.MustCompile(`^[0-9a-f]{32}$`)
	anyTTL  = regexp.MustCompile(`ttl=-?[0-9]+`)
	aNumber = regexp.MustCompile(`^[0-9]+$`)
)

func withoutID(s string) string { return anID.ReplaceAllString(s, "<id>") }

// reading is the answer that is being written down.
type reading struct {
	status  int
	length  int // -1 without
	chunked bool
	names   [][]byte // ids and boundaries that may stand in the content
}

// writeAnswer writes the first answer of raw down, and returns the rest.
func writeAnswer(b *strings.Builder, raw []byte, method string, loose bool) []byte {
	b.WriteString("--- ")
	head, rest, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !ok || !bytes.HasPrefix(head, []byte("HTTP/1.")) {
		fmt.Fprintf(b, "no answer: %q\n", raw)
		return nil
	}
	line, fields, _ := strings.Cut(string(head), "\r\n")
	a := reading{length: -1}
	if _, code, _ := strings.Cut(line, " "); len(code) >= 3 {
		a.status, _ = strconv.Atoi(code[:3])
	}
	b.WriteString(line + "\n")
	if fields != "" {
		for field := range strings.SplitSeq(fields, "\r\n") {
			a.field(b, field, loose)
		}
	}
	switch {
	case a.status == http.StatusSwitchingProtocols:
		a.content(b, rest, "then")
		return nil
	case a.status < 200 || a.status == http.StatusNoContent || a.status == http.StatusNotModified || method == http.MethodHead:
		return rest
	case a.chunked:
		return a.chunks(b, rest)
	case a.length >= 0 && a.length <= len(rest):
		a.content(b, rest[:a.length], "content")
		return rest[a.length:]
	case a.length >= 0:
		a.content(b, rest, "content, cut")
		return nil
	}
	a.content(b, rest, "content to the end")
	return nil
}

// field writes a field down and takes from it what it says about the content.
func (a *reading) field(b *strings.Builder, field string, loose bool) {
	name, value, _ := strings.Cut(field, ": ")
	switch {
	case name == "X-Request-Id" && anID.MatchString(value):
		a.names = append(a.names, []byte(value))
		value = "<id>"
	case name == "Content-Type" && strings.HasPrefix(value, "multipart/"):
		_, boundary, _ := strings.Cut(value, "boundary=")
		a.names = append(a.names, []byte(boundary))
		value = strings.Replace(value, boundary, "<boundary>", 1)
	case name == "Content-Length":
		a.length, _ = strconv.Atoi(value)
	case name == "Transfer-Encoding":
		a.chunked = value == "chunked"
	case !loose:
	case name == "Date":
		if _, err := http.ParseTime(value); err == nil {
			value = "<date>"
		}
	case name == "Age":
		value = aNumber.ReplaceAllString(value, "<age>")
	case name == "Cache-Status":
		value = anyTTL.ReplaceAllString(value, "ttl=<ttl>")
	}
	fmt.Fprintf(b, "%s: %q\n", name, value)
}

// content writes content down: of much only the ends, and a sum of it all.
func (a *reading) content(b *strings.Builder, content []byte, what string) {
	for _, name := range a.names {
		content = bytes.ReplaceAll(content, name, []byte("<name>"))
	}
	if len(content) <= 4<<10 {
		fmt.Fprintf(b, "%s %q\n", what, content)
		return
	}
	sum := uint64(14695981039346656037)
	for _, c := range content {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	fmt.Fprintf(b, "%s %d bytes, %x, %q\n", what, len(content), sum, content[len(content)-100:])
}

// chunks joins chunked content, and writes the trailer down.
func (a *reading) chunks(b *strings.Builder, rest []byte) []byte {
	var content []byte
	for {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		size, err := strconv.ParseUint(string(line), 16, 32)
		if !ok || err != nil || size > 0 && (len(after) < int(size)+2 || string(after[size:size+2]) != "\r\n") {
			// What was written of a chunk that broke off depends on its size.
			a.content(b, append(content, after[:min(uint64(len(after)), size)]...), "content in chunks, cut")
			return nil
		}
		if rest = after; size == 0 {
			break
		}
		content = append(content, rest[:size]...)
		rest = rest[size+2:]
	}
	a.content(b, content, "content in chunks")
	for {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok {
			fmt.Fprintf(b, "trailer, cut %q\n", rest)
			return nil
		}
		if rest = after; len(line) == 0 {
			return rest
		}
		fmt.Fprintf(b, "trailer %q\n", line)
	}
}
