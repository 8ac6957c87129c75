package proxy

import (
	"net/http"
	"slices"
	"strings"

	"cacheproxy/policy"
)

// dropCookies removes the cookies that a rule ignores from a request.
func dropCookies(h http.Header, ignore []policy.Glob) {
	if len(ignore) == 0 || len(h["Cookie"]) == 0 {
		return
	}
	var kept []string
	for _, line := range h["Cookie"] {
		for c := range strings.SplitSeq(line, ";") {
			c = strings.TrimSpace(c)
			name, _, _ := strings.Cut(c, "=")
			if c != "" && !slices.ContainsFunc(ignore, func(g policy.Glob) bool { return g.Match(name) }) {
				kept = append(kept, c)
			}
		}
	}
	delete(h, "Cookie")
	if len(kept) > 0 {
		h["Cookie"] = []string{strings.Join(kept, "; ")}
	}
}
