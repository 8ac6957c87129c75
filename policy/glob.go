package policy

// Glob is a pattern: * stands for any run of characters, ? for one byte.
type Glob string

// Match reports whether the whole of s fits the pattern.
func (g Glob) Match(s string) bool {
	// The usual two-pointer walk: on a mismatch the last star takes one more.
	gi, si, star, mark := 0, 0, -1, 0
	for si < len(s) {
		switch {
		case gi < len(g) && g[gi] == '*':
			star, mark = gi, si
			gi++
		case gi < len(g) && (g[gi] == '?' || g[gi] == s[si]):
			gi++
			si++
		case star >= 0:
			mark++
			gi, si = star+1, mark
		default:
			return false
		}
	}
	for gi < len(g) && g[gi] == '*' {
		gi++
	}
	return gi == len(g)
}
