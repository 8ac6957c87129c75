package revalidate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
	"cacheproxy/policy"
)

func TestFailureOf(t *testing.T) {
	for kind, want := range map[origin.Failure]policy.Reason{
		origin.Canceled:       policy.ClientGone,
		origin.DNS:            policy.OriginUnreachable,
		origin.Refused:        policy.OriginUnreachable,
		origin.Terminated:     policy.OriginUnreachable,
		origin.TLSCertificate: policy.OriginUnreachable,
		origin.Incomplete:     policy.OriginUnreachable,
		origin.DNSTimeout:     policy.OriginTimeout,
		origin.ConnectTimeout: policy.OriginTimeout,
		origin.Timeout:        policy.OriginTimeout,
		origin.ReadTimeout:    policy.OriginTimeout,
		origin.WriteTimeout:   policy.OriginTimeout,
		origin.Busy:           policy.OriginBusy,
		origin.Unavailable:    policy.OriginDown,
		origin.Invalid:        policy.OriginInvalid,
		origin.HeadTooLarge:   policy.OriginInvalid,
		origin.TransferCoding: policy.OriginInvalid,
	} {
		err := fmt.Errorf("while asking: %w", &origin.Error{Failure: kind, Target: "a:80", RetryAfter: time.Second, Err: errors.New("x")})
		f := failureOf(err)
		assert.Equal(t, want, f.Reason, kind.String())
		assert.Equal(t, Failure{Reason: want, Kind: kind, Target: "a:80", RetryAfter: time.Second, Err: err}, *f)
		assert.ErrorIs(t, f, err)
		if kind != origin.Canceled {
			assert.Equal(t, kind.String(), ErrorType(err))
		}
	}
	assert.Equal(t, policy.ClientGone, failureOf(context.Canceled).Reason)
	assert.Equal(t, policy.OriginTimeout, failureOf(context.DeadlineExceeded).Reason)
	assert.Empty(t, ErrorType(&origin.Error{Failure: origin.Canceled}), "we gave up ourselves")
	assert.Empty(t, ErrorType(errors.New("the client takes nothing")))
	assert.Empty(t, ErrorType(nil))
}

func TestTargetOf(t *testing.T) {
	for want, u := range map[string]*url.URL{
		"a.test:80": {Scheme: "http", Host: "a.test"}, "a.test:443": {Scheme: "https", Host: "a.test"},
		"a.test:8080": {Scheme: "https", Host: "a.test:8080"}, "[::1]:80": {Scheme: "http", Host: "[::1]"},
		"/run/app.sock": {Scheme: "http", Host: "/run/app.sock"}, "/run/a:1": {Scheme: "http", Host: "/run/a:1"},
		"": nil,
	} {
		assert.Equal(t, want, targetOf(&http.Response{Request: &http.Request{URL: u}}))
	}
}

// answering is an origin with one answer.
type answering struct {
	resp *http.Response
	err  error
}

func (answering) URL() *url.URL { return &url.URL{Scheme: "https", Host: "a.test"} }

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	resp := *a.resp
	resp.Request = r
	return &resp, nil
}

// What came of an exchange is counted, whoever asked for it; what cannot be the
// answer is a failure of which the status is known.
func TestExchangesAreCounted(t *testing.T) {
	f := New(Options{})
	defer f.Close()
	ask := func(a answering, header http.Header) error {
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "a.test", Path: "/"}, Header: header}
		resp, _, err := f.exchange(t.Context(), a, r, nil)
		if err == nil {
			assert.Equal(t, "a.test:443", targetOf(resp))
		}
		return err
	}
	answer := func(status int) answering {
		return answering{resp: &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}}
	}
	require.NoError(t, ask(answer(200), nil))
	require.NoError(t, ask(answer(503), nil))
	require.NoError(t, ask(answer(304), http.Header{"If-None-Match": {"x"}}))
	require.NoError(t, ask(answer(999), nil))
	require.Error(t, ask(answering{err: &origin.Error{Failure: origin.Refused}}, nil))
	require.Error(t, ask(answering{err: context.Canceled}, nil))
	var switched *Switched
	require.ErrorAs(t, ask(answer(101), http.Header{"Upgrade": {"x"}}), &switched)
	for status, text := range map[int]string{304: "not modified is no answer", 206: "a part was sent", 101: "not that of a final response", 42: "not that"} {
		err := ask(answer(status), http.Header{})
		require.ErrorContains(t, err, text)
		got := failureOf(err)
		assert.Equal(t, Failure{Reason: policy.OriginInvalid, Kind: origin.Invalid, Status: status, Target: "a.test:443", Err: err}, *got)
	}
	answers, failures := f.Exchanges()
	assert.Equal(t, map[int]int64{200: 1, 503: 1, 304: 2, 206: 1, 101: 2}, answers)
	assert.Equal(t, map[string]int64{"connection_refused": 1, "http_protocol_error": 4}, failures)
}
