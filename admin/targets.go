package admin

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"
)

// TargetState is how one server of an upstream is doing. Counters begin at zero
// when the process starts.
type TargetState struct {
	Upstream     string           `json:"upstream"` // name
	URL          string           `json:"url"`      // a password in it is not shown
	State        string           `json:"state"`    // up, down, open, half-open, held
	Up           bool             `json:"up"`       // requests are sent to it
	InFlight     int64            `json:"in_flight"`
	Limit        int64            `json:"limit"`  // of requests in flight, as it stands now
	Queued       int64            `json:"queued"` // requests that wait for a place at any target of the upstream
	Requests     int64            `json:"requests"`
	Retries      int64            `json:"retries"`   // of those, tries after the first
	Ejections    int64            `json:"ejections"` // how often it was taken out after failures
	Failures     map[string]int64 `json:"failures"`  // by error type (RFC 9209, 2.3)
	ChecksFailed int64            `json:"checks_failed"`
}

// shown returns the URL without a password.
func (t *TargetState) shown() string {
	u, err := url.Parse(t.URL)
	if err != nil {
		return "(not a URL)"
	}
	return u.Redacted()
}

// serveUpstreams answers with the states of all targets.
func serveUpstreams(targets func() []TargetState) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		all := []TargetState{}
		if targets != nil {
			all = append(all, targets()...)
		}
		for i := range all {
			all[i].URL = all[i].shown()
			if all[i].Failures == nil {
				all[i].Failures = map[string]int64{}
			}
		}
		w.Header().Set("Content-Type", "application/json")
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		_ = e.Encode(struct {
			Targets []TargetState `json:"targets"`
		}{all})
	}
}

// addTo adds a value of a target, with those of the labels that come after its own.
type addTo func(value int64, more ...string)

func registerTargets(r *prometheus.Registry, targets func() []TargetState) {
	each := func(kind prometheus.ValueType, name, help string, of func(*TargetState, addTo), more ...string) {
		r.MustRegister(&table{
			desc: describe("target_"+name, help, append([]string{"upstream", "target"}, more...)...), kind: kind,
			read: func(add func(float64, ...string)) {
				for _, t := range targets() {
					of(&t, func(value int64, more ...string) {
						add(float64(value), append([]string{t.Upstream, t.shown()}, more...)...)
					})
				}
			},
		})
	}
	gauge := func(name, help string, of func(*TargetState) int64) {
		each(prometheus.GaugeValue, name, help, func(t *TargetState, add addTo) { add(of(t)) })
	}
	counter := func(name, help string, of func(*TargetState) int64) {
		each(prometheus.CounterValue, name, help, func(t *TargetState, add addTo) { add(of(t)) })
	}
	each(prometheus.GaugeValue, "up", "1 while requests are sent to this server of an upstream, else 0.", func(t *TargetState, add addTo) {
		if t.Up {
			add(1)
		} else {
			add(0)
		}
	})
	each(prometheus.GaugeValue, "state", "1 for the state that the server is in: up, down, open, half-open or held.",
		func(t *TargetState, add addTo) { add(1, t.State) }, "state")
	gauge("requests_in_flight", "Requests that the server is answering now.", func(t *TargetState) int64 { return t.InFlight })
	gauge("requests_limit", "How many requests at once the server may get, as it stands now.", func(t *TargetState) int64 { return t.Limit })
	gauge("requests_queued", "Requests that wait for a place at any server of the upstream now: the same number for each.",
		func(t *TargetState) int64 { return t.Queued })
	counter("requests_total", "Requests sent to the server, retries included.", func(t *TargetState) int64 { return t.Requests })
	counter("retries_total", "Requests sent to the server after a first try, there or elsewhere, had failed.",
		func(t *TargetState) int64 { return t.Retries })
	counter("ejections_total", "How often the server was taken out of use after failures.", func(t *TargetState) int64 { return t.Ejections })
	counter("checks_failed_total", "Health checks of the server that failed.", func(t *TargetState) int64 { return t.ChecksFailed })
	each(prometheus.CounterValue, "failures_total", "Requests to the server that failed, by error type (RFC 9209, 2.3).",
		func(t *TargetState, add addTo) {
			for kind, n := range t.Failures {
				add(n, kind)
			}
		}, "error")
}
