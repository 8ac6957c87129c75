package load

import "strings"

// lastMember returns the last member of a structured list, which in Cache-Status
// is the cache that is closest to the client (RFC 9211, 2). Quoted strings may
// hold commas.
func lastMember(list string) string {
	from, quoted := 0, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			from = i + 1
		}
	}
	return strings.Trim(list[from:], " \t")
}

// cutParameter takes the next parameter off the rest of a member. A value
// without quotes is returned as it stands; what is in quotes matters to nobody
// here, and is returned with them.
func cutParameter(s string) (name, value, rest string) {
	end, quoted := len(s), false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			end = i
		}
		if end < len(s) {
			rest = s[end+1:]
			break
		}
	}
	name, value, _ = strings.Cut(s[:end], "=")
	return strings.Trim(name, " "), strings.Trim(value, " "), rest
}

// judgeCacheStatus reads a Cache-Status field: a hit, or where and why the
// request was forwarded.
func judgeCacheStatus(field string) Result {
	_, _, rest := cutParameter(lastMember(field))
	var hit, forwarded, stale, collapsed, bypassed, unchanged bool
	for rest != "" {
		var name, value string
		name, value, rest = cutParameter(rest)
		switch name {
		case "hit":
			hit = value == "" || value == "?1"
		case "ttl":
			stale = strings.HasPrefix(value, "-")
		case "collapsed":
			collapsed = value == "" || value == "?1"
		case "fwd":
			forwarded = true
			bypassed = value == "bypass" || value == "method"
		case "fwd-status":
			unchanged = value == "304"
		}
	}
	switch {
	case hit && stale:
		return Stale
	case hit:
		return Hit
	case !forwarded:
		return Unknown
	case bypassed:
		return Bypass
	case collapsed:
		return Collapsed
	case unchanged:
		return Revalidated
	}
	return Miss
}
