package hostile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// rawOrigin reads requests by a grammar that has no slack: what any other origin
// could read differently is a fault to it.
type rawOrigin struct {
	listener net.Listener
	answer   func(*asked) string
	running  sync.WaitGroup

	mu     sync.Mutex
	asked  []*asked // in the order of their ends
	faults []string
}

// asked is a request that the origin got.
type asked struct {
	method, target string
	fields         [][2]string // as they were written
	body           string
}

func newRawOrigin(t testing.TB, answer func(*asked) string) *rawOrigin {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := &rawOrigin{listener: ln, answer: answer}
	o.running.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			o.running.Go(func() { o.serve(nc) })
		}
	})
	return o
}

// close waits until all connections have ended.
func (o *rawOrigin) close() {
	o.listener.Close()
	o.running.Wait()
}

func (o *rawOrigin) serve(nc net.Conn) {
	defer nc.Close()
	br := bufio.NewReader(nc)
	for {
		if _, err := br.Peek(1); err != nil { // an end between requests is none of its business
			return
		}
		a, err := readAsked(br)
		o.mu.Lock()
		switch {
		case err == nil:
			o.asked = append(o.asked, a)
		case !errors.Is(err, errCutOff):
			o.faults = append(o.faults, err.Error())
		}
		o.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := io.WriteString(nc, o.answer(a)); err != nil {
			return
		}
	}
}

// all returns what the origin got, and what was wrong with it.
func (o *rawOrigin) all() (all []*asked, faults []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.asked), slices.Clone(o.faults)
}

var (
	requestLine = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\\x00-\\x20\\x7f]+) HTTP/1\\.1$")
	fieldLine   = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\\x00-\\x20\\x7f](?:[^\\x00-\\x08\\x0a-\\x1f\\x7f]*[^\\x00-\\x20\\x7f])?)?$")
	chunkLine   = regexp.MustCompile("^[0-9a-f]{1,8}$")
	lengthValue = regexp.MustCompile("^(0|[1-9][0-9]{0,9})$")
)

// readAsked reads a request. Every line ends in CRLF and there is one reading.
func readAsked(br *bufio.Reader) (*asked, error) {
	line, err := readLine(br)
	if err != nil {
		return nil, err
	}
	m := requestLine.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("request line %.80q", line)
	}
	a := &asked{method: m[1], target: m[2]}
	if a.fields, err = readFields(br); err != nil {
		return nil, err
	}
	return a, a.readBody(br)
}

// readLine reads to the next LF, before which a CR must stand.
func readLine(br *bufio.Reader) (string, error) {
	line, err := br.ReadString('\n')
	if err != nil {
		return "", errCutOff
	}
	line, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsAny(line, "\r\x00") {
		return "", fmt.Errorf("line %.80q", line)
	}
	return line, nil
}

func readFields(br *bufio.Reader) (fields [][2]string, err error) {
	for {
		line, err := readLine(br)
		if err != nil {
			return nil, err
		}
		if line == "" {
			return fields, nil
		}
		m := fieldLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("field line %.80q", line)
		}
		fields = append(fields, [2]string{m[1], m[2]})
	}
}

// values returns the lines of a field.
func (a *asked) values(name string) (lines []string) {
	for _, f := range a.fields {
		if strings.EqualFold(f[0], name) {
			lines = append(lines, f[1])
		}
	}
	return lines
}

// readBody reads the content, whose framing must be said once.
func (a *asked) readBody(br *bufio.Reader) error {
	length, coding := a.values("Content-Length"), a.values("Transfer-Encoding")
	switch {
	case len(a.values("Host")) != 1 || a.values("Host")[0] == "":
		return fmt.Errorf("Host %q", a.values("Host"))
	case len(a.values("Via")) != 1 || !strings.HasSuffix(a.values("Via")[0], " edge"):
		return errors.New("a request that the proxy did not write")
	case len(length)+len(coding) == 0:
		return nil
	case len(length)+len(coding) > 1:
		return fmt.Errorf("Content-Length %q and Transfer-Encoding %q", length, coding)
	case len(coding) == 1 && coding[0] == "chunked":
		return a.readChunks(br)
	case len(coding) == 1 || !lengthValue.MatchString(length[0]):
		return fmt.Errorf("Content-Length %q, Transfer-Encoding %q", length, coding)
	}
	n, err := strconv.Atoi(length[0])
	if err != nil {
		return err
	}
	return a.take(br, n)
}

func (a *asked) take(br *bufio.Reader, n int) error {
	b := make([]byte, n)
	got, err := io.ReadFull(br, b)
	a.body += string(b[:got])
	if err != nil {
		return errCutOff
	}
	return nil
}

// errCutOff ends a request before its end. Such a request is none, and how much
// of it is seen is a matter of time.
var errCutOff = errors.New("cut off")

func (a *asked) readChunks(br *bufio.Reader) error {
	for {
		line, err := readLine(br)
		if err != nil {
			return errCutOff
		}
		if !chunkLine.MatchString(line) {
			return fmt.Errorf("chunk size %.80q", line)
		}
		size, err := strconv.ParseUint(line, 16, 31)
		if err != nil {
			return err
		}
		if size == 0 {
			trailer, err := readFields(br)
			for _, f := range trailer {
				a.fields = append(a.fields, [2]string{"trailer " + f[0], f[1]})
			}
			return err
		}
		if err := a.take(br, int(size)); err != nil {
			return err
		}
		if end, err := readLine(br); err != nil || end != "" {
			return cmp.Or(err, fmt.Errorf("after a chunk %q", end))
		}
	}
}

// ours are the fields that every request from the proxy has, or that frame it.
var ours = []string{
	"Host", "Via", "Cdn-Loop", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id",
	"Content-Length", "Transfer-Encoding",
}

// String writes a request down: GET a.example/path {Field: value} "content". It
// leaves out what the proxy says of itself.
func (a *asked) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s %s", brief(a.method), brief(a.values("Host")[0]), brief(a.target))
	for _, f := range a.fields {
		if !slices.Contains(ours, http.CanonicalHeaderKey(f[0])) {
			fmt.Fprintf(&s, " {%s: %s}", brief(f[0]), brief(f[1]))
		}
	}
	if a.body != "" {
		fmt.Fprintf(&s, ` "%s"`, brief(a.body))
	}
	return s.String()
}

// brief writes in ASCII, and shortens what is very long.
func brief(s string) string {
	quoted := strconv.QuoteToASCII(s)
	quoted = quoted[1 : len(quoted)-1]
	if len(quoted) <= 100 {
		return quoted
	}
	return fmt.Sprintf("%s... (%d)", quoted[:10], len(s))
}
