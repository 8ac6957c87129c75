package server

import (
	"bytes"
	"strings"
	"unsafe"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/proxy"
)

// maxHead is the largest request head that the lane reads, in bytes.
const maxHead = 16 << 10

// form is what a request head is to the lane.
type form uint8

const (
	incomplete form = iota // more of it is to come
	plain                  // a GET or HEAD that the lane understands
	other                  // understood, and not for the lane; no content follows
	strange                // anything else: net/http shall see it and all that follows
)

// request is what parse finds.
type request struct {
	proxy.Head
	size    int  // of the head in bytes
	close   bool // the connection ends after the answer
	isHTTP2 bool // it is the first line of HTTP/2, from a client with prior knowledge
}

// parse reads the head at the beginning of b. It takes a strict subset of
// RFC 9112: what it calls plain or other has one reading only. Its strings share
// the memory of b. A line that makes the head strange is seen once it is there.
func (r *request) parse(b []byte) form {
	r.Fields, r.close, r.isHTTP2 = r.Fields[:0], false, false
	line, rest, found := cutLine(b)
	if !found {
		return unless(line == nil, len(b))
	}
	result := r.requestLine(line)
	if result == strange {
		return strange
	}
	hosts, connections := 0, 0
	for {
		line, rest, found = cutLine(rest)
		if !found {
			return unless(line == nil, len(b))
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := cutField(line)
		if !ok {
			return strange
		}
		switch len(name) {
		case len("Host"):
			if strings.EqualFold(name, "Host") {
				hosts++
				r.Host = value
				continue
			}
		case len("Connection"):
			if strings.EqualFold(name, "Connection") {
				connections++
				if !r.connection(value) {
					result = other
				}
			}
		}
		if framing(name) {
			return strange
		}
		r.Fields = append(r.Fields, proxy.Field{Name: name, Value: value})
	}
	r.size = len(b) - len(rest)
	if hosts != 1 || !isHost(r.Host) || connections > 1 {
		return other // also what is invalid: net/http says so, and no content follows
	}
	return result
}

// unless says what a head without an end is: more than the lane reads, a line
// that does not end as it must, or not all of it yet.
func unless(waiting bool, size int) form {
	if !waiting || size >= maxHead {
		return strange
	}
	return incomplete
}

// cutLine cuts the first line off. When there is none, line is nil; found is
// also false for a line that ends in a bare LF.
func cutLine(b []byte) (line, rest []byte, found bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return nil, b, false
	}
	if i == 0 || b[i-1] != '\r' {
		return b[:0:0], b, false
	}
	return b[:i-1], b[i+1:], true
}

// requestLine reads "GET /path HTTP/1.1".
func (r *request) requestLine(line []byte) form {
	s := text(line)
	r.isHTTP2 = len(line) == len(preface)-2 && strings.HasPrefix(preface, s)
	method, s, _ := strings.Cut(s, " ")
	target, proto, ok := strings.Cut(s, " ")
	if !ok || proto != "HTTP/1.1" || !httpguts.ValidHeaderFieldName(method) || target == "" {
		return strange
	}
	for i := 0; i < len(target); i++ {
		if !class(target[i], inTarget) {
			return strange
		}
	}
	r.Method, r.Target, r.Proto = method, target, "HTTP/1.1"
	switch method {
	case "GET", "HEAD":
		if target[0] == '/' {
			return plain
		}
	case "CONNECT", "PRI", "POST": // after a POST net/http overlooks an empty line
		return strange
	}
	return other
}

// cutField reads "Name: value" and takes the white space around the value off.
func cutField(line []byte) (name, value string, ok bool) {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return "", "", false
	}
	name, value = text(line[:colon]), text(line[colon+1:])
	if !httpguts.ValidHeaderFieldName(name) {
		return "", "", false
	}
	for i := 0; i < len(value); i++ {
		if !class(value[i], inValue) {
			return "", "", false
		}
	}
	return name, strings.Trim(value, " \t"), true
}

// connection takes the members of a Connection field that it knows.
func (r *request) connection(value string) bool {
	switch {
	case strings.EqualFold(value, "close"):
		r.close = true
	case !strings.EqualFold(value, "keep-alive"):
		return false
	}
	return true
}

// framing reports whether a field decides about what follows the head, or about
// the protocol.
func framing(name string) bool {
	switch len(name) {
	case len("Expect"):
		return strings.EqualFold(name, "Expect")
	case len("Upgrade"):
		return strings.EqualFold(name, "Upgrade") || strings.EqualFold(name, "Trailer")
	case len("Content-Length"):
		return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Http2-Settings")
	case len("Transfer-Encoding"):
		return strings.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

// isHost reports whether a Host is a name or IPv4 address with or without a port.
func isHost(s string) bool {
	name, port, has := strings.Cut(s, ":")
	if name == "" || has && port == "" || len(port) > 5 {
		return false
	}
	for i := 0; i < len(name); i++ {
		if !class(name[i], inHost) {
			return false
		}
	}
	for i := 0; i < len(port); i++ {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
	}
	return true
}

// The classes of bytes.
const (
	inValue  = 1 << iota // of a field: no control but HTAB (RFC 9110, 5.5)
	inTarget             // RFC 3986, without the fragment
	inHost               // letters, digits, "-", ".", "_"
)

var classes = func() (t [256]uint8) {
	for c := range t {
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if c == '\t' || c >= ' ' && c != 0x7f {
			t[c] |= inValue
		}
		if alphanumeric || strings.ContainsRune("-._~:/?[]@!$&'()*+,;=%", rune(c)) {
			t[c] |= inTarget
		}
		if alphanumeric || c == '-' || c == '.' || c == '_' {
			t[c] |= inHost
		}
	}
	return t
}()

func class(c byte, in uint8) bool { return classes[c]&in != 0 }

// text returns bytes as a string without a copy.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns a string as bytes without a copy; they must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
