package h2

import (
	"cmp"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2/hpack"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// head is the header of a request, or its trailer.
type head struct {
	limits
	method, scheme, path, authority string
	host                            string
	hosts                           int // lines of Host
	cookies                         int // lines of Cookie
	length                          int64
	fields                          []proxy.Field // but for pseudo-header fields and Host

	trailer bool
	size    int
	lines   int           // regular fields
	seen    uint8         // pseudo-header fields
	bad     bool          // malformed (RFC 9113, 8.1.1)
	beyond  policy.Reason // the limit that the header goes beyond, if any
}

// limits of a header.
type limits struct{ bytes, lines, uri int }

func (h *head) reset(trailer bool) {
	clear(h.fields)
	*h = head{limits: h.limits, fields: h.fields[:0], length: -1, trailer: trailer}
}

// add takes a field. It returns false if the rest does not matter.
func (h *head) add(f hpack.HeaderField) bool {
	h.size += int(f.Size())
	if f.IsPseudo() {
		h.bad = h.bad || h.lines > 0 || h.trailer || !h.pseudo(f.Name, f.Value)
	} else {
		h.lines++
	}
	if h.size > h.limits.bytes || h.lines > h.limits.lines {
		h.beyond = cmp.Or(h.beyond, policy.HeaderTooLarge)
		return false
	}
	if f.IsPseudo() {
		return !h.bad
	}
	if !validName(f.Name) || !validValue(f.Value) || !h.regularField(f.Name, f.Value) {
		h.bad = true
		return false
	}
	return true
}

// pseudo takes a pseudo-header field (RFC 9113, 8.3).
func (h *head) pseudo(name, value string) bool {
	var to *string
	var bit uint8
	switch name {
	case ":method":
		to, bit = &h.method, 1
	case ":scheme":
		to, bit = &h.scheme, 2
	case ":path":
		to, bit = &h.path, 4
		if len(value) > h.limits.uri {
			h.beyond = policy.URITooLong
		}
	case ":authority":
		to, bit = &h.authority, 8
	default:
		return false
	}
	if h.seen&bit != 0 || !httpguts.ValidHeaderFieldValue(value) {
		return false
	}
	h.seen |= bit
	*to = value
	return true
}

// regularField takes any other field. Those that concern a connection are not
// for HTTP/2 (RFC 9113, 8.2.2).
func (h *head) regularField(name, value string) bool {
	switch name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
		return false
	case "te":
		if value != "trailers" && value != "" {
			return false
		}
	case "host":
		if h.hosts++; h.hosts > 1 || h.trailer {
			return false
		}
		h.host = value
		return true
	case "cookie":
		h.cookies++
	case "content-length":
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil || h.length >= 0 && h.length != int64(n) || h.trailer {
			return false
		}
		if h.length >= 0 { // the same once more
			return true
		}
		h.length = int64(n)
	}
	h.fields = append(h.fields, proxy.Field{Name: name, Value: value})
	return true
}

// check completes a request's header, and reports whether it is well-formed.
func (h *head) check(end bool) bool {
	if h.bad || h.method == "" || !httpguts.ValidHeaderFieldName(h.method) {
		return false
	}
	if h.method == "CONNECT" { // RFC 9113, 8.5
		if h.scheme != "" || h.path != "" || h.authority == "" {
			return false
		}
	} else if h.scheme != "http" && h.scheme != "https" || !h.validPath() {
		return false
	}
	// RFC 9113, 8.3.1: the two must not name different hosts.
	if h.hosts > 0 && h.seen&8 != 0 && !strings.EqualFold(h.host, h.authority) {
		return false
	}
	if h.host == "" {
		h.host = h.authority
	}
	if strings.IndexByte(h.host, '@') >= 0 || !httpguts.ValidHostHeader(h.host) {
		return false
	}
	if end && h.length > 0 { // RFC 9113, 8.1.1
		return false
	}
	if h.cookies > 1 {
		h.joinCookies()
	}
	return true
}

func (h *head) validPath() bool {
	return h.path != "" && (h.path[0] == '/' || h.path == "*" && h.method == "OPTIONS")
}

// joinCookies makes one line of cookies that came in several (RFC 9113, 8.2.3).
func (h *head) joinCookies() {
	var all []string
	kept := h.fields[:0]
	at := -1
	for _, f := range h.fields {
		if f.Name == "cookie" {
			all = append(all, f.Value)
			if at >= 0 {
				continue
			}
			at = len(kept)
		}
		kept = append(kept, f)
	}
	h.fields = kept
	h.fields[at].Value = strings.Join(all, "; ")
}

// plain reports whether the path consists of what it may consist of (RFC 3986,
// 3.3 and 3.4); a handler gets the others as its library reads them.
func (h *head) plain() bool {
	for i := range len(h.path) {
		if !inPath[h.path[i]] {
			return false
		}
	}
	return true
}

// validName: a token, in lower case (RFC 9113, 8.2).
func validName(s string) bool {
	for i := range len(s) {
		if !inName[s[i]] {
			return false
		}
	}
	return s != ""
}

// validValue: without control characters, and without space around it (RFC
// 9113, 8.2.1).
func validValue(s string) bool {
	if s == "" {
		return true
	}
	if first, last := s[0], s[len(s)-1]; first == ' ' || first == '\t' || last == ' ' || last == '\t' {
		return false
	}
	return httpguts.ValidHeaderFieldValue(s)
}

var inName, inPath = chars("!#$%&'*+-.^_`|~"), chars("/?%-._~!$&'()*+,;=:@ABCDEFGHIJKLMNOPQRSTUVWXYZ")

// chars returns the set of these characters, lower-case letters, and digits.
func chars(more string) (set [256]bool) {
	for _, b := range []byte("abcdefghijklmnopqrstuvwxyz0123456789" + more) {
		set[b] = true
	}
	return set
}
