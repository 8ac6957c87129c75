package origin

import (
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// protocol is what every response begins with, but for the minor version.
const protocol = "HTTP/1."

// maxFields bounds the lines of a header section: many short ones would take
// far more memory than their bytes.
const maxFields = 4096

// head is the head of a response.
type head struct {
	minor  int    // of HTTP/1.x: 0 or 1
	status int    // 100 to 999
	reason string // status and phrase: "200 OK"
	header http.Header
}

// parseHead parses a head: a status line and fields, up to and with the empty
// line. Lines end in CRLF or LF (RFC 9112, 2.2). The strings of the result
// share the memory of text.
func parseHead(text string) (h head, err error) {
	line, rest, err := cutLine(text)
	if err != nil {
		return h, err
	}
	if err := h.parseStatus(line); err != nil {
		return h, err
	}
	h.header, err = parseFields(rest)
	return h, err
}

// parseStatus parses a status line (RFC 9112, 4). Without a phrase, the space
// before it may be missing too.
func (h *head) parseStatus(line string) error {
	rest, ok := strings.CutPrefix(line, protocol)
	version, rest, spaced := strings.Cut(rest, " ")
	status, _, _ := strings.Cut(rest, " ")
	code, digits := parseLength(status)
	if !ok || version != "0" && version != "1" || !spaced || !digits || len(status) != 3 || code < 100 {
		return invalid("invalid status line %.60q", line)
	}
	h.minor, h.status, h.reason = int(version[0]-'0'), int(code), rest
	return nil
}

// parseFields parses field lines, up to and with the empty line (RFC 9112, 5).
// A line that folds another one is refused, as is white space before a colon.
func parseFields(text string) (http.Header, error) {
	n := max(strings.Count(text, "\n")-1, 0)
	if n > maxFields {
		return nil, invalid("more than %d fields", maxFields)
	}
	header, lines := make(http.Header, n), make([]string, n)
	for i := range lines {
		line, rest, err := cutLine(text)
		if err != nil {
			return nil, err
		}
		text = rest
		colon := strings.IndexByte(line, ':')
		if colon < 0 || !httpguts.ValidHeaderFieldName(line[:colon]) {
			return nil, invalid("invalid field line %.60q", line)
		}
		name := textproto.CanonicalMIMEHeaderKey(line[:colon])
		lines[i] = trim(line[colon+1:])
		if earlier, ok := header[name]; ok {
			header[name] = append(earlier, lines[i])
		} else {
			header[name] = lines[i : i+1 : i+1]
		}
	}
	return header, nil
}

// cutLine cuts off the first line and returns it without its end. There is no
// control character in it but the tab: no CR either, other than in its end.
func cutLine(text string) (line, rest string, err error) {
	line, rest, _ = strings.Cut(text, "\n")
	line = strings.TrimSuffix(line, "\r")
	if !isText(line) {
		return "", "", invalid("control character in the line %.60q", line)
	}
	return line, rest, nil
}

// isText reports whether s may be the value of a field (RFC 9110, 5.5).
func isText(s string) bool {
	for i := range len(s) {
		if !textBytes[s[i]] {
			return false
		}
	}
	return true
}

var textBytes = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= ' ' && c != 0x7f || c == '\t'
	}
	return set
}()

// trim takes off the white space around a value.
func trim(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// bytesOf returns the set of ASCII letters, digits and those of more.
func bytesOf(more string) (set [256]bool) {
	for c := byte('0'); c <= 'z'; c++ {
		set[c] = c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a'
	}
	for _, c := range []byte(more) {
		set[c] = true
	}
	return set
}
