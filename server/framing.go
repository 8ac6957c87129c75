package server

import (
	"strings"

	"golang.org/x/net/http/httpguts"

	"cacheproxy/policy"
)

// framing reads a field that may decide about what follows the head, or about
// the protocol. It reports whether it is such a one, and why it is not accepted.
func (r *request) framing(name, value string) (bool, policy.Reason) {
	switch len(name) {
	case len("Expect"):
		return strings.EqualFold(name, "Expect"), policy.ReasonNone
	case len("Trailer"):
		if strings.EqualFold(name, "Trailer") {
			return true, trailer(value)
		}
		return strings.EqualFold(name, "Upgrade"), policy.ReasonNone
	case len("Content-Length"):
		if strings.EqualFold(name, "Content-Length") {
			return true, r.contentLength(value)
		}
		return strings.EqualFold(name, "Http2-Settings"), policy.ReasonNone
	case len("Transfer-Encoding"):
		if strings.EqualFold(name, "Transfer-Encoding") {
			return true, r.transferEncoding(value)
		}
	}
	return false, policy.ReasonNone
}

// maxLength is the longest content, in bytes, so that sums with it stay in range.
const maxLength = 1 << 62

// contentLength reads the length of the content. A second one is refused even when
// it is equal, as RFC 9112, 6.3, lets a recipient do.
func (r *request) contentLength(value string) policy.Reason {
	if r.sized || value == "" {
		return policy.BadRequest
	}
	r.sized = true
	for i := 0; i < len(value); i++ {
		if !isDigit(value[i]) {
			return policy.BadRequest
		}
		if r.length = 10*r.length + int64(value[i]-'0'); r.length > maxLength/10 && i < len(value)-1 || r.length > maxLength {
			return policy.BadRequest
		}
	}
	return policy.ReasonNone
}

// transferEncoding accepts chunked alone. Another coding before it is one that we
// do not know (RFC 9112, 6.1); without chunked at the end, or with it elsewhere,
// nobody knows where the content ends (6.3).
func (r *request) transferEncoding(value string) policy.Reason {
	if r.coded {
		return policy.BadRequest
	}
	r.coded, r.chunked = true, true
	if strings.EqualFold(value, "chunked") {
		return policy.ReasonNone
	}
	before, last, found := cutLast(value)
	if !found || !strings.EqualFold(last, "chunked") {
		return policy.BadRequest
	}
	for coding := range strings.SplitSeq(before, ",") {
		coding = strings.Trim(coding, " \t")
		if !httpguts.ValidHeaderFieldName(coding) || strings.EqualFold(coding, "chunked") || strings.EqualFold(coding, "identity") {
			return policy.BadRequest
		}
	}
	return policy.NotImplemented
}

// cutLast cuts the last member off a list.
func cutLast(list string) (before, last string, found bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], strings.Trim(list[i+1:], " \t"), true
}

// trailer refuses to be told of fields after the content that frame it.
func trailer(value string) policy.Reason {
	for name := range strings.SplitSeq(value, ",") {
		switch name = strings.Trim(name, " \t"); {
		case strings.EqualFold(name, "Content-Length"), strings.EqualFold(name, "Transfer-Encoding"), strings.EqualFold(name, "Trailer"):
			return policy.BadRequest
		}
	}
	return policy.ReasonNone
}
