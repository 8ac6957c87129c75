package proxy

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"

	"cacheproxy/policy"
)

// failures are the answers of our own: the status that tells the truth, and
// the error type of Proxy-Status (RFC 9209, 2.3).
var failures = map[policy.Reason]struct {
	status int
	error  string
}{
	policy.OnlyIfCached:      {http.StatusGatewayTimeout, ""},
	policy.MethodNotAllowed:  {http.StatusMethodNotAllowed, "http_request_denied"},
	policy.BadRequest:        {http.StatusBadRequest, "http_request_error"},
	policy.NoRoute:           {http.StatusMisdirectedRequest, "destination_not_found"},
	policy.Loop:              {http.StatusLoopDetected, "proxy_loop_detected"},
	policy.OriginUnreachable: {http.StatusBadGateway, "destination_unavailable"},
	policy.OriginTimeout:     {http.StatusGatewayTimeout, "http_response_timeout"},
	policy.OriginInvalid:     {http.StatusBadGateway, "http_protocol_error"},
}

// Allowed is the Allow field of a 405.
const Allowed = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"

// fail answers by ourselves. Such answers are never stored, and carry no
// Cache-Status since no cache had a part in them (RFC 9211, 2).
func (x *exchange) fail(why policy.Reason) {
	if why == policy.ClientGone {
		x.gone()
	}
	f := failures[why]
	x.o.Action, x.o.Reason, x.o.Status = policy.Fail, why, f.status
	x.closing()
	x.deadline()
	h := x.w.Header()
	h["Via"] = []string{"1.1 " + x.c.Token}
	h["X-Request-Id"] = []string{x.o.RequestID}
	h["Cache-Control"] = []string{"no-store"}
	if f.error != "" {
		h["Proxy-Status"] = []string{x.c.Name + "; error=" + f.error + "; details=" + why.String()}
	}
	if f.status == http.StatusMethodNotAllowed {
		h["Allow"] = []string{Allowed}
	}
	body := problem(f.status, why, x.o.RequestID)
	h["Content-Type"] = []string{"application/problem+json"}
	if prefersHTML(x.r.Header["Accept"]) {
		body = page(f.status, why, x.o.RequestID)
		h["Content-Type"] = []string{"text/html; charset=utf-8"}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.w.WriteHeader(f.status)
	if x.r.Method != http.MethodHead {
		n, _ := x.w.Write(body)
		x.o.Bytes = int64(n)
	}
}

// problem is the body of an error for programs (RFC 9457).
func problem(status int, why policy.Reason, id string) []byte {
	b, _ := json.Marshal(struct {
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail"`
		Reason    string `json:"reason"`
		RequestID string `json:"request_id"`
	}{http.StatusText(status), status, why.Info().Text, why.String(), id})
	return append(b, '\n')
}

// page is the body of an error for people.
func page(status int, why policy.Reason, id string) []byte {
	return fmt.Appendf(nil, "<!doctype html>\n<html lang=\"en\">\n<title>%d %s</title>\n<h1>%d %s</h1>\n<p>%s.</p>\n<p>Reason: %s. Request: %s</p>\n</html>\n",
		status, http.StatusText(status), status, http.StatusText(status),
		html.EscapeString(why.Info().Text), why, html.EscapeString(id))
}
