package proxy

import (
	"net/http"
	"strconv"

	"cacheproxy/policy"
)

// lastHop reports whether an OPTIONS may not be forwarded any further, and
// otherwise counts this hop (RFC 9110, 7.6.2).
func (x *exchange) lastHop() bool {
	lines := x.r.Header["Max-Forwards"]
	if x.r.Method != http.MethodOptions || len(lines) != 1 {
		return false
	}
	n, err := strconv.ParseUint(lines[0], 10, 63)
	if err != nil { // not a number: of no meaning
		return false
	}
	if n == 0 {
		return true
	}
	x.r.Header["Max-Forwards"] = []string{strconv.FormatUint(n-1, 10)}
	return false
}

// answerOptions answers an OPTIONS as its final recipient.
func (x *exchange) answerOptions() {
	x.o.Action, x.o.Reason, x.o.Status = policy.Fail, policy.Method, http.StatusNoContent
	h := x.w.Header()
	h["Allow"] = []string{Allowed}
	h["Via"] = []string{"1.1 " + x.c.Token}
	h["X-Request-Id"] = []string{x.o.RequestID}
	x.w.WriteHeader(http.StatusNoContent)
}
