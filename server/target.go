package server

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// validTarget reports whether a target has one of the forms of RFC 9112, 3.2, but
// for that of CONNECT.
func validTarget(method, target string) bool {
	if target == "" {
		return false
	}
	if target == "*" {
		return method == "OPTIONS"
	}
	path, query, _ := strings.Cut(target, "?")
	for i := 0; i < len(path); i++ {
		if !class(path[i], inPath) {
			return false
		}
	}
	for i := 0; i < len(query); i++ {
		if !class(query[i], inPath|inQuery) {
			return false
		}
	}
	return target[0] == '/' || isAbsolute(path)
}

// isAbsolute reports whether a URI without its query names a host by HTTP, and no
// user (RFC 9110, 4.2). A handler judges the scheme.
func isAbsolute(uri string) bool {
	scheme, rest, ok := strings.Cut(uri, "://")
	host, _, _ := strings.Cut(rest, "/")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) && hostForm(host) != refused
}

// isURL reports whether a valid target can be decoded: its escapes are whole.
func isURL(target string) bool {
	_, err := url.ParseRequestURI(target)
	return err == nil
}

// hostForm says what a Host is: plain for a name or an IPv4 address, other for an
// IPv6 address in brackets, each with or without a port, and otherwise refused.
func hostForm(s string) form {
	if strings.HasPrefix(s, "[") {
		return addressForm(s)
	}
	name, port, has := strings.Cut(s, ":")
	if name == "" || len(name) > 255 || has && !isPort(port) {
		return refused
	}
	for i := 0; i < len(name); i++ {
		if !class(name[i], inHost) {
			return refused
		}
	}
	return plain
}

func addressForm(s string) form {
	inside, port, closed := strings.Cut(s[1:], "]")
	addr, err := netip.ParseAddr(inside)
	if !closed || err != nil || !addr.Is6() || addr.Zone() != "" || port != "" && (port[0] != ':' || !isPort(port[1:])) {
		return refused
	}
	return other
}

func isPort(s string) bool {
	if len(s) == 0 || len(s) > 5 || !isDigit(s[0]) {
		return false
	}
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// The classes of bytes.
const (
	inValue = 1 << iota // of a field: no control but HTAB (RFC 9110, 5.5)
	inPath              // RFC 3986, without the fragment
	inQuery             // what browsers send in a query as it is, though RFC 3986 has it escaped
	inHost              // letters, digits, "-", ".", "_"
)

var classes = func() (t [256]uint8) {
	for c := range t {
		alphanumeric := isDigit(byte(c)) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if c == '\t' || c >= ' ' && c != 0x7f {
			t[c] |= inValue
		}
		if alphanumeric || strings.ContainsRune("-._~:/?[]@!$&'()*+,;=%", rune(c)) {
			t[c] |= inPath
		}
		if strings.ContainsRune("\\^`{|}", rune(c)) {
			t[c] |= inQuery
		}
		if alphanumeric || c == '-' || c == '.' || c == '_' {
			t[c] |= inHost
		}
	}
	return t
}()

func class(c byte, in uint8) bool { return classes[c]&in != 0 }
