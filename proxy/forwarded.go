package proxy

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// addForwarded tells the origin about the client (RFC 7239 and the older
// fields). What an untrusted peer says of itself is replaced; scheme and host
// are always those of the key, so that they cannot poison what is stored.
func (x *exchange) addForwarded(h http.Header) {
	client := hostOnly(x.r.RemoteAddr)
	for name := range h {
		if x.c.unkeyed(name, x.trusted) {
			delete(h, name)
		}
	}
	bare := strings.Trim(client, "[]")
	node := bare
	if strings.Contains(node, ":") {
		node = `"[` + node + `]"`
	}
	element := string(appendElement(make([]byte, 0, 96), node, x.target.Host, x.target.Scheme))
	x.told = [7]string{
		after(h["X-Forwarded-For"], bare), x.target.Host, x.target.Scheme, after(h["Forwarded"], element), x.o.RequestID,
	}
	h["X-Forwarded-For"] = x.told[0:1:1]
	h["X-Forwarded-Host"] = x.told[1:2:2]
	h["X-Forwarded-Proto"] = x.told[2:3:3]
	h["Forwarded"] = x.told[3:4:4]
	h["X-Request-Id"] = x.told[4:5:5]
}

// after returns a list with one more member, as one line.
func after(lines []string, member string) string {
	if len(lines) == 0 {
		return member
	}
	return strings.Join(lines, ", ") + ", " + member
}

// appendElement appends what Forwarded says of this hop (RFC 7239, 4). A host
// that is no token is quoted.
func appendElement(dst []byte, node, host, proto string) []byte {
	dst = append(append(dst, "for="...), node...)
	dst = append(dst, ";host="...)
	if strings.IndexFunc(host, func(c rune) bool {
		return c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	}) < 0 {
		dst = append(dst, host...)
	} else {
		dst = append(appendQuoted(append(dst, '"'), host), '"')
	}
	return append(append(dst, ";proto="...), proto...)
}

// trusts reports whether a peer's word about its own client is believed.
func (c *Config) trusts(remote string) bool {
	if len(c.Trusted) == 0 {
		return false
	}
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	return c.trustsAddr(ap.Addr().Unmap())
}

func (c *Config) trustsAddr(addr netip.Addr) bool {
	return slices.ContainsFunc(c.Trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// requestID is a trusted peer's, or a new one.
func (x *exchange) requestID() string {
	if id := x.r.Header.Get("X-Request-Id"); id != "" && len(id) <= 128 && x.trusted && printable(id) {
		return id
	}
	return randomID()
}

// randomID returns 128 random bits in hexadecimal. They name a request, and
// need not be a secret.
func randomID() string { return string(appendRandomID(make([]byte, 0, 32))) }

func appendRandomID(dst []byte) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], rand.Uint64())
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	return hex.AppendEncode(dst, b[:])
}

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}
