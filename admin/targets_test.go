package admin

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testTargets() []TargetState {
	return []TargetState{
		{
			Upstream: "app", URL: "http://10.0.0.1:8080", State: "up", Up: true, InFlight: 1, Limit: 2, Queued: 3,
			Requests: 4, Retries: 5, Ejections: 6, ChecksFailed: 7, Failures: map[string]int64{"connection_refused": 8},
		},
		{Upstream: "app", URL: "https://me:s3cret@10.0.0.2", State: "open"},
	}
}

func TestTargetMetrics(t *testing.T) {
	families := scrape(t, NewMetrics(Sources{Targets: testTargets}), Options{})
	for i, name := range []string{
		"up", "requests_in_flight", "requests_limit", "requests_queued", "requests_total", "retries_total", "ejections_total",
		"checks_failed_total",
	} {
		want := i
		if i == 0 {
			want = 1
		}
		assert.EqualValues(t, want, value(t, families, "target_"+name+"{target=http://10.0.0.1:8080,upstream=app}"), name)
		assert.EqualValues(t, 0, value(t, families, "target_"+name+"{target=https://me:xxxxx@10.0.0.2,upstream=app}"), name)
	}
	assert.EqualValues(t, 8, value(t, families, "target_failures_total{error=connection_refused,target=http://10.0.0.1:8080,upstream=app}"))
	assert.EqualValues(t, 1, value(t, families, "target_state{state=up,target=http://10.0.0.1:8080,upstream=app}"))
	assert.EqualValues(t, 1, value(t, families, "target_state{state=open,target=https://me:xxxxx@10.0.0.2,upstream=app}"))
}

// What an operator has written twice, or not in UTF-8, must not make all metrics
// unreadable.
func TestTargetsThatComeTwice(t *testing.T) {
	twice := TargetState{Upstream: "a\xff", URL: "http://10.0.0.1", State: "up", Up: true, Requests: 3}
	m := NewMetrics(Sources{Targets: func() []TargetState { return []TargetState{twice, twice} }})
	families := scrape(t, m, Options{})
	assert.EqualValues(t, 6, value(t, families, "target_requests_total{target=http://10.0.0.1,upstream=a?}"))
}

func TestUpstreamsAsJSON(t *testing.T) {
	w := ask(New(Options{Metrics: NewMetrics(Sources{Targets: testTargets})}), "GET", "/api/upstreams", "")
	require.Equal(t, 200, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	assert.NotContains(t, w.Body.String(), "s3cret")
	var got struct {
		Targets []TargetState `json:"targets"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	want := testTargets()
	want[1].URL, want[1].Failures = "https://me:xxxxx@10.0.0.2", map[string]int64{}
	assert.Equal(t, want, got.Targets)

	w = ask(New(Options{Metrics: NewMetrics(Sources{})}), "GET", "/api/upstreams", "")
	assert.JSONEq(t, `{"targets": []}`, w.Body.String(), "without upstreams")
}
