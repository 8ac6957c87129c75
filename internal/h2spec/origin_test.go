package h2spec

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is an origin that writes down what it is asked, in HTTP/1.1. It knows
// one way to write a request, and takes all else for a fault.
type recorder struct {
	listener net.Listener
	answer   func(asked) string // "" = none, ever
	running  sync.WaitGroup

	mu    sync.Mutex
	lines []string // a line for each request, and for each fault
}

// asked is a request as the origin read it.
type asked struct{ line, path string }

func record(t testing.TB, answer func(asked) string) *recorder {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := &recorder{listener: ln, answer: answer}
	o.running.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			o.running.Go(func() { defer nc.Close(); o.serve(nc) })
		}
	})
	return o
}

// close waits until all connections to the origin have ended.
func (o *recorder) close() {
	o.listener.Close()
	o.running.Wait()
}

func (o *recorder) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines)
}

func (o *recorder) serve(nc net.Conn) {
	br := bufio.NewReader(nc)
	for {
		a, err := readRequest(br)
		if err == nil || !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !isReset(err) {
			o.mu.Lock()
			o.lines = append(o.lines, cmp.Or(a.line, fmt.Sprint("fault: ", err)))
			o.mu.Unlock()
		}
		if err != nil {
			return
		}
		answer := o.answer(a)
		if answer == "" {
			_, _ = io.Copy(io.Discard, br)
			return
		}
		if _, err := io.WriteString(nc, answer); err != nil {
			return
		}
	}
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

var (
	startLine = regexp.MustCompile(`^(` + token + `) ([\x21-\x7e]+) HTTP/1\.1\r\n$`)
	fieldLine = regexp.MustCompile(`^(` + token + `): ([^\x00-\x20\x7f](?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)?\r\n$`)
	sizeLine  = regexp.MustCompile(`^(0|[1-9a-f][0-9a-f]{0,7})\r\n$`)
)

// own are the fields that the proxy writes of itself.
var own = []string{
	"host", "via", "cdn-loop", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id",
	"content-length", "transfer-encoding",
}

// readRequest reads a request whose end is beyond doubt. The error is io.EOF when
// the connection ends before that.
func readRequest(br *bufio.Reader) (asked, error) {
	m, err := match(br, startLine)
	if err != nil {
		return asked{}, err
	}
	fields, err := readFields(br)
	if err != nil {
		return asked{}, err
	}
	body, trailer, err := readContent(br, fields)
	if err != nil {
		return asked{}, err
	}
	if len(fields["via"]) != 1 || len(fields["host"]) != 1 {
		return asked{}, fmt.Errorf("Via %q, Host %q", fields["via"], fields["host"])
	}
	var line strings.Builder
	fmt.Fprintf(&line, "%s %s %s", m[1], fields["host"][0], m[2])
	write := func(prefix string, fields map[string][]string) {
		var names []string
		for name := range fields {
			if prefix != "" || !slices.Contains(own, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			for _, value := range fields[name] {
				fmt.Fprintf(&line, " {%s%s: %s}", prefix, name, value)
			}
		}
	}
	write("", fields)
	if body != "" {
		fmt.Fprintf(&line, ` "%s"`, body)
	}
	write("trailer ", trailer)
	return asked{brief(line.String()), m[2]}, nil
}

// brief shortens what is very long, and keeps to ASCII.
func brief(s string) string {
	long := regexp.MustCompile(`([^ ]{10})[^ ]{200,}`)
	s = long.ReplaceAllString(s, "$1...")
	q := strconv.QuoteToASCII(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

func match(br *bufio.Reader, line *regexp.Regexp) ([]string, error) {
	s, err := br.ReadString('\n')
	if err != nil {
		return nil, err
	}
	m := line.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("line %.80q", s)
	}
	return m, nil
}

// readFields reads to the empty line. Names are in lower case.
func readFields(br *bufio.Reader) (map[string][]string, error) {
	fields := map[string][]string{}
	for {
		if b, err := br.Peek(2); err != nil {
			return nil, err
		} else if string(b) == "\r\n" {
			_, err := br.Discard(2)
			return fields, err
		}
		m, err := match(br, fieldLine)
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(m[1])
		fields[name] = append(fields[name], m[2])
	}
}

// readContent reads what one length, or one chunked coding, frames.
func readContent(br *bufio.Reader, fields map[string][]string) (body string, trailer map[string][]string, err error) {
	length, coding := fields["content-length"], fields["transfer-encoding"]
	switch {
	case len(length)+len(coding) == 0:
		return "", nil, nil
	case len(length) == 1 && len(coding) == 0:
		n, err := strconv.ParseUint(length[0], 10, 31)
		if err != nil || length[0] != strconv.FormatUint(n, 10) {
			return "", nil, fmt.Errorf("Content-Length %q", length[0])
		}
		b := make([]byte, n)
		_, err = io.ReadFull(br, b)
		return string(b), nil, cutOff(err)
	case len(length) > 0 || len(coding) != 1 || coding[0] != "chunked":
		return "", nil, fmt.Errorf("Content-Length %q, Transfer-Encoding %q", length, coding)
	}
	for {
		m, err := match(br, sizeLine)
		if err != nil {
			return "", nil, err
		}
		n, _ := strconv.ParseUint(m[1], 16, 31)
		if n == 0 {
			trailer, err := readFields(br)
			return body, trailer, err
		}
		b := make([]byte, n+2)
		if _, err := io.ReadFull(br, b); err != nil {
			return "", nil, cutOff(err)
		}
		if string(b[n:]) != "\r\n" {
			return "", nil, fmt.Errorf("%q after a chunk", b[n:])
		}
		body += string(b[:n])
	}
}

// cutOff takes an end within content for an end: such a request is none.
func cutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}
