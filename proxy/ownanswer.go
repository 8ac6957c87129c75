package proxy

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"time"

	"cacheproxy/policy"
)

// ownAnswer makes the answer to a request that failed: fields in the order of
// their names, and content. The outcome says why and whose fault it was; after
// is when the client may come again, 0 = not known.
func (c *Config) ownAnswer(o *Outcome, after time.Duration, asPage bool) (fields []Field, body []byte) {
	f := failures[o.Reason]
	body, kind := problem(f.status, o.Reason, o.RequestID), "application/problem+json"
	if asPage {
		body, kind = page(f.status, o.Reason, o.RequestID), "text/html; charset=utf-8"
	}
	if f.status == http.StatusMethodNotAllowed {
		fields = append(fields, Field{"Allow", Allowed})
	}
	fields = append(fields,
		Field{"Cache-Control", "no-store"},
		Field{"Content-Length", strconv.Itoa(len(body))},
		Field{"Content-Type", kind})
	if status := c.proxyStatus(o, f.error); status != "" {
		fields = append(fields, Field{"Proxy-Status", status})
	}
	if f.later {
		fields = append(fields, Field{"Retry-After", retryAfter(after)})
	}
	return append(fields, Field{"Via", "1.1 " + c.Token}, Field{"X-Request-Id", o.RequestID}), body
}

// retryAfter is a value of Retry-After: whole seconds, rounded up, at least one.
func retryAfter(after time.Duration) string {
	return strconv.FormatInt(max(1, int64((after+time.Second-1)/time.Second)), 10)
}

// proxyStatus writes our member of Proxy-Status (RFC 9209, 2), empty without an
// error. kind is its type when the origin's failure has none.
func (c *Config) proxyStatus(o *Outcome, kind string) string {
	if o.Error != "" {
		kind = o.Error
	}
	if kind == "" {
		return ""
	}
	b := append([]byte(c.Name), "; error="...)
	b = append(b, kind...)
	if o.Target != "" {
		b = append(appendQuoted(append(b, `; next-hop="`...), o.Target), '"')
	}
	if o.FwdStatus > 0 {
		b = strconv.AppendInt(append(b, "; received-status="...), int64(o.FwdStatus), 10)
	}
	return string(append(append(append(b, `; details="`...), o.Reason.String()...), '"'))
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
