package policy

import (
	"strings"
	"time"
)

// weak reports whether an entity tag is weak (RFC 9110, 8.8.3).
func weak(etag string) bool { return strings.HasPrefix(etag, "W/") }

// strongEqual and weakEqual compare entity tags (RFC 9110, 8.8.3.2).
func strongEqual(a, b string) bool { return a == b && a != "" && !weak(a) }

func weakEqual(a, b string) bool {
	return a != "" && b != "" && strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

// NotModified reports whether a client's own condition makes the answer a 304
// (RFC 9111, 4.3.2; RFC 9110, 13.2.2). Conditions count only where the answer
// would be a success, and If-None-Match makes If-Modified-Since void.
func NotModified(rq *Request, s *Stored) bool {
	if s.Status < 200 || s.Status > 299 {
		return false
	}
	if lines := values(rq.Fields, "If-None-Match"); len(lines) > 0 {
		return matchesAny(lines, s.ETag)
	}
	since := values(rq.Fields, "If-Modified-Since")
	if len(since) != 1 {
		return false
	}
	t, ok := parseDate(since[0])
	return ok && !s.modified().After(t)
}

// Demanding reports whether a request has conditions, or asks for a range: then
// the answer may be another than the response.
func (r *Request) Demanding() bool {
	return r.Range != "" || len(values(r.Fields, "If-None-Match")) > 0 || len(values(r.Fields, "If-Modified-Since")) > 0
}

// modified is the date that If-Modified-Since is compared with: without a
// Last-Modified it is the Date (RFC 9111, 4.3.2).
func (s *Stored) modified() time.Time {
	if s.LastModified.IsZero() {
		return s.Date.Truncate(time.Second)
	}
	return s.LastModified
}

// matchesAny compares an entity tag with the members of If-None-Match.
func matchesAny(lines []string, etag string) bool {
	found := false
	members(lines, func(m string) bool {
		found = m == "*" || weakEqual(m, etag)
		return !found
	})
	return found
}

// ifRange reports whether a Range applies: there is no If-Range, or it names
// the stored representation by strong comparison (RFC 9110, 13.1.5).
func ifRange(field string, s *Stored) bool {
	field = trim(field)
	if field == "" {
		return true
	}
	if strings.HasPrefix(field, `"`) || weak(field) {
		return strongEqual(field, s.ETag)
	}
	t, ok := parseDate(field)
	return ok && !s.LastModified.IsZero() && t.Equal(s.LastModified) && strongDate(s)
}
