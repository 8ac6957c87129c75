package server

import (
	"bytes"
	"strings"
	"unsafe"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// form is what a request head is.
type form uint8

const (
	incomplete form = iota // more of it is to come
	plain                  // a GET or HEAD without content, in the form that nearly all have
	other                  // any other request
	refused                // none: request.why says why
)

// headLimits bound a request head.
type headLimits struct {
	bytes  int // of all of it
	fields int // lines
	target int // bytes
}

// maxMethod is how long a method may be, in bytes; those that are registered are
// much shorter.
const maxMethod = 64

// request is what parse finds.
type request struct {
	proxy.Head
	why     policy.Reason // of a refusal
	size    int           // of the head in bytes
	length  int64         // of the content that follows, unless it is chunked
	chunked bool
	close   bool // the connection ends after the answer
	isHTTP2 bool // it is the first line of HTTP/2, from a client with prior knowledge

	sized, coded bool // it has a Content-Length, a Transfer-Encoding
}

// parse reads the head at the beginning of b, to the letter of RFC 9112, 2 to 6:
// what it does not refuse has one reading only. Its strings share the memory of b.
// A line that is wrong is refused as soon as it is there.
func (r *request) parse(b []byte, most *headLimits) form {
	r.Method, r.Target, r.Host, r.Proto, r.Fields = "", "", "", "", r.Fields[:0]
	r.length, r.chunked, r.close, r.isHTTP2, r.sized, r.coded = 0, false, false, false, false, false
	b = b[:min(len(b), most.bytes)]
	line, rest, found := cutLine(b)
	if !found {
		return r.beginning(b, most)
	}
	result := r.requestLine(line, most)
	if result == refused {
		return refused
	}
	hosts, connections := 0, 0
	for count := 0; ; count++ {
		line, rest, found = cutLine(rest)
		switch {
		case !found && line != nil:
			return r.refuse(policy.BadRequest)
		case !found && len(b) >= most.bytes:
			return r.refuse(policy.HeaderTooLarge)
		case !found:
			return incomplete
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := cutField(line)
		if !ok {
			return r.refuse(policy.BadRequest)
		}
		if count == most.fields {
			return r.refuse(policy.HeaderTooLarge)
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
				if !r.connection(value) || connections > 1 {
					result = other
				}
			}
		default:
			framing, why := r.framing(name, value)
			if why != policy.ReasonNone {
				return r.refuse(why)
			}
			if framing {
				result = other
			}
		}
		r.Fields = append(r.Fields, proxy.Field{Name: name, Value: value})
	}
	r.size = len(b) - len(rest)
	return r.judge(result, hosts)
}

// judge decides about a head that is whole.
func (r *request) judge(result form, hosts int) form {
	switch {
	case r.sized && r.coded, r.coded && r.Proto == "HTTP/1.0": // RFC 9112, 6.1: both are attempts to smuggle
		return r.refuse(policy.BadRequest)
	case hosts == 0 && r.Proto == "HTTP/1.0":
		return result
	case hosts != 1: // RFC 9112, 3.2
		return r.refuse(policy.BadRequest)
	}
	switch hostForm(r.Host) {
	case refused:
		return r.refuse(policy.BadRequest)
	case other:
		return other
	}
	return result
}

func (r *request) refuse(why policy.Reason) form {
	r.why = why
	return refused
}

// beginning says what comes of a request line that does not end as it must: it is
// broken, or not whole. Then it may be known already that it is too long.
func (r *request) beginning(b []byte, most *headLimits) form {
	line, _, broken := bytes.Cut(b, []byte("\n"))
	method, rest, _ := strings.Cut(text(line), " ")
	target, _, _ := strings.Cut(rest, " ")
	tooLong := len(method) > maxMethod || len(target) > most.target || len(line) >= most.bytes
	switch {
	case !tooLong && !broken:
		return incomplete
	case !tooLong, !httpguts.ValidHeaderFieldName(method):
		return r.refuse(policy.BadRequest)
	case len(method) > maxMethod:
		return r.refuse(policy.NotImplemented)
	}
	r.Method = method
	return r.refuse(policy.URITooLong)
}

// requestLine reads "GET /path HTTP/1.1" (RFC 9112, 3).
func (r *request) requestLine(line []byte, most *headLimits) form {
	s := text(line)
	r.isHTTP2 = len(line) == len(preface)-2 && strings.HasPrefix(preface, s)
	method, s, _ := strings.Cut(s, " ")
	target, proto, ok := strings.Cut(s, " ")
	switch {
	case !httpguts.ValidHeaderFieldName(method):
		return r.refuse(policy.BadRequest)
	case len(method) > maxMethod: // RFC 9112, 3
		return r.refuse(policy.NotImplemented)
	}
	r.Method = method
	if len(target) > most.target {
		return r.refuse(policy.URITooLong)
	}
	if proto != "HTTP/1.1" {
		if !ok || !isVersion(proto) {
			return r.refuse(policy.BadRequest)
		}
		if r.Target, r.Proto = target, proto; proto[len("HTTP/")] != '1' {
			return r.refuse(policy.VersionNotSupported)
		}
	}
	r.Target, r.Proto = target, proto
	if method == "CONNECT" { // what follows may be meant for a tunnel
		return r.refuse(policy.MethodNotAllowed)
	}
	if !validTarget(method, target) {
		return r.refuse(policy.BadRequest)
	}
	if target[0] == '/' && proto == "HTTP/1.1" && (method == "GET" || method == "HEAD") {
		return plain
	}
	return other
}

// isVersion reports whether s is that of some HTTP (RFC 9112, 2.3).
func isVersion(s string) bool {
	return len(s) == len("HTTP/1.1") && s[:5] == "HTTP/" && isDigit(s[5]) && s[6] == '.' && isDigit(s[7])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

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

// cutField reads "Name: value" and takes the white space around the value off
// (RFC 9112, 5).
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

// text returns bytes as a string without a copy.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf returns a string as bytes without a copy; they must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
