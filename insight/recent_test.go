package insight

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

func TestARequestIsKeptInFull(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		o := miss()
		o.Start, o.Target, o.Refused, o.HasTTL, o.TTL = time.Now(), "10.0.0.7:80", policy.SetCookie, true, 90*time.Second
		in.Observe(o)
		*o = proxy.Outcome{} // it is the caller's again
		all := in.Requests(Filter{Limit: 10})
		require.Len(t, all, 1)
		ttl := 90.
		assert.Equal(t, Request{
			ID: "000000000001", RequestID: "4bf92f35", Time: time.Now(), Method: "GET", Host: "example.com", URI: "/a?b=c", Proto: "HTTP/1.1",
			Remote: "192.0.2.7:41000", Route: "site", Target: "10.0.0.7:80", Key: "http://example.com/a?b=c",
			Status: 200, FwdStatus: 200, Action: "fetch", Reason: "uri-miss", Text: policy.URIMiss.Info().Text, Clause: policy.URIMiss.Info().Clause,
			Refused: "set-cookie", RefusedText: policy.SetCookie.Info().Text, Stored: true, TTL: &ttl,
			Bytes: 1024, Duration: 80, Origin: 60,
		}, all[0])
		for _, id := range []string{"000000000001", "4bf92f35"} {
			one, ok := in.Request(id)
			assert.True(t, ok)
			assert.Equal(t, all[0], one)
		}
		_, ok := in.Request("")
		assert.False(t, ok)
	})
}

// A request in the ring has a bounded size, however much was recorded of it.
func TestNoTraceIsKept(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		in.Observe(with(miss(), func(o *proxy.Outcome) { o.Trace, o.Spans = new(policy.Trace), new(proxy.Spans) }))
		in.recent.each(func(_ uint64, o *proxy.Outcome) {
			assert.Nil(t, o.Trace)
			assert.Nil(t, o.Spans)
		})
		require.Len(t, in.Requests(Filter{Limit: 10}), 1)
	})
}

func TestFilter(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		in.Observe(hit())
		in.Observe(with(miss(), func(o *proxy.Outcome) { o.URI, o.Refused = "/private", policy.Private }))
		in.Observe(with(miss(), func(o *proxy.Outcome) { o.URI, o.Status, o.FwdStatus = "/Broken", 503, 503 }))
		in.Observe(with(miss(), func(o *proxy.Outcome) { o.URI, o.Host, o.Status = "/other", "OTHER.example", 404 }))
		in.Observe(with(miss(), func(o *proxy.Outcome) { o.URI, o.Status, o.Remote = "/gone", 499, "[2001:db8::1]:7" }))
		in.Observe(with(hit(), func(o *proxy.Outcome) { o.URI, o.Host = "/port", "with.example:8080" }))
		in.Observe(with(hit(), func(o *proxy.Outcome) { o.URI, o.Host = "/address", "[fd00::2]" }))
		for _, tc := range []struct {
			filter Filter
			want   []string
		}{
			{Filter{}, []string{"/address", "/port", "/gone", "/other", "/Broken", "/private", "/a?b=c"}},
			{Filter{Reason: "fresh"}, []string{"/address", "/port", "/a?b=c"}},
			{Filter{Reason: "private"}, []string{"/private"}},
			{Filter{Reason: "uri-miss", Status: "5xx"}, []string{"/Broken"}},
			{Filter{Status: "503"}, []string{"/Broken"}},
			{Filter{Status: "other"}, []string{"/gone"}},
			{Filter{Status: "4xx"}, []string{"/other"}},
			{Filter{Host: "other.EXAMPLE"}, []string{"/other"}},
			{Filter{Host: "with.example"}, []string{"/port"}},
			{Filter{Host: "with.example:8080"}, []string{"/port"}},
			{Filter{Host: "with"}, nil},
			{Filter{Host: "[fd00::2]"}, []string{"/address"}},
			{Filter{Text: "broken"}, []string{"/Broken"}},
			{Filter{Text: "example.com/priv"}, []string{"/private"}},
			{Filter{Text: "2001:DB8"}, []string{"/gone"}},
			{Filter{Text: "4bf9"}, []string{"/gone", "/other", "/Broken", "/private"}},
			{Filter{Text: "nothing"}, nil},
			{Filter{Reason: "none"}, nil},
		} {
			tc.filter.Limit = 100
			var got []string
			for _, r := range in.Requests(tc.filter) {
				got = append(got, r.URI)
			}
			assert.Equal(t, tc.want, got, "%+v", tc.filter)
		}
		assert.Len(t, in.Requests(Filter{Limit: 2}), 2)
		assert.Len(t, in.Requests(Filter{}), 1, "a limit below 1 is 1")
	})
}

// When it is busy, hits do not push out what matters more.
func TestBusyRequestsAreSampled(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		for second := range 30 {
			for i := range 5000 {
				in.Observe(at(hit(), fmt.Sprint("/hit", i)))
			}
			for i := range 30 {
				in.Observe(at(miss(), fmt.Sprint("/miss", i)))
			}
			in.Observe(at(failed(), fmt.Sprint("/failed", second)))
			wait(time.Second)
		}
		assert.Len(t, in.Requests(Filter{Reason: "fresh", Limit: 1000}), 400, "a thousand of 20 hits and 30 misses a second")
		assert.Len(t, in.Requests(Filter{Status: "5xx", Limit: 1000}), 30, "all that failed are there")
	})
}

// Who asks for a trace finds it, however busy it is.
func TestTracedRequestsAreKept(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		for range 5 {
			for range 5000 {
				in.Observe(hit())
			}
			wait(time.Second)
		}
		for range 5000 {
			in.Observe(hit())
		}
		for i := range 10 {
			in.Observe(with(hit(), func(o *proxy.Outcome) { o.RequestID, o.Trace = fmt.Sprint("traced", i), new(policy.Trace) }))
		}
		for i := range 10 {
			_, ok := in.Request(fmt.Sprint("traced", i))
			assert.True(t, ok, i)
		}
	})
}

func TestTextsAreCut(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, in *Insight) {
		in.Observe(with(hit(), func(o *proxy.Outcome) { o.URI = "/" + strings.Repeat("x", 1<<16); o.Key = o.URI }))
		all := in.Requests(Filter{Limit: 1})
		require.Len(t, all, 1)
		assert.Equal(t, "example.com", all[0].Host)
		assert.Greater(t, len(all[0].URI), 1000)
		assert.Less(t, len(all[0].URI)+len(all[0].Key), recentText)
	})
}
