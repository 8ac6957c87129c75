package proxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"cacheproxy/policy"
)

// DebugField is the request field with which an operator asks for a trace: its
// value is Config.DebugToken. It is never passed on, and no part of anything that
// answers differ by.
const DebugField = "Cacheproxy-Debug"

// Bounds of what a response tells of a trace, since clients bound what they take.
const (
	mostTraceLine = 240
	mostTraceSize = 4 << 10
)

// wantsTrace reports whether a request carries the debug token. Digests are
// compared, which takes equally long whatever was sent.
func (c *Config) wantsTrace(h http.Header) bool {
	if c.DebugToken == "" {
		return false
	}
	sent := h[DebugField]
	if len(sent) != 1 {
		return false
	}
	got, want := sha256.Sum256([]byte(sent[0])), sha256.Sum256([]byte(c.DebugToken))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// traceLines are the steps of a trace as lines of a field. What finds no room is
// in the whole trace, which the admin side has under the request's id.
func traceLines(t *policy.Trace) []string {
	steps, _ := t.Steps()
	lines := make([]string, 0, len(steps))
	size := 0
	for _, s := range steps {
		line := visible(s.Code.Info().Stage.String()+": "+s.Sentence(), mostTraceLine)
		if size += len(line); size > mostTraceSize {
			return append(lines, "more: see /api/requests/ID of the admin side, with the X-Request-Id")
		}
		lines = append(lines, line)
	}
	return lines
}

// visible cuts a text, and replaces what a field had better not hold.
func visible(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	if len(s) > most {
		s = s[:most-3] + "..."
	}
	return s
}
