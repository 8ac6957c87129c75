package insight

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

func TestCounts(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome *proxy.Outcome
		want    Counts // without actions, classes and bytes, but in the rows about them
	}{
		{"hit", hit(), Counts{Valid: 1, Saved: 1}},
		{"refreshed in the background", with(hit(), func(o *proxy.Outcome) { o.Action, o.Reason = policy.ServeStale, policy.StaleWhileRevalidate }),
			Counts{Valid: 1, Saved: 1}},
		{"miss", miss(), Counts{Valid: 1, Asked: 1}},
		{"validated", with(miss(), func(o *proxy.Outcome) { o.Action, o.Reason, o.FwdStatus = policy.Validate, policy.Stale, 304 }),
			Counts{Valid: 1, Asked: 1}},
		{"collapsed", with(miss(), func(o *proxy.Outcome) { o.Collapsed = true }), Counts{Valid: 1, Saved: 1}},
		{"pass", with(miss(), func(o *proxy.Outcome) { o.Action, o.Reason = policy.Pass, policy.Method }), Counts{Valid: 1, Asked: 1}},
		{"5xx of the origin", with(miss(), func(o *proxy.Outcome) { o.Status, o.FwdStatus = 503, 503 }),
			Counts{Valid: 1, Failed: 1, Asked: 1, Down: 1}},
		{"5xx hidden by a stale response", with(hit(), func(o *proxy.Outcome) {
			o.Action, o.Reason, o.FwdStatus = policy.ServeStale, policy.StaleIfError, 503
		}), Counts{Valid: 1, Asked: 1, Down: 1, Hidden: 1}},
		{"an origin that cannot be reached, hidden", with(hit(), func(o *proxy.Outcome) {
			o.Action, o.Reason, o.Error = policy.ServeStale, policy.StaleIfError, "connection_refused"
		}), Counts{Valid: 1, Asked: 1, Down: 1, Hidden: 1}},
		{"an origin that cannot be reached", with(miss(), func(o *proxy.Outcome) {
			o.Action, o.Reason, o.Status, o.FwdStatus = policy.Fail, policy.OriginUnreachable, 502, 0
		}), Counts{Valid: 1, Failed: 1, Asked: 1, Down: 1}},
		{"an error that another request met", with(miss(), func(o *proxy.Outcome) {
			o.Status, o.FwdStatus, o.Collapsed = 503, 503, true
		}), Counts{Valid: 1, Failed: 1, Saved: 1}},
		{"only if cached", with(hit(), func(o *proxy.Outcome) { o.Action, o.Reason, o.Status = policy.Fail, policy.OnlyIfCached, 504 }),
			Counts{}},
		{"client gone", with(miss(), func(o *proxy.Outcome) {
			o.Status, o.Reason, o.Action, o.FwdStatus = 499, policy.ClientGone, policy.Fail, 0
		}),
			Counts{}},
		{"client gone from a broken origin", with(miss(), func(o *proxy.Outcome) { o.Status, o.FwdStatus = 499, 502 }),
			Counts{Asked: 1, Down: 1}},
		{"4xx", with(miss(), func(o *proxy.Outcome) { o.Status, o.FwdStatus = 404, 404 }), Counts{Valid: 1, Asked: 1}},
		{"broken off", with(miss(), func(o *proxy.Outcome) { o.Aborted = true }), Counts{Valid: 1, Asked: 1, Aborted: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c Counts
			c.count(tc.outcome)
			assert.EqualValues(t, 1, c.Requests())
			assert.EqualValues(t, 1, c.Actions[tc.outcome.Action])
			c.Actions, c.Classes, c.BytesCache, c.BytesOrigin = tc.want.Actions, tc.want.Classes, 0, 0
			assert.Equal(t, tc.want, c)
		})
	}
}

func TestClasses(t *testing.T) {
	for status, want := range map[int]string{0: "other", 99: "other", 101: "1xx", 200: "2xx", 304: "3xx", 404: "4xx", 499: "other", 503: "5xx", 600: "other", 999: "other", -5: "other"} {
		assert.Equal(t, want, classes[class(status)], status)
	}
}

func TestBytes(t *testing.T) {
	var c Counts
	c.count(hit())
	c.count(miss())
	c.count(with(miss(), func(o *proxy.Outcome) { o.FromCache = 1000 }))
	c.count(with(hit(), func(o *proxy.Outcome) { o.Action, o.Reason, o.FromCache = policy.Fail, policy.NoRoute, 0 }))
	assert.EqualValues(t, 2024, c.BytesCache)
	assert.EqualValues(t, 1048, c.BytesOrigin, "an error page of the proxy comes from neither")
}

func TestAddAndLessAreInverse(t *testing.T) {
	var a, b tally
	for _, o := range []*proxy.Outcome{hit(), miss(), with(miss(), func(o *proxy.Outcome) { o.Status, o.Refused = 503, policy.Private })} {
		a.count(o)
		b.count(o)
	}
	a.SavedTime = time.Second
	sum := a
	sum.add(&b)
	assert.EqualValues(t, 6, sum.Requests())
	assert.EqualValues(t, 2, sum.refused[policy.Private])
	sum.less(&b)
	assert.Equal(t, a, sum)
}

func TestBuckets(t *testing.T) {
	for i := range buckets {
		assert.Equal(t, i, bucket(edge(i)), "the edge of bucket %d", i)
		if i > 0 {
			assert.Equal(t, i-1, bucket(edge(i)-time.Microsecond))
		}
	}
	assert.Equal(t, buckets-1, bucket(time.Hour))
	assert.Equal(t, 0, bucket(-time.Second))
}

func TestQuantilesAreCloseEnough(t *testing.T) {
	var h histogram
	assert.Negative(t, h.quantile(.5))
	for ms := 1; ms <= 1000; ms++ {
		h[bucket(time.Duration(ms)*time.Millisecond)]++
	}
	for q, want := range map[float64]float64{0: 1, .5: 500, .9: 900, .99: 990, 1: 1000} {
		assert.InEpsilon(t, want, millis(h.quantile(q)), 0.13, "quantile %v", q)
	}
	h = histogram{}
	h[bucket(time.Hour)]++
	assert.Greater(t, h.quantile(.5), time.Minute)
}
