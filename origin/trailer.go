package origin

import (
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// announced takes Trailer off a header and returns the names in it, without
// values; nil for none.
func announced(h http.Header) http.Header {
	lines, ok := h["Trailer"]
	if !ok {
		return nil
	}
	delete(h, "Trailer")
	var trailer http.Header
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			name = textproto.CanonicalMIMEHeaderKey(trim(name))
			if !httpguts.ValidHeaderFieldName(name) || !mayTrail(name) || len(trailer) == maxFields {
				continue
			}
			if trailer == nil {
				trailer = make(http.Header)
			}
			trailer[name] = nil
		}
	}
	return trailer
}

// addTrailer adds the fields after a body to the response, but for those that
// come too late there, whether they were announced or not.
func addTrailer(resp *http.Response, fields http.Header) {
	for name, lines := range fields {
		if !mayTrail(name) {
			continue
		}
		if resp.Trailer == nil {
			resp.Trailer = make(http.Header)
		}
		resp.Trailer[name] = lines
	}
}

// dropTrailers takes off the trailer fields of a response that come too late there.
func dropTrailers(resp *http.Response) {
	for name := range resp.Trailer {
		if !mayTrail(name) {
			delete(resp.Trailer, name)
		}
	}
}

// mayTrail reports whether a field may come after the body: not if it frames,
// routes or authenticates the message, says how to process its content, or
// controls how it is handled (RFC 9110, 6.5.1).
func mayTrail(name string) bool {
	if strings.HasPrefix(name, "Content-") {
		return name == "Content-Digest" // RFC 9530, 6.5
	}
	return !strings.HasPrefix(name, "If-") && !strings.HasPrefix(name, "Proxy-") && !neverTrails[name]
}

var neverTrails = map[string]bool{
	"Transfer-Encoding": true, "Trailer": true, "Te": true, "Connection": true, "Keep-Alive": true, "Upgrade": true,
	"Host": true, "Location": true, "Alt-Svc": true, "Via": true, "Cdn-Loop": true,
	"Authorization": true, "Www-Authenticate": true, "Authentication-Info": true, "Cookie": true, "Set-Cookie": true,
	"Cache-Control": true, "Cdn-Cache-Control": true, "Surrogate-Control": true, "Pragma": true, "Age": true,
	"Date": true, "Expires": true, "Vary": true, "Warning": true, "Retry-After": true,
	"Expect": true, "Max-Forwards": true, "Range": true, "Accept-Ranges": true,
}
