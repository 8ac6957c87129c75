package proxy

import "strings"

// via is a member of Via (RFC 9110, 7.6.3).
func via(major, minor int, token string) string {
	switch {
	case major == 1 && minor == 0:
		return "1.0 " + token
	case major >= 2:
		return string(rune('0'+major)) + ".0 " + token
	}
	return "1.1 " + token
}

// looped reports whether the request has been here before (RFC 8586, 2).
func (x *exchange) looped() bool {
	for _, line := range x.r.Header["Cdn-Loop"] {
		for m := range strings.SplitSeq(line, ",") {
			id, _, _ := strings.Cut(m, ";")
			if strings.TrimSpace(id) == x.c.Token {
				return true
			}
		}
	}
	for _, line := range x.r.Header["Via"] {
		for m := range strings.SplitSeq(line, ",") {
			if f := strings.Fields(m); len(f) >= 2 && f[1] == x.c.Token {
				return true
			}
		}
	}
	return false
}
