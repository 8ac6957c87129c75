package policy

import (
	"net/http"
	"slices"
)

// hopByHop are the fields that concern one connection only (RFC 9110, 7.6.1).
var hopByHop = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade", "Trailer",
}

// proxyFields concern a proxy only, and are neither stored nor passed on
// (RFC 9111, 3.1; RFC 9110, 11.7).
var proxyFields = []string{"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization"}

// bodyFields describe the stored content itself; a 304 leaves them as they are
// so that they go on telling the truth (RFC 9111, 3.2).
var bodyFields = []string{"Content-Length", "Content-Encoding", "Content-Range", "Content-Md5"}

// RemoveHopByHop removes what must not be passed on: the fields listed in
// Connection, the hop-by-hop fields and those for proxies.
func RemoveHopByHop(h http.Header) {
	RemoveNominated(h)
	for _, name := range hopByHop {
		delete(h, name)
	}
	for _, name := range proxyFields {
		delete(h, name)
	}
}

// RemoveNominated removes the fields that Connection names, but for itself and
// those of this package's list of hop-by-hop fields.
func RemoveNominated(h http.Header) {
	members(h["Connection"], func(name string) bool {
		// A field that a message cannot do without is never hop-by-hop.
		if canonical := http.CanonicalHeaderKey(name); !endToEnd[canonical] && !slices.Contains(hopByHop, canonical) {
			delete(h, canonical)
		}
		return true
	})
}

// endToEnd are fields that Connection cannot take away (RFC 9110, 7.6.1): with
// them a sender could disarm its own cache or our decisions.
var endToEnd = map[string]bool{
	"Cache-Control": true, "Cdn-Cache-Control": true, "Content-Length": true, "Content-Type": true,
	"Content-Encoding": true, "Content-Range": true, "Host": true, "Vary": true, "Set-Cookie": true,
	"Authorization": true, "Cookie": true, "Range": true, "If-None-Match": true, "If-Modified-Since": true,
}

// Storable returns the fields of a response that are stored (RFC 9111, 3.1):
// without those for one connection or proxy, those that private or no-cache
// name, Age, which is kept as a number, and tags. h itself is left alone.
func Storable(h http.Header, r *Rules) http.Header {
	d, _ := governing(h, r)
	out := h.Clone()
	RemoveHopByHop(out)
	RemoveTags(out, r)
	delete(out, "Age")
	for _, name := range slices.Concat(d.PrivateFields, d.NoCacheFields) {
		delete(out, http.CanonicalHeaderKey(name))
	}
	return out
}

// Merge updates stored fields by those of a newer response for the same
// representation (RFC 9111, 3.2). The newer ones are left alone.
func Merge(stored, newer http.Header) {
	if len(newer["Connection"]) > 0 {
		newer = newer.Clone()
		RemoveHopByHop(newer)
	}
	for name, lines := range newer {
		switch {
		case slices.Contains(hopByHop, name), slices.Contains(proxyFields, name), slices.Contains(bodyFields, name):
		case name == "Etag" && len(stored["Etag"]) > 0: // it was compared, perhaps weakly: the stored one stays
		default:
			stored[name] = lines
		}
	}
}

// ApplyCookieRule removes Set-Cookie where the rule says so.
func ApplyCookieRule(h http.Header, r *Rules) {
	if r.SetCookie == StripCookie {
		delete(h, "Set-Cookie")
		delete(h, "Set-Cookie2")
	}
}
