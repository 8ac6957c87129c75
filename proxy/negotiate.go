package proxy

import (
	"strconv"
	"strings"
)

// prefersHTML reports whether Accept asks for a page rather than for JSON:
// with more weight, or with equal weight and earlier (RFC 9110, 12.5.1).
func prefersHTML(accept []string) bool {
	html, htmlAt := weight(accept, "text/html")
	for _, t := range []string{"application/json", "application/problem+json"} {
		if q, at := weight(accept, t); q > html || q == html && at <= htmlAt {
			return false
		}
	}
	return html > 0
}

// weight returns the weight of a media type, and which member of Accept gives
// it: the most specific that matches.
func weight(accept []string, mediaType string) (q float64, at int) {
	kind, _, _ := strings.Cut(mediaType, "/")
	specific := 0
	i := 0
	for _, line := range accept {
		for m := range strings.SplitSeq(line, ",") {
			i++
			name, params, _ := strings.Cut(m, ";")
			rank := 0
			switch strings.ToLower(strings.TrimSpace(name)) {
			case mediaType:
				rank = 3
			case kind + "/*":
				rank = 2
			case "*/*":
				rank = 1
			}
			if rank > specific {
				specific, q, at = rank, quality(params), i
			}
		}
	}
	return q, at
}

// quality reads the weight of a member; 1 without, 0 if it is invalid.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
