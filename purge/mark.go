package purge

import (
	"strings"
	"time"

	"cacheproxy/policy"
)

// Kind says how the value of a mark is meant.
type Kind uint8

// The kinds. Keys are those of [policy.Key]: scheme://host/path?query, with the host
// in small letters and without the default port, and path and query as they were
// sent.
const (
	URL        Kind = iota // a key: all variants stored under it
	Tag                    // a tag, in exactly these letters
	Group                  // a cache group of Origin (RFC 9875)
	Host                   // a host, of either scheme; without a port, whatever the port is
	Prefix                 // the beginning of a key, of its host/path?query where there is no scheme
	Glob                   // a [policy.Glob] for a key, or for its host/path?query where there is no scheme
	Everything             // no value
)

func (k Kind) String() string {
	return [...]string{"url", "tag", "group", "host", "prefix", "glob", "everything"}[k]
}

// Mark makes stored responses dead or stale.
type Mark struct {
	Kind   Kind
	Value  string
	Origin string // of a Group: scheme://host, as keys begin
	Soft   bool   // stale from Time on, rather than dead
	Time   time.Time
}

// String tells what the mark is for.
func (m *Mark) String() string {
	s := strings.TrimSpace(m.Kind.String() + " " + m.Value)
	if m.Kind == Group {
		s += " of " + m.Origin
	}
	if m.Soft {
		s += " (soft)"
	}
	return s
}

// hits reports whether a mark of a kind that is compared with keys hits one.
func (m *Mark) hits(key string) bool {
	if m.Kind == Everything {
		return true
	}
	if !strings.Contains(m.Value, "://") {
		_, key = splitKey(key)
	}
	if m.Kind == Prefix {
		return strings.HasPrefix(key, m.Value)
	}
	return policy.Glob(m.Value).Match(key)
}

// Reaches reports whether responses of a key may be hit by a mark: of tags it is not
// known.
func (m *Mark) Reaches(key string) bool {
	origin, host := splitHost(key)
	switch m.Kind {
	case URL:
		return m.Value == key
	case Tag:
		return true
	case Group:
		return m.Origin == origin
	case Host:
		return m.Value == host || m.Value == withoutPort(host)
	}
	return m.hits(key)
}

// splitKey splits a key after the "://" of its scheme.
func splitKey(key string) (scheme, rest string) {
	i := strings.Index(key, "://")
	if i < 0 {
		return "", key
	}
	i += len("://")
	return key[:i], key[i:]
}

// splitHost returns the scheme://host of a key, and the host.
func splitHost(key string) (origin, host string) {
	scheme, rest := splitKey(key)
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest = rest[:i]
	}
	return key[:len(scheme)+len(rest)], rest
}

func withoutPort(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		return host[:i]
	}
	return host
}
