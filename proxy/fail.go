package proxy

import (
	"net/http"
	"time"

	"cacheproxy/policy"
	"cacheproxy/revalidate"
)

// failure is an answer of our own.
type failure struct {
	status int    // that tells the truth
	error  string // type in Proxy-Status (RFC 9209, 2.3); an origin's failure has a finer one
	later  bool   // the client may come again: Retry-After (RFC 9110, 10.2.3)
	close  bool   // nothing more is read from the client
}

var failures = map[policy.Reason]failure{
	policy.OnlyIfCached:        {status: http.StatusGatewayTimeout},
	policy.MethodNotAllowed:    {status: http.StatusMethodNotAllowed, error: "http_request_denied"},
	policy.BadRequest:          {status: http.StatusBadRequest, error: "http_request_error"},
	policy.RequestTimeout:      {status: http.StatusRequestTimeout, error: "http_request_error", close: true},
	policy.ContentTooLarge:     {status: http.StatusRequestEntityTooLarge, error: "http_request_denied"},
	policy.URITooLong:          {status: http.StatusRequestURITooLong, error: "http_request_denied"},
	policy.HeaderTooLarge:      {status: http.StatusRequestHeaderFieldsTooLarge, error: "http_request_denied"},
	policy.TooManyRequests:     {status: http.StatusTooManyRequests, error: "http_request_denied", later: true},
	policy.TooManyConnections:  {status: http.StatusServiceUnavailable, error: "connection_limit_reached", later: true, close: true},
	policy.NotImplemented:      {status: http.StatusNotImplemented, error: "http_request_error"},
	policy.VersionNotSupported: {status: http.StatusHTTPVersionNotSupported, error: "http_request_error"},
	policy.NoRoute:             {status: http.StatusMisdirectedRequest, error: "destination_not_found"},
	policy.Loop:                {status: http.StatusLoopDetected, error: "proxy_loop_detected"},
	policy.Overloaded:          {status: http.StatusServiceUnavailable, error: "connection_limit_reached", later: true},
	policy.OriginBusy:          {status: http.StatusServiceUnavailable, error: "connection_limit_reached", later: true},
	policy.OriginDown:          {status: http.StatusServiceUnavailable, error: "destination_unavailable", later: true},
	policy.OriginUnreachable:   {status: http.StatusBadGateway, error: "connection_terminated"},
	policy.OriginTimeout:       {status: http.StatusGatewayTimeout, error: "http_response_timeout"},
	policy.PurgeForbidden:      {status: http.StatusForbidden, error: "http_request_denied"},
	policy.OriginInvalid:       {status: http.StatusBadGateway, error: "http_protocol_error"},
}

// Allowed is the Allow field of a 405.
const Allowed = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"

// failOrigin answers for an origin that failed.
func (x *exchange) failOrigin(f *revalidate.Failure) {
	why := f.Reason
	if why == policy.StaleIfError { // the time in which the stale response might stand in is just over
		why = policy.OriginInvalid
	}
	x.failLater(why, f.RetryAfter)
}

// fail answers by ourselves.
func (x *exchange) fail(why policy.Reason) { x.failLater(why, 0) }

// failLater is fail with the time after which the client may come again, if it
// is known. Such answers are never stored, and carry no Cache-Status since no
// cache had a part in them (RFC 9211, 2).
func (x *exchange) failLater(why policy.Reason, after time.Duration) {
	if why == policy.ClientGone {
		x.gone()
	}
	f := failures[why]
	x.o.Action, x.o.Reason, x.o.Status = policy.Fail, why, f.status
	x.closing()
	x.deadline()
	h := x.w.Header()
	if f.close && x.r.ProtoMajor == 1 {
		h["Connection"] = []string{"close"}
	}
	fields, body := x.c.ownAnswer(&x.o, after, prefersHTML(x.r.Header["Accept"]))
	for _, f := range fields {
		h[f.Name] = []string{f.Value}
	}
	if x.o.Trace != nil {
		x.traceAnswer(h)
	}
	x.w.WriteHeader(f.status)
	if x.r.Method != http.MethodHead {
		n, _ := x.w.Write(body)
		x.o.Bytes = int64(n)
	}
}
