package proxytest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what the origin does with requests that fit.
type answer struct {
	method, path string
	conditions   []string // "name: value" or "no name"
	once         bool
	unread       bool
	version      string
	status       string // with its reason phrase; empty when none is sent
	fields       []string
	noDate       bool
	chunked      bool
	toEnd        bool // content without a length, up to the end of the connection
	trailer      []string
	before       []step // of the head
	after        []step
}

// step is something that the origin does.
type step struct {
	kind string // delay, interim, body, break, hang, raw, echo
	text []byte
	wait time.Duration
}

// newAnswer reads the columns of an origin statement.
func newAnswer(cols []string) (*answer, error) {
	method, path, ok := strings.Cut(cols[0], " ")
	if !ok {
		return nil, fmt.Errorf("origin %q: want a method and a path", cols[0])
	}
	a := &answer{method: method, path: path, version: "HTTP/1.1"}
	for _, col := range cols[1:] {
		if err := a.add(col); err != nil {
			return nil, err
		}
	}
	if a.status == "" && len(a.before) == 0 {
		return nil, fmt.Errorf("origin %s: no status, and nothing to do instead", cols[0])
	}
	return a, nil
}

func (a *answer) add(col string) error {
	switch word, rest, _ := strings.Cut(col, " "); {
	case col == "once":
		a.once = true
	case col == "unread":
		a.unread = true
	case col == "chunked":
		a.chunked = true
	case col == "close":
		a.toEnd = true
		a.fields = append(a.fields, "Connection: close")
	case col == "http/1.0":
		a.toEnd, a.version = true, "HTTP/1.0"
	case col == "no date":
		a.noDate = true
	case word == "if":
		a.conditions = append(a.conditions, rest)
	case word == "trailer":
		a.chunked = true
		a.trailer = append(a.trailer, rest)
	case isStatus(word) && a.status == "":
		if rest == "" {
			code, _ := strconv.Atoi(word)
			col += " " + http.StatusText(code)
		}
		a.status = col
	case word == "interim" && a.status == "":
		return a.interim(rest)
	default:
		return a.addStep(col, word, rest)
	}
	return nil
}

func isStatus(s string) bool {
	return len(s) == 3 && strings.Trim(s, "0123456789") == ""
}

func (a *answer) interim(rest string) error {
	code, line, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if err != nil {
		return fmt.Errorf("interim %q: want a status", rest)
	}
	text := "HTTP/1.1 " + code + " " + http.StatusText(n) + "\r\n"
	if line != "" {
		text += line + "\r\n"
	}
	a.before = append(a.before, step{kind: "interim", text: []byte(text + "\r\n")})
	return nil
}

func (a *answer) addStep(col, word, rest string) error {
	s := step{kind: word}
	switch word {
	case "delay":
		var err error
		if s.wait, err = time.ParseDuration(rest); err != nil {
			return fmt.Errorf("%q: want a duration such as 30s", col)
		}
	case "body", "raw":
		s.text = []byte(escapes.Replace(rest))
	case "bytes":
		n, err := strconv.ParseInt(rest, 10, 64)
		if err != nil {
			return fmt.Errorf("%q: want a number of bytes", col)
		}
		s.kind, s.text = "body", fill(a.length(), n)
	case "hang", "break", "echo":
	default:
		if _, _, ok := field(col); !ok || a.status == "" {
			return fmt.Errorf("origin: cannot understand %q", col)
		}
		a.fields = append(a.fields, col)
		return nil
	}
	if a.status == "" {
		a.before = append(a.before, s)
	} else {
		a.after = append(a.after, s)
	}
	return nil
}

// fits reports whether the answer is for a request.
func (a *answer) fits(rq *received, w *world) bool {
	if a.method != "*" && a.method != rq.method || a.path != "*" && a.path != rq.target {
		return false
	}
	for _, c := range a.conditions {
		if name, ok := strings.CutPrefix(c, "no "); ok {
			if rq.header.Values(name) != nil {
				return false
			}
			continue
		}
		name, value, _ := field(c)
		if strings.Join(rq.header.Values(name), ", ") != w.expand(value) {
			return false
		}
	}
	return true
}

// play sends an answer, but for what comes before its head. The error says why the connection is of no use any more.
func (a *answer) play(conn net.Conn, method string, w *world) error {
	if a.status == "" {
		return io.EOF
	}
	empty := method == http.MethodHead || a.status[0] == '1' || strings.HasPrefix(a.status, "204") || strings.HasPrefix(a.status, "304")
	if _, err := io.WriteString(conn, a.head(empty, w)); err != nil {
		return err
	}
	steps := a.after
	if empty && a.status[0] != '1' {
		steps = nil
	}
	if err := a.do(conn, steps, a.chunked); err != nil {
		return err
	}
	if a.chunked && !empty {
		if _, err := io.WriteString(conn, "0\r\n"+w.expand(fieldLines(a.trailer))+"\r\n"); err != nil {
			return err
		}
	}
	if a.toEnd {
		return io.EOF
	}
	return nil
}

func (a *answer) head(empty bool, w *world) string {
	lines := a.fields
	has := func(name string) bool { return hasField(lines, name) }
	if !a.noDate && !has("date") && a.status[0] != '1' {
		lines = append(lines[:len(lines):len(lines)], "Date: {now}")
	}
	var names []string
	for _, t := range a.trailer {
		name, _, _ := field(t)
		names = append(names, name)
	}
	if names != nil {
		lines = append(lines[:len(lines):len(lines)], "Trailer: "+strings.Join(names, ", "))
	}
	switch {
	case has("content-length"), has("transfer-encoding"), a.toEnd:
	case a.chunked:
		lines = append(lines[:len(lines):len(lines)], "Transfer-Encoding: chunked")
	case !empty || len(a.after) > 0 && a.status[0] != '1' && a.status[:3] != "204":
		lines = append(lines[:len(lines):len(lines)], "Content-Length: "+strconv.FormatInt(a.length(), 10))
	}
	return a.version + " " + a.status + "\r\n" + w.expand(fieldLines(lines)) + "\r\n"
}

// length is that of the content so far.
func (a *answer) length() (n int64) {
	for _, s := range a.after {
		n += int64(len(s.text))
	}
	return n
}

func hasField(lines []string, name string) bool {
	for _, line := range lines {
		if n, _, _ := field(line); strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// do does steps in their order.
func (a *answer) do(conn net.Conn, steps []step, chunked bool) error {
	for _, s := range steps {
		var err error
		switch s.kind {
		case "delay":
			time.Sleep(s.wait)
		case "interim", "raw":
			_, err = conn.Write(s.text)
		case "body":
			err = writeChunk(conn, s.text, chunked)
		case "break":
			return io.EOF
		case "hang":
			_, err = io.Copy(io.Discard, conn)
			if err == nil {
				err = errDropped
			}
		case "echo":
			_, _ = io.Copy(conn, conn)
			return io.EOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}
