package revalidate

import (
	"context"
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
	if interim != nil {
		var mu sync.Mutex
		over, count := false, 0
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			over = true
		}()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				header := http.Header(h).Clone()
				policy.RemoveHopByHop(header)
				mu.Lock() // the connection may still read when the client has left
				defer mu.Unlock()
				if count++; count > mostInterims {
					return fmt.Errorf("more than %d interim responses", mostInterims)
				}
				if !over {
					interim(code, header)
				}
				return nil
			},
		})
	}
	t := policy.Times{Requested: time.Now()}
	resp, err := o.RoundTrip(r.WithContext(ctx))
	t.Received = time.Now()
	if err != nil {
		return nil, t, err
	}
	if resp.StatusCode < 200 { // 101 was not asked for, and there is nothing below 100
		resp.Body.Close()
		return nil, t, fmt.Errorf("status %d is not that of a final response", resp.StatusCode)
	}
	clean(resp, t.Received)
	return resp, t, nil
}

// clean brings a response into the form that is judged and passed on.
func clean(resp *http.Response, received time.Time) {
	// A response to HEAD, and a 304, may carry the length of what a GET gets.
	if resp.ContentLength >= 0 && resp.Header.Get("Content-Length") == "" && resp.Request.Method != http.MethodHead &&
		resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusNotModified && len(resp.TransferEncoding) == 0 {
		resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	}
	policy.RemoveHopByHop(resp.Header)
	if resp.Header.Get("Date") == "" { // RFC 9110, 6.6.1
		resp.Header.Set("Date", received.UTC().Format(http.TimeFormat))
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
