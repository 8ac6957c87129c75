package proxy

import (
	"net/http"
	"time"

	"cacheproxy/policy"
)

// Refusal is a request that the server turns down before there is an
// [http.Request]: its head is broken, or goes beyond a limit. What is not known
// of it is empty. Its strings need be valid during the call only.
type Refusal struct {
	Reason     policy.Reason // of those that the proxy answers by itself
	Remote     string        // address and port of the peer
	Method     string
	Host       string
	URI        string
	Proto      string
	Head       bool          // it was a HEAD: the answer has no content
	Close      bool          // the connection ends with the answer; for some reasons it always does
	RetryAfter time.Duration // rounded up to seconds; 0 = not known. Only where the client may come again
	Start      time.Time     // when the request began; zero = now
}

// Refuse appends the whole answer to a refused request, as HTTP/1.1 sends it, and
// reports the outcome. A reason without an answer of its own counts as
// [policy.BadRequest].
func (p *Proxy) Refuse(dst []byte, q Refusal) []byte {
	c := p.config.Load()
	now := time.Now()
	if _, known := failures[q.Reason]; !known {
		q.Reason = policy.BadRequest
	}
	if q.Start.IsZero() {
		q.Start = now
	}
	f := failures[q.Reason]
	o := Outcome{
		Action: policy.Fail, Reason: q.Reason, Status: f.status,
		Method: q.Method, Host: q.Host, URI: q.URI, Proto: q.Proto, Remote: q.Remote,
		RequestID: randomID(), Start: q.Start, Duration: now.Sub(q.Start),
	}
	fields, body := c.ownAnswer(&o, q.RetryAfter, false)
	dst = AppendStatusLine(dst, f.status)
	for _, field := range fields {
		dst = AppendField(dst, field.Name, field.Value)
	}
	dst = AppendField(dst, "Date", now.UTC().Format(http.TimeFormat))
	if q.Close || f.close {
		dst = AppendField(dst, "Connection", "close")
	}
	dst = append(dst, "\r\n"...)
	if !q.Head {
		dst = append(dst, body...)
		o.Bytes = int64(len(body))
	}
	p.observe(&o)
	return dst
}
