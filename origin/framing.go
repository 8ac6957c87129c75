package origin

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// framing is how the end of a body is found.
type framing uint8

const (
	empty   framing = iota // there is none
	sized                  // it has so many bytes
	chunked                // it comes in chunks
	toEnd                  // it goes on to the end of the connection
)

// frame finds out how the body is framed, sets the fields of the response that
// tell of it, and removes those of the header that were for us. keep tells
// whether the connection is good for another exchange afterwards.
func (h *head) frame(method string, resp *http.Response) (f framing, keep bool, err error) {
	length, err := contentLength(h.header)
	if err != nil {
		return empty, false, err
	}
	coded, err := h.transferCoding()
	if err != nil {
		return empty, false, err
	}
	keep = h.persists()
	resp.ContentLength = length
	if coded {
		// RFC 9112, 6.3: chunks count; with a length beside them, somebody on the
		// way may see another end.
		keep = keep && length < 0
		delete(h.header, "Content-Length")
		resp.TransferEncoding, resp.ContentLength = []string{"chunked"}, -1
	}
	switch {
	case method == http.MethodHead:
		return empty, keep, nil
	case h.status == http.StatusNoContent:
		resp.ContentLength = 0
		// Neither field is allowed here (RFC 9110, 8.6; RFC 9112, 6.1): content may follow.
		return empty, keep && !coded && length <= 0, nil
	case h.status == http.StatusNotModified || h.status < 200:
		resp.ContentLength = 0
		return empty, keep, nil
	case coded:
		resp.Trailer = announced(h.header)
		return chunked, keep, nil
	case length == 0:
		return empty, keep, nil
	case length > 0:
		return sized, keep, nil
	}
	return toEnd, false, nil
}

// persists reports whether the origin keeps the connection (RFC 9112, 9.3).
func (h *head) persists() bool {
	lines := h.header["Connection"]
	return !httpguts.HeaderValuesContainsToken(lines, "close") && (h.minor > 0 || httpguts.HeaderValuesContainsToken(lines, "keep-alive"))
}

// transferCoding takes Transfer-Encoding off and reports whether the body is in
// chunks, the only coding we know (RFC 9112, 6.1).
func (h *head) transferCoding() (bool, error) {
	lines, ok := h.header["Transfer-Encoding"]
	if !ok {
		return false, nil
	}
	delete(h.header, "Transfer-Encoding")
	if len(lines) != 1 || !strings.EqualFold(lines[0], "chunked") {
		return false, failed(TransferCoding, "Transfer-Encoding %.60q is not supported", strings.Join(lines, ", "))
	}
	if h.minor == 0 { // whoever passed it on did not know it, and where the body ends
		return false, failed(TransferCoding, "Transfer-Encoding in a response of HTTP/1.0")
	}
	return true, nil
}

// contentLength returns the length that a header gives, -1 when it gives none.
// One that is given several times is given once; if they differ it is invalid
// (RFC 9110, 8.6).
func contentLength(h http.Header) (int64, error) {
	lines := h["Content-Length"]
	length, members := int64(-1), 0
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			n, ok := parseLength(trim(member))
			if members++; !ok || members > 1 && n != length {
				return 0, invalid("invalid Content-Length %.60q", strings.Join(lines, ", "))
			}
			length = n
		}
	}
	if members > 1 {
		h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	return length, nil
}

// parseLength parses digits and nothing else.
func parseLength(s string) (int64, bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// patience returns for how long to wait for more of a body, 0 for ever: an
// event stream may be silent for any time.
func patience(h http.Header, most time.Duration) time.Duration {
	if eventStream(h) {
		return 0
	}
	return most
}

// eventStream reports whether a response is an event stream.
func eventStream(h http.Header) bool {
	lines := h["Content-Type"]
	return len(lines) > 0 && strings.HasPrefix(lines[0], "text/event-stream")
}
