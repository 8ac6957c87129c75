package proxy

import "strings"

// Field is a line of a request's header.
type Field struct{ Name, Value string }

// Head is the head of a GET or HEAD without content, in the words of its
// sender: nothing is copied or decoded. Its strings may lie in a buffer that is
// used again, so they are valid during a call only.
type Head struct {
	Method string // GET or HEAD
	Host   string // without user information
	Target string // path and query, valid as they are (RFC 9112, 3.2.1)
	Proto  string // "HTTP/1.1" or "HTTP/2.0"
	Remote string // address and port of the peer
	TLS    bool
	Fields []Field // names in any case; values without white space around them

	lines []string // that Values returned
	asked bool     // Values was asked for cookies
}

// Values returns the lines of a field. They stay valid while the head does.
func (h *Head) Values(name string) []string {
	if name == "Cookie" {
		h.asked = true
	}
	first := len(h.lines)
	for i := range h.Fields {
		if f := &h.Fields[i]; len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			h.lines = append(h.lines, f.Value)
		}
	}
	return h.lines[first:len(h.lines):len(h.lines)]
}

// value returns the first line of a field.
func (h *Head) value(name string) string {
	for i := range h.Fields {
		if f := &h.Fields[i]; len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// unplain are the fields with which a request is not for [Proxy.Hit]: those
// that tell of loops, ask for a part or another protocol, or mean Cache-Control,
// by which the answer may vary, and the one that asks for a trace.
var unplain = [...]string{"Via", "Cdn-Loop", "Range", "Expect", "Upgrade", "Pragma", DebugField}

// byProxies are fields that count when the peer is trusted.
var byProxies = [...]string{"X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id"}

// plain reports whether a head says nothing but what Hit reads.
func (h *Head) plain(trusting bool) bool {
	for i := range h.Fields {
		name := h.Fields[i].Name
		for _, other := range unplain {
			if len(name) == len(other) && strings.EqualFold(name, other) {
				return false
			}
		}
		if !trusting {
			continue
		}
		for _, other := range byProxies {
			if len(name) == len(other) && strings.EqualFold(name, other) {
				return false
			}
		}
	}
	return true
}
