package revalidate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"sync"
	"time"

	"cacheproxy/origin"
	"cacheproxy/policy"
)

// mostInterims bounds the 1xx responses to one request.
const mostInterims = 32

// exchange sends a request and waits for the response head. Interim responses
// are handed to interim as they come, and not any more once it returns.
func exchange(ctx context.Context, o Origin, r *http.Request, interim func(int, http.Header)) (*http.Response, policy.Times, error) {
	l := &listener{Context: ctx, tell: interim}
	defer l.leave()
	l.request = *r.WithContext(l)
	t := policy.Times{Requested: time.Now()}
	resp, err := o.RoundTrip(&l.request)
	t.Received = time.Now()
	if err != nil {
		return nil, t, err
	}
	if err := suits(resp, r.Header); err != nil {
		resp.Body.Close()
		return nil, t, err
	}
	clean(resp, t.Received)
	return resp, t, nil
}

// suits refuses a response that cannot be the answer to what was sent: a client
// would take it for something that it is not.
func suits(resp *http.Response, sent http.Header) error {
	switch {
	case resp.StatusCode < 200: // 101 was not asked for, and there is nothing below 100
		return fmt.Errorf("status %d is not that of a final response", resp.StatusCode)
	case resp.StatusCode == http.StatusPartialContent && len(sent["Range"]) == 0: // RFC 9110, 15.3.7
		return errors.New("status 206 to a request without Range")
	case resp.StatusCode == http.StatusNotModified && len(sent["If-None-Match"]) == 0 && len(sent["If-Modified-Since"]) == 0: // RFC 9110, 15.4.5
		return errors.New("status 304 to a request without conditions")
	}
	return nil
}

// listener is the context of an exchange of which somebody may hear the interim
// responses. The trace that brings them is made when it is asked for, since few
// origins send any.
type listener struct {
	context.Context
	request http.Request // with this context

	mu    sync.Mutex
	tell  func(status int, h http.Header) // nil: nobody listens, or not any more
	count int
}

// Value returns what a context with the trace would.
func (l *listener) Value(key any) any {
	trace := &httptrace.ClientTrace{Got1xxResponse: l.heard}
	return httptrace.WithClientTrace(l.Context, trace).Value(key)
}

func (l *listener) AfterFunc(f func()) (stop func() bool) { return afterFunc(l.Context, f) }

func (l *listener) heard(status int, h textproto.MIMEHeader) error {
	header := http.Header(h).Clone()
	policy.RemoveHopByHop(header)
	l.mu.Lock() // the connection may still read when the client has left
	defer l.mu.Unlock()
	if l.count++; l.count > mostInterims {
		return fmt.Errorf("more than %d interim responses", mostInterims)
	}
	if l.tell != nil {
		l.tell(status, header)
	}
	return nil
}

// leave ends listening.
func (l *listener) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell = nil
}

// clean brings a response into the form that is judged and passed on.
func clean(resp *http.Response, received time.Time) {
	// A response to HEAD, and a 304, may carry the length of what a GET gets.
	h := resp.Header
	if resp.ContentLength >= 0 && len(h["Content-Length"]) == 0 && resp.Request.Method != http.MethodHead &&
		resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusNotModified && len(resp.TransferEncoding) == 0 {
		h["Content-Length"] = []string{strconv.FormatInt(resp.ContentLength, 10)}
	}
	policy.RemoveHopByHop(h)
	if h.Get("Date") == "" { // RFC 9110, 6.6.1
		h["Date"] = []string{received.UTC().Format(http.TimeFormat)}
	}
}

// failureOf turns an error of an exchange into what a client is told.
func failureOf(err error) *Failure {
	reason := policy.OriginInvalid
	switch origin.Classify(err) {
	case origin.Unreachable:
		reason = policy.OriginUnreachable
	case origin.Timeout:
		reason = policy.OriginTimeout
	case origin.Canceled:
		reason = policy.ClientGone
	}
	return &Failure{Reason: reason, Err: err}
}

// FailureReason names the reason behind an error of an origin.
func FailureReason(err error) policy.Reason { return failureOf(err).Reason }
