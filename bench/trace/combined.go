package trace

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const combinedTime = "02/Jan/2006:15:04:05 -0700"

// parseCombined reads a line of the common or combined log format:
//
//	192.0.2.7 - - [29/Feb/2024:13:14:15 +0100] "GET /a HTTP/1.1" 200 1024 "referer" "agent"
//
// The name of the site may stand in front (vhost_combined of Apache). Behind the
// size may be anything; cacheproxy writes "ACTION/REASON" as the last field.
func parseCombined(line string) (Request, error) {
	who, rest, found := strings.Cut(line, " [")
	if !found {
		return Request{}, errors.New(`no "[time]"`)
	}
	when, rest, found := strings.Cut(rest, `] "`)
	if !found {
		return Request{}, errors.New(`no "request" in quotes behind the time`)
	}
	request, rest, err := unquote(rest)
	if err != nil {
		return Request{}, err
	}
	var r Request
	if err := r.setRequestLine(request); err != nil {
		return Request{}, err
	}
	if r.Time, err = time.Parse(combinedTime, when); err != nil {
		return Request{}, fmt.Errorf("time %s is not like %s", quote(when), combinedTime)
	}
	status, rest, _ := strings.Cut(strings.TrimPrefix(rest, " "), " ")
	if r.Status, err = parseStatus(status); err != nil {
		return Request{}, err
	}
	size, rest, _ := strings.Cut(rest, " ")
	if size != "-" { // no bytes, in Apache's %b
		if r.Size, err = parseSize(size); err != nil {
			return Request{}, err
		}
	}
	// With a site in front, the second field is the client and not the dash of identd.
	if f := strings.Fields(who); r.Host == "" && len(f) >= 4 && f[1] != "-" {
		r.Host = f[0]
	}
	i := strings.LastIndex(rest, ` "`)
	r.Private = i >= 0 && strings.HasPrefix(rest[i+2:], "pass/")
	return r, nil
}

// unquote reads up to the closing quote and undoes the escapes of Apache and
// nginx: \xHH, and a backslash before a quote, a backslash or a letter of C.
func unquote(s string) (text, rest string, err error) {
	end := strings.IndexAny(s, `"\`)
	if end >= 0 && s[end] == '"' { // nothing is escaped
		return s[:end], s[end+1:], nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		case s[i] != '\\':
			b.WriteByte(s[i])
		default:
			c, n := unescape(s[i+1:])
			b.WriteByte(c)
			i += n
		}
	}
	return "", "", errors.New("a quote is not closed")
}

// unescape reads what follows a backslash: a byte, and how much stood for it.
func unescape(s string) (c byte, n int) {
	if len(s) >= 3 && s[0] == 'x' {
		high, low := strings.IndexByte(hexDigits, lower(s[1])), strings.IndexByte(hexDigits, lower(s[2]))
		if high >= 0 && low >= 0 {
			return byte(high<<4 | low), 3
		}
	}
	if s == "" {
		return '\\', 0
	}
	if i := strings.IndexByte(`nrtvbf"\`, s[0]); i >= 0 {
		return "\n\r\t\v\b\f\"\\"[i], 1
	}
	return '\\', 0
}

const hexDigits = "0123456789abcdef"

func lower(c byte) byte {
	if c >= 'A' && c <= 'F' {
		return c + 'a' - 'A'
	}
	return c
}
