package insight

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

func TestCollector(t *testing.T) {
	bubble(t, Options{Objective: .9}, func(t *testing.T, in *Insight) {
		r := prometheus.NewPedanticRegistry()
		require.NoError(t, r.Register(in.Collector()))
		figure := func(name string, labels ...string) (v float64, found bool) {
			families, err := r.Gather()
			require.NoError(t, err)
			for _, f := range families {
				for _, m := range f.GetMetric() {
					var values []string
					for _, l := range m.GetLabel() {
						values = append(values, l.GetValue())
					}
					if f.GetName() == "cacheproxy_"+name && assert.ObjectsAreEqual(labels, append([]string{}, values...)) {
						return m.GetGauge().GetValue() + m.GetCounter().GetValue(), true
					}
				}
			}
			return 0, false
		}
		_, found := figure("slo_availability_ratio", "client")
		assert.False(t, found, "there was no request")

		for range 6 {
			in.Observe(hit())
		}
		in.Observe(miss())
		in.Observe(failed())
		in.Observe(with(hit(), func(o *proxy.Outcome) { o.Action, o.Reason, o.FwdStatus = policy.ServeStale, policy.StaleIfError, 503 }))
		in.Observe(miss())
		for _, tc := range []struct {
			name   string
			labels []string
			want   float64
		}{
			{"slo_objective_ratio", []string{}, .9},
			{"slo_availability_ratio", []string{"client"}, .9},
			{"slo_availability_ratio", []string{"origin"}, .5},
			{"slo_error_budget_left_ratio", []string{"client"}, 0},
			{"slo_error_budget_left_ratio", []string{"origin"}, -4},
			{"slo_burn_rate", []string{"client", "5m"}, 1},
			{"slo_burn_rate", []string{"origin", "3d"}, 5},
			{"slo_client_error_spike", []string{}, 0},
			{"saved_requests_total", []string{}, 6},
			{"saved_origin_seconds_total", []string{}, 6 * .06},
			{"slo_hidden_failures_total", []string{}, 1},
			{"slo_origin_requests_total", []string{}, 4},
			{"slo_origin_failures_total", []string{}, 2},
		} {
			v, found := figure(tc.name, tc.labels...)
			assert.True(t, found, "%s %v", tc.name, tc.labels)
			assert.InDelta(t, tc.want, v, 1e-9, "%s %v", tc.name, tc.labels)
		}
		problems, err := testutil.GatherAndLint(r)
		require.NoError(t, err)
		assert.Empty(t, problems)
	})
}
