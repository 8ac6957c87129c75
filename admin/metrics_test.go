package admin

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// hit is the outcome of a request that the store answered.
func hit() *proxy.Outcome {
	return &proxy.Outcome{
		Action: policy.Serve, Reason: policy.Fresh, Route: "site", Status: 200,
		Method: "GET", Host: "example.com", URI: "/a?b=c", Proto: "HTTP/1.1",
		Remote: "192.0.2.7:41000", RequestID: "4bf92f35", Referer: "https://example.com/", UserAgent: "curl/8.5.0",
		Start:    time.Date(2024, 2, 29, 13, 14, 15, 160_000_000, time.FixedZone("", 3600)),
		Duration: 75 * time.Microsecond, Bytes: 1024, FromCache: 1024,
	}
}

// miss is the outcome of a request that the origin answered.
func miss() *proxy.Outcome {
	o := hit()
	o.Action, o.Reason, o.FwdStatus, o.Stored = policy.Fetch, policy.URIMiss, 200, true
	o.Duration, o.OriginTime, o.FromCache = 80*time.Millisecond, 60*time.Millisecond, 0
	return o
}

func with(o *proxy.Outcome, change func(*proxy.Outcome)) *proxy.Outcome {
	change(o)
	return o
}

// scrape reads /metrics as Prometheus would.
func scrape(t *testing.T, m *Metrics, o Options) map[string]*dto.MetricFamily {
	t.Helper()
	o.Metrics = m
	w := ask(New(o), "GET", "/metrics", "")
	require.Equal(t, 200, w.Code, w.Body)
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(w.Body)
	require.NoError(t, err)
	return families
}

// value finds a number by name and labels, as "name" or "name{a=b,c=d}" with
// the labels sorted; of a histogram it is the count.
func value(t *testing.T, families map[string]*dto.MetricFamily, series string) float64 {
	t.Helper()
	name, _, _ := strings.Cut(series, "{")
	for _, m := range families["cacheproxy_"+name].GetMetric() {
		if name+labels(m) != series {
			continue
		}
		switch {
		case m.Counter != nil:
			return m.Counter.GetValue()
		case m.Gauge != nil:
			return m.Gauge.GetValue()
		}
		return float64(m.Histogram.GetSampleCount())
	}
	require.Failf(t, "no such series", "%s in %v", series, families["cacheproxy_"+name])
	return 0
}

func labels(m *dto.Metric) string {
	var all []string
	for _, l := range m.GetLabel() {
		all = append(all, l.GetName()+"="+l.GetValue())
	}
	if all == nil {
		return ""
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestObserve(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome *proxy.Outcome
		want    map[string]float64
	}{
		{"hit", hit(), map[string]float64{
			"requests_total{action=serve,reason=fresh,route=site,status_class=2xx}": 1,
			"responses_total{from=cache,status=200}":                                1,
			"bytes_total{source=cache}":                                             1024,
			"bytes_total{source=origin}":                                            0,
			"request_duration_seconds{result=hit}":                                  1,
			"request_duration_seconds{result=miss}":                                 0,
			"request_duration_seconds{result=stale}":                                0,
			"origin_response_seconds":                                               0,
			"aborted_total":                                                         0,
		}},
		{"miss", miss(), map[string]float64{
			"requests_total{action=fetch,reason=uri-miss,route=site,status_class=2xx}": 1,
			"responses_total{from=origin,status=200}":                                  1,
			"bytes_total{source=cache}":                                                0,
			"bytes_total{source=origin}":                                               1024,
			"request_duration_seconds{result=miss}":                                    1,
			"origin_response_seconds":                                                  1,
		}},
		{"collapsed", with(miss(), func(o *proxy.Outcome) { o.Collapsed = true }), map[string]float64{
			"request_duration_seconds{result=miss}": 1,
			"origin_response_seconds":               0,
		}},
		{"refused", with(miss(), func(o *proxy.Outcome) { o.Stored, o.Refused = false, policy.SetCookie }), map[string]float64{
			"responses_refused_total{reason=set-cookie}": 1,
		}},
		{"validated", with(hit(), func(o *proxy.Outcome) {
			o.Action, o.Reason, o.FwdStatus, o.OriginTime = policy.Validate, policy.Stale, 304, time.Millisecond
		}), map[string]float64{
			"requests_total{action=validate,reason=stale,route=site,status_class=2xx}": 1,
			"responses_total{from=cache,status=200}":                                   1,
			"request_duration_seconds{result=miss}":                                    1,
			"bytes_total{source=cache}":                                                1024,
			"origin_response_seconds":                                                  1,
		}},
		{"partly from the store", with(miss(), func(o *proxy.Outcome) { o.FromCache = 1000 }), map[string]float64{
			"bytes_total{source=cache}":  1000,
			"bytes_total{source=origin}": 24,
		}},
		{"stale", with(hit(), func(o *proxy.Outcome) { o.Action, o.Reason = policy.ServeStale, policy.StaleWhileRevalidate }), map[string]float64{
			"requests_total{action=serve-stale,reason=stale-while-revalidate,route=site,status_class=2xx}": 1,
			"request_duration_seconds{result=stale}":                                                       1,
		}},
		{"pass", with(miss(), func(o *proxy.Outcome) { o.Action, o.Reason, o.Status = policy.Pass, policy.Method, 303 }), map[string]float64{
			"requests_total{action=pass,reason=method,route=site,status_class=3xx}": 1,
			"request_duration_seconds{result=pass}":                                 1,
		}},
		{"fail", with(hit(), func(o *proxy.Outcome) {
			o.Action, o.Reason, o.Status, o.FromCache, o.Route = policy.Fail, policy.NoRoute, 421, 0, ""
		}), map[string]float64{
			"requests_total{action=fail,reason=no-route,route=,status_class=4xx}": 1,
			"responses_total{from=proxy,status=421}":                              1,
			"request_duration_seconds{result=fail}":                               1,
			"bytes_total{source=origin}":                                          0,
			"bytes_total{source=cache}":                                           0,
		}},
		{"replaced after a validation", with(miss(), func(o *proxy.Outcome) { o.Action, o.Reason = policy.Validate, policy.Stale }), map[string]float64{
			"responses_total{from=origin,status=200}": 1,
		}},
		{"aborted", with(miss(), func(o *proxy.Outcome) { o.Aborted = true }), map[string]float64{"aborted_total": 1}},
		{"no status", with(miss(), func(o *proxy.Outcome) { o.Status = 0 }), map[string]float64{
			"requests_total{action=fetch,reason=uri-miss,route=site,status_class=other}": 1,
		}},
		{"status 999", with(miss(), func(o *proxy.Outcome) { o.Status = 999 }), map[string]float64{
			"responses_total{from=origin,status=other}":                                  1,
			"requests_total{action=fetch,reason=uri-miss,route=site,status_class=other}": 1,
		}},
		{"switching protocols", with(miss(), func(o *proxy.Outcome) { o.Status = 101 }), map[string]float64{
			"requests_total{action=fetch,reason=uri-miss,route=site,status_class=1xx}": 1,
		}},
		{"a route with quotes", with(miss(), func(o *proxy.Outcome) { o.Route = "a\"b\n\\c" }), map[string]float64{
			"requests_total{action=fetch,reason=uri-miss,route=a\"b\n\\c,status_class=2xx}": 1,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := NewMetrics(Sources{})
			m.Observe(tc.outcome)
			families := scrape(t, m, Options{})
			for series, want := range tc.want {
				assert.Equal(t, want, value(t, families, series), series)
			}
			if tc.outcome.Refused == policy.ReasonNone {
				assert.NotContains(t, families, "cacheproxy_responses_refused_total")
			}
		})
	}
}

func TestDurationsAreInSeconds(t *testing.T) {
	m := NewMetrics(Sources{})
	m.Observe(miss())
	families := scrape(t, m, Options{})
	assert.InDelta(t, 0.06, families["cacheproxy_origin_response_seconds"].Metric[0].Histogram.GetSampleSum(), 1e-9)
	for _, h := range families["cacheproxy_request_duration_seconds"].Metric {
		if labels(h) == "{result=miss}" {
			assert.InDelta(t, 0.08, h.Histogram.GetSampleSum(), 1e-9)
		}
	}
}

func TestEveryActionAndReasonIsCounted(t *testing.T) {
	m := NewMetrics(Sources{})
	known := map[string]bool{}
	for _, r := range results {
		known[r] = true
	}
	for _, a := range policy.Actions() {
		assert.True(t, known[result(a.String())], "action %s has no result", a)
		for _, r := range policy.Reasons() {
			m.Observe(with(hit(), func(o *proxy.Outcome) { o.Action, o.Reason, o.Refused = a, r, r }))
		}
	}
	families := scrape(t, m, Options{})
	assert.Len(t, families["cacheproxy_requests_total"].Metric, len(policy.Actions())*len(policy.Reasons()))
	assert.Len(t, families["cacheproxy_responses_refused_total"].Metric, len(policy.Reasons()))
	assert.Len(t, families["cacheproxy_request_duration_seconds"].Metric, len(results))
}

// However many statuses an origin makes up, they do not fill the memory.
func TestStatusesAreBounded(t *testing.T) {
	m := NewMetrics(Sources{})
	for status := range 5000 {
		m.Observe(with(miss(), func(o *proxy.Outcome) { o.Status = status }))
	}
	assert.Len(t, scrape(t, m, Options{})["cacheproxy_responses_total"].Metric, 500+1)
	assert.Len(t, *m.tallies.all.Load(), 500+1)
}

func testSources() Sources {
	return Sources{
		Store: func() cache.Stats {
			return cache.Stats{Entries: 1, Cost: 2, MaxCost: 3, Sets: 4, Rejected: 5, Evicted: 6, Expired: 7}
		},
		Flights:     func() (started, running, waiting, collapsed int64) { return 8, 9, 10, 11 },
		LogDropped:  func() int64 { return 12 },
		Asking:      func() int64 { return 13 },
		Connections: func() (open, refused int64) { return 14, 15 },
		Exchanges: func() (answers map[int]int64, failures map[string]int64) {
			return map[int]int64{200: 16, 304: 17}, map[string]int64{"connection_refused": 18}
		},
		Targets: testTargets,
	}
}

func TestSources(t *testing.T) {
	families := scrape(t, NewMetrics(testSources()), Options{})
	for i, series := range []string{
		"store_entries", "store_cost_bytes", "store_limit_bytes", "store_sets_total", "store_rejected_total",
		"store_evictions_total", "store_expired_total", "flights_total", "flights_running", "flight_waiters",
		"collapsed_total", "access_log_dropped_total", "origin_requests", "connections_open", "connections_refused_total",
		"origin_responses_total{status=200}", "origin_responses_total{status=304}", "origin_failures_total{error=connection_refused}",
	} {
		assert.EqualValues(t, i+1, value(t, families, series), series)
	}
}

func TestRealStoreAndLogAreSources(t *testing.T) {
	store, err := cache.New[string](cache.Options{MaxCost: 1 << 20})
	require.NoError(t, err)
	defer store.Close()
	require.True(t, store.Set("k", "v", 1, 0))
	var off *Log
	families := scrape(t, NewMetrics(Sources{Store: store.Stats, LogDropped: off.Dropped}), Options{})
	assert.EqualValues(t, 1, value(t, families, "store_sets_total"))
	assert.EqualValues(t, 1<<20, value(t, families, "store_limit_bytes"))
	assert.EqualValues(t, 0, value(t, families, "access_log_dropped_total"))
}

func TestConfigReloaded(t *testing.T) {
	m := NewMetrics(Sources{})
	m.ConfigReloaded(true)
	m.ConfigReloaded(false)
	m.ConfigReloaded(true)
	families := scrape(t, m, Options{})
	assert.EqualValues(t, 2, value(t, families, "config_reloads_total{result=ok}"))
	assert.EqualValues(t, 1, value(t, families, "config_reloads_total{result=failed}"))
}

func TestReadyAndDraining(t *testing.T) {
	for _, tc := range []struct {
		name            string
		draining        bool
		err             error
		ready, drainees float64
	}{
		{"ready", false, nil, 1, 0},
		{"draining", true, nil, 0, 1},
		{"origin down", false, errors.New("down"), 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			families := scrape(t, NewMetrics(Sources{}), Options{
				Draining: func() bool { return tc.draining },
				Origins:  origins(map[string]error{"a": tc.err}),
			})
			assert.Equal(t, tc.ready, value(t, families, "ready"))
			assert.Equal(t, tc.drainees, value(t, families, "draining"))
		})
	}
}

func TestRuntimeMetricsAreThere(t *testing.T) {
	families := scrape(t, NewMetrics(Sources{}), Options{})
	assert.Contains(t, families, "go_goroutines")
	assert.Contains(t, families, "go_build_info")
}

func TestObserveDoesNotAllocate(t *testing.T) {
	m := NewMetrics(Sources{})
	for _, o := range []*proxy.Outcome{hit(), miss(), with(miss(), func(o *proxy.Outcome) { o.Refused = policy.Private })} {
		assert.Zero(t, testing.AllocsPerRun(100, func() { m.Observe(o) }))
	}
}

func TestObserveAtOnce(t *testing.T) {
	m := NewMetrics(testSources())
	routes := []string{"a", "b", "c", "d"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 400 {
				m.Observe(with(hit(), func(o *proxy.Outcome) { o.Route = routes[i%4] }))
			}
		})
	}
	all.Go(func() { ask(m.handler(), "GET", "/metrics", "") })
	all.Wait()
	families := scrape(t, m, Options{})
	for _, r := range routes {
		assert.EqualValues(t, 800, value(t, families, "requests_total{action=serve,reason=fresh,route="+r+",status_class=2xx}"))
	}
	assert.EqualValues(t, 3200*1024, value(t, families, "bytes_total{source=cache}"))
}

func TestNamesFollowTheConventions(t *testing.T) {
	m := NewMetrics(testSources())
	m.Observe(with(miss(), func(o *proxy.Outcome) { o.Refused = policy.Private }))
	problems, err := testutil.GatherAndLint(m.registry)
	require.NoError(t, err)
	assert.Empty(t, problems)
}

func BenchmarkObserve(b *testing.B) {
	m, o := NewMetrics(Sources{}), hit()
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(o)
	}
}
