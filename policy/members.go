package policy

import (
	"strings"
	"time"
)

// members calls fn with every non-empty member of a comma-separated field,
// over all its lines, trimmed of white space. Commas in quoted strings do not
// separate (RFC 9110, 5.6.1 and 5.6.4). An unclosed quote runs to the end of
// its line. fn returns false to stop.
func members(lines []string, fn func(string) bool) {
	for _, line := range lines {
		for line != "" {
			end := memberEnd(line)
			if m := trim(line[:end]); m != "" && !fn(m) {
				return
			}
			if end == len(line) {
				break
			}
			line = line[end+1:]
		}
	}
}

// memberEnd returns the index of the first comma outside quotes, or the length.
func memberEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return i
		}
	}
	return len(s)
}

// trim removes optional white space (RFC 9110, 5.6.3).
func trim(s string) string { return strings.Trim(s, " \t") }

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s string) bool { return s != "" && strings.IndexFunc(s, notInToken) < 0 }

func notInToken(c rune) bool {
	alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	return !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

// isQuoted reports whether s is one quoted string (RFC 9110, 5.6.4).
func isQuoted(s string) bool {
	if s == "" || s[0] != '"' {
		return false
	}
	end := 1
	for ; end < len(s) && s[end] != '"'; end++ {
		if s[end] == '\\' {
			end++
		}
	}
	return end == len(s)-1
}

// forever bounds every age and lifetime, so that sums of a few of them cannot
// overflow (RFC 9111, 1.2.2).
const forever = 1 << 31 * time.Second

// deltaSeconds parses a non-negative integer of seconds; what is larger than
// 2^31 counts as 2^31 (RFC 9111, 1.2.2).
func deltaSeconds(s string) (int64, bool) {
	const most = int64(forever / time.Second)
	if s == "" {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n = n*10 + int64(s[i]-'0'); n > most {
			n = most
		}
	}
	return n, true
}
