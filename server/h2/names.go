package h2

import "strings"

// known is a field name that is met often.
type known struct {
	lower  string
	prefix []byte // of a literal with this name that is not indexed
	slot   int    // of an encoder; 0 for fields whose values rarely come again
	hop    bool   // never sent
}

// names is by canonical and by lower-case name.
var names, slots = knownNames()

func knownNames() (map[string]known, int) {
	m := make(map[string]known)
	put := func(name string, k known) {
		k.lower = strings.ToLower(name)
		if k.prefix == nil {
			k.prefix = appendString([]byte{0}, k.lower)
		}
		m[name], m[k.lower] = k, k
	}
	for _, name := range []string{
		"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade",
	} {
		put(name, known{hop: true})
	}
	// Positions in the static table (RFC 7541, appendix A).
	for name, index := range map[string]byte{
		"Age": 21, "Content-Length": 28, "Content-Range": 30, "Date": 33, "Etag": 34, "Expires": 36,
		"Last-Modified": 44, "Location": 46, "Retry-After": 53, "Set-Cookie": 55, "Www-Authenticate": 61,
	} {
		put(name, known{prefix: literalPrefix(index)})
	}
	put("Cache-Status", known{})
	put("X-Request-Id", known{})
	n := 0
	for name, index := range map[string]byte{
		"Accept-Ranges": 18, "Access-Control-Allow-Origin": 20, "Allow": 22, "Cache-Control": 24,
		"Content-Disposition": 25, "Content-Encoding": 26, "Content-Language": 27, "Content-Location": 29,
		"Content-Type": 31, "Link": 45, "Server": 54, "Strict-Transport-Security": 56, "Vary": 59, "Via": 60,
	} {
		n++
		put(name, known{prefix: literalPrefix(index), slot: n})
	}
	for _, name := range []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
		"Access-Control-Expose-Headers", "Alt-Svc", "Cdn-Cache-Control", "Content-Security-Policy",
		"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy", "Pragma",
		"Referrer-Policy", "Timing-Allow-Origin", "X-Cache-Status", "X-Content-Type-Options",
		"X-Frame-Options", "X-Powered-By", "X-Xss-Protection",
	} {
		n++
		put(name, known{slot: n})
	}
	return m, n
}

// literalPrefix is the beginning of a literal that is not indexed, and whose
// name is in the static table (RFC 7541, 6.2.2).
func literalPrefix(index byte) []byte {
	if index < 15 {
		return []byte{index}
	}
	return []byte{15, index - 15}
}
