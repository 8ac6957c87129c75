package proxytest

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
)

// readHead reads a start line and the fields that follow it, just as they are
// on the wire.
func readHead(br *bufio.Reader) (start string, h http.Header, err error) {
	tp := textproto.NewReader(br)
	if start, err = tp.ReadLine(); err != nil {
		return "", nil, err
	}
	fields, err := tp.ReadMIMEHeader()
	return start, http.Header(fields), err
}

var errShort = errors.New("the connection was closed amid the body")

// readBody reads content by its framing and gives it to got as it comes.
// toEnd says that content without a length runs to the end of the connection.
func readBody(br *bufio.Reader, h http.Header, toEnd bool, got func([]byte)) (trailer http.Header, err error) {
	var body io.Reader
	length := int64(-1)
	chunked := strings.EqualFold(h.Get("Transfer-Encoding"), "chunked")
	switch {
	case chunked:
		body = httputil.NewChunkedReader(br)
	case h.Get("Content-Length") != "":
		if length, err = strconv.ParseInt(h.Get("Content-Length"), 10, 64); err != nil {
			return nil, err
		}
		body = io.LimitReader(br, length)
	case toEnd:
		body = br
	default:
		return nil, nil
	}
	buf := make([]byte, 4096)
	for n := 0; ; {
		if n, err = body.Read(buf); n > 0 {
			length -= int64(n)
			got(buf[:n])
		}
		if err != nil {
			break
		}
	}
	switch {
	case !errors.Is(err, io.EOF):
		return nil, err
	case length > 0:
		return nil, errShort
	case !chunked:
		return nil, nil
	}
	fields, err := textproto.NewReader(br).ReadMIMEHeader()
	return http.Header(fields), err
}

// writeChunk writes content in its framing.
func writeChunk(w io.Writer, b []byte, chunked bool) error {
	if len(b) == 0 {
		return nil
	}
	if chunked {
		b = append(append([]byte(strconv.FormatInt(int64(len(b)), 16)+"\r\n"), b...), "\r\n"...)
	}
	_, err := w.Write(b)
	return err
}

// fieldLines writes fields as they were written in the script.
func fieldLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}
