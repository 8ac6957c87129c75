package witness

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

var (
	requestLine = regexp.MustCompile(`^(` + token + `) ([^\x00-\x20\x7f]+) HTTP/1\.1$`)
	fieldLine   = regexp.MustCompile(`^(` + token + `): ([^\x00-\x20\x7f](?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)?$`)
	chunkLine   = regexp.MustCompile(`^(0|[1-9a-f][0-9a-f]{0,6})$`)
	lengthValue = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)
)

// errCutOff ends a request before its end. Such a request is none, and how much
// of it is seen is a matter of time.
var errCutOff = errors.New("cut off")

// read reads a request. Every line ends in CRLF and there is one reading.
func read(br *bufio.Reader) (*Asked, error) {
	line, err := readLine(br)
	if err != nil {
		return nil, err
	}
	m := requestLine.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("request line %.80q", line)
	}
	a := &Asked{Method: m[1], Target: m[2]}
	if a.Fields, err = readFields(br); err != nil {
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

// readBody reads the content, whose framing must be said once.
func (a *Asked) readBody(br *bufio.Reader) error {
	length, coding := a.Values("Content-Length"), a.Values("Transfer-Encoding")
	switch {
	case len(a.Values("Host")) != 1 || a.Values("Host")[0] == "":
		return fmt.Errorf("not one Host: %q", a.Values("Host"))
	case len(a.Values("Via")) != 1:
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

func (a *Asked) take(br *bufio.Reader, n int) error {
	b := make([]byte, n)
	got, err := io.ReadFull(br, b)
	a.Body += string(b[:got])
	if err != nil {
		return errCutOff
	}
	return nil
}

func (a *Asked) readChunks(br *bufio.Reader) error {
	for {
		line, err := readLine(br)
		if err != nil {
			return err
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
				a.Fields = append(a.Fields, [2]string{"trailer " + f[0], f[1]})
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
