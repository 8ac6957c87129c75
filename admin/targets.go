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

func registerTargets(r *prometheus.Registry, targets func() []TargetState) {
	each := func(name, help string, kind prometheus.ValueType, of func(*TargetState) float64) {
		r.MustRegister(&table{
			desc: describe("target_"+name, help, "upstream", "target"), kind: kind,
			read: func(add func(float64, ...string)) {
				for _, t := range targets() {
					add(of(&t), t.Upstream, t.shown())
				}
			},
		})
	}
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	each("up", "1 while requests are sent to this server of an upstream, else 0.", gauge,
		func(t *TargetState) float64 { return truth(t.Up) })
	each("requests_in_flight", "Requests that the server is answering now.", gauge,
		func(t *TargetState) float64 { return float64(t.InFlight) })
	each("requests_limit", "How many requests at once the server may get, as it stands now.", gauge,
		func(t *TargetState) float64 { return float64(t.Limit) })
	each("requests_queued", "Requests that wait for a place at any server of the upstream now: the same number for each.", gauge,
		func(t *TargetState) float64 { return float64(t.Queued) })
	each("requests_total", "Requests sent to the server, retries included.", counter,
		func(t *TargetState) float64 { return float64(t.Requests) })
	each("retries_total", "Requests sent to the server after a first try, there or elsewhere, had failed.", counter,
		func(t *TargetState) float64 { return float64(t.Retries) })
	each("ejections_total", "How often the server was taken out of use after failures.", counter,
		func(t *TargetState) float64 { return float64(t.Ejections) })
	each("checks_failed_total", "Health checks of the server that failed.", counter,
		func(t *TargetState) float64 { return float64(t.ChecksFailed) })
	r.MustRegister(&table{
		desc: describe("target_state", "1 for the state that the server is in: up, down, open, half-open or held.", "upstream", "target", "state"),
		kind: gauge,
		read: func(add func(float64, ...string)) {
			for _, t := range targets() {
				add(1, t.Upstream, t.shown(), t.State)
			}
		},
	}, &table{
		desc: describe("target_failures_total", "Requests to the server that failed, by error type (RFC 9209, 2.3).", "upstream", "target", "error"),
		kind: counter,
		read: func(add func(float64, ...string)) {
			for _, t := range targets() {
				for kind, n := range t.Failures {
					add(float64(n), t.Upstream, t.shown(), kind)
				}
			}
		},
	})
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
