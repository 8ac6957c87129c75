package proxy

import (
	"net/http"
	"strconv"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// writeParts answers a request for several ranges with multipart/byteranges
// (RFC 9110, 14.6 and 15.3.7.2).
func (x *exchange) writeParts(e *revalidate.Entry, parts []policy.ByteRange) {
	h := x.w.Header()
	boundary := randomID()
	contentType := h.Get("Content-Type")
	heads := make([]string, len(parts))
	end := "\r\n--" + boundary + "--\r\n"
	length := int64(len(end))
	for i, part := range parts {
		heads[i] = partHead(boundary, contentType, part.ContentRange(e.Length()), i == 0)
		length += int64(len(heads[i])) + part.Len()
	}
	h["Content-Type"] = []string{"multipart/byteranges; boundary=" + boundary}
	h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	x.head(http.StatusPartialContent)
	x.small = length <= slice
	for i, part := range parts {
		x.finish(x.sendStored([]byte(heads[i])))
		x.finish(e.Part(part, x.sendStored))
	}
	x.finish(x.sendStored([]byte(end)))
}

func partHead(boundary, contentType, contentRange string, first bool) string {
	s := "--" + boundary + "\r\n"
	if !first {
		s = "\r\n" + s
	}
	if contentType != "" {
		s += "Content-Type: " + contentType + "\r\n"
	}
	return s + "Content-Range: " + contentRange + "\r\n\r\n"
}
