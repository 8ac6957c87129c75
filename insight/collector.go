package insight

import "github.com/prometheus/client_golang/prometheus"

// Collector returns the service levels and the savings as metrics.
func (in *Insight) Collector() prometheus.Collector { return &collector{in} }

type collector struct{ in *Insight }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("cacheproxy_"+name, help, labels, nil)
}

var (
	descObjective = desc("slo_objective_ratio", "Share of requests that are to be answered without a server error.")
	descAvailable = desc("slo_availability_ratio", "Share of requests without a server error, of 30 days or since the start, by side: "+
		"client (what clients saw) or origin (what the origins answered). Left out while there were no requests.", "side")
	descBudget = desc("slo_error_budget_left_ratio", "Share that is left of the server errors which the objective allows in the same time, "+
		"by side; below 0 when there were more.", "side")
	descBurn = desc("slo_burn_rate", "How many times faster than the objective allows server errors came, by side and "+
		"window (5m, 30m, 1h, 6h or 3d). 0 while there were no requests.", "side", "window")
	descSpike  = desc("slo_client_error_spike", "1 while the share of 4xx in the last 5 minutes is far above what is usual, else 0.")
	descSaved  = desc("saved_requests_total", "Requests that were answered without one to the origin, collapsed ones included.")
	descSpared = desc("saved_origin_seconds_total", "Estimate of the time that saved requests would have waited for the origin: "+
		"the mean of their route.")
	descHidden = desc("slo_hidden_failures_total", "Requests for which the origin failed and the client got something better than a server error.")
	descAsked  = desc("slo_origin_requests_total", "Requests of clients that asked the origin themselves. "+
		"Collapsed requests and refreshes in the background are not in it.")
	descDown = desc("slo_origin_failures_total", "Of cacheproxy_slo_origin_requests_total, those that the origin failed: a 5xx, or no valid answer.")
)

func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descObjective, descAvailable, descBudget, descBurn, descSpike,
		descSaved, descSpared, descHidden, descAsked, descDown,
	} {
		out <- d
	}
}

func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	levels, all := c.in.standing()
	gauge(descObjective, levels.Objective)
	for name, side := range map[string]Side{"client": levels.Client, "origin": levels.Origin} {
		if side.Availability != nil {
			gauge(descAvailable, *side.Availability, name)
		}
		gauge(descBudget, side.Budget, name)
		for _, b := range side.Burn {
			gauge(descBurn, value(b.Rate), name, b.Window)
		}
	}
	gauge(descSpike, map[bool]float64{true: 1}[levels.Spike.Is])
	counter(descSaved, float64(all.Saved))
	counter(descSpared, all.SavedTime.Seconds())
	counter(descHidden, float64(all.Hidden))
	counter(descAsked, float64(all.Asked))
	counter(descDown, float64(all.Down))
}

func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
