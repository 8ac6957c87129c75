package admin

import (
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"cacheproxy/cache"
)

// Sources are asked for their figures at every scrape. They must be safe for
// concurrent use; the metrics of a nil source are left out.
type Sources struct {
	Store      func() cache.Stats
	Flights    func() (started, running, waiting, collapsed int64)
	LogDropped func() int64

	// Exchanges returns how often origins answered, by status, and how often they
	// failed, by error type; as the proxy got it, after retries.
	Exchanges func() (answers map[int]int64, failures map[string]int64)
	// Asking is how many requests wait for an origin now, or are answered by one.
	Asking func() int64
	// Targets are the servers of all upstreams; a password in a URL is not shown.
	Targets func() []TargetState
	// Connections are those of clients: open now, and refused so far.
	Connections func() (open, refused int64)
}

// Metrics counts outcomes and reports the figures of Sources, all on a registry
// of its own.
type Metrics struct {
	registry *prometheus.Registry
	health   atomic.Pointer[health] // set by New
	targets  func() []TargetState   // nil = none

	tallies tallies
	origin  prometheus.Histogram

	reloadOK, reloadFailed prometheus.Counter
}

// NewMetrics returns metrics that have counted nothing.
func NewMetrics(s Sources) *Metrics {
	r := prometheus.NewRegistry()
	m := &Metrics{
		registry: r, targets: s.Targets,
		origin: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cacheproxy_origin_response_seconds",
			Help: "Time from the request sent to the origin until its response head, for requests that asked the origin " +
				"themselves and got an answer. Collapsed requests and refreshes in the background are not in it.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
	}
	reloads := counters(r, "config_reloads_total", "Attempts to load a changed configuration, by result: ok, "+
		"or failed (the old one stays in use).", "result")
	m.reloadOK, m.reloadFailed = reloads.WithLabelValues("ok"), reloads.WithLabelValues("failed")
	m.tallies.all.Store(&map[kind]*tally{})
	m.registerTallies()
	r.MustRegister(m.origin,
		collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registerHealth()
	registerSources(r, s)
	return m
}

func (m *Metrics) registerHealth() {
	gauge(m.registry, "ready", "1 while /readyz answers 200, else 0. A scrape asks the origins as /readyz does.",
		func() float64 { return is(m.health.Load(), func(h *health) bool { return h.check().ready }) })
	gauge(m.registry, "draining", "1 while the proxy finishes its last requests before it stops, else 0.",
		func() float64 { return is(m.health.Load(), func(h *health) bool { return h.draining() }) })
}

// is turns a statement about health into a number; without health it is false.
func is(h *health, holds func(*health) bool) float64 {
	if h != nil && holds(h) {
		return 1
	}
	return 0
}

func registerSources(r *prometheus.Registry, s Sources) {
	if s.Store != nil {
		gauge(r, "store_entries", "Keys that have a stored value. The variants of one URL share a key.",
			func() float64 { return float64(s.Store().Entries) })
		gauge(r, "store_cost_bytes", "Bytes that the stored values count. Writes that are not yet applied come on top of the limit.",
			func() float64 { return float64(s.Store().Cost) })
		gauge(r, "store_limit_bytes", "Size of the store: as configured, or less while the rest of the process needs the memory.",
			func() float64 { return float64(s.Store().MaxCost) })
		counter(r, "store_sets_total", "Values given to the store.",
			func() float64 { return float64(s.Store().Sets) })
		counter(r, "store_rejected_total", "Values given to the store that were too large, or not worth the eviction of others.",
			func() float64 { return float64(s.Store().Rejected) })
		counter(r, "store_evictions_total", "Values that made room for others or for a smaller limit.",
			func() float64 { return float64(s.Store().Evicted) })
		counter(r, "store_expired_total", "Values that were collected because they can never be used again: "+
			"their lifetime and their stale windows have passed.",
			func() float64 { return float64(s.Store().Expired) })
	}
	if s.Flights != nil {
		counter(r, "flights_total", "Flights: requests to origins that were started to fill, validate or refresh the store.",
			func() float64 { started, _, _, _ := s.Flights(); return float64(started) })
		gauge(r, "flights_running", "Flights that are under way now.",
			func() float64 { _, running, _, _ := s.Flights(); return float64(running) })
		gauge(r, "flight_waiters", "Requests that wait for the head of an origin's response now.",
			func() float64 { _, _, waiting, _ := s.Flights(); return float64(waiting) })
		counter(r, "collapsed_total", "Requests answered by the flight of another request, without one of their own.",
			func() float64 { _, _, _, collapsed := s.Flights(); return float64(collapsed) })
	}
	registerOrigins(r, s)
	if s.Connections != nil {
		gauge(r, "connections_open", "Connections of clients that are open now.",
			func() float64 { open, _ := s.Connections(); return float64(open) })
		counter(r, "connections_refused_total", "Connections of clients that were refused, since too many were open.",
			func() float64 { _, refused := s.Connections(); return float64(refused) })
	}
	if s.LogDropped != nil {
		counter(r, "access_log_dropped_total", "Access log lines lost because the output was too slow or failed.",
			func() float64 { return float64(s.LogDropped()) })
	}
}

func registerOrigins(r *prometheus.Registry, s Sources) {
	if s.Exchanges != nil {
		r.MustRegister(&table{
			desc: describe("origin_responses_total", "Answers of origins by status, after retries: also validations (304), those of "+
				"refreshes in the background, and errors in whose place a stale response was served.", "status"),
			kind: prometheus.CounterValue,
			read: func(add func(float64, ...string)) {
				answers, _ := s.Exchanges()
				for status, n := range answers {
					add(float64(n), strconv.Itoa(status))
				}
			},
		}, &table{
			desc: describe("origin_failures_total", "Failures of origins by error type (RFC 9209, 2.3), after retries: no answer, "+
				"one that is not valid, or a body that broke off.", "error"),
			kind: prometheus.CounterValue,
			read: func(add func(float64, ...string)) {
				_, failures := s.Exchanges()
				for kind, n := range failures {
					add(float64(n), kind)
				}
			},
		})
	}
	if s.Asking != nil {
		gauge(r, "origin_requests", "Requests of clients that wait for an origin now, or are answered by one.",
			func() float64 { return float64(s.Asking()) })
	}
	if s.Targets != nil {
		registerTargets(r, s.Targets)
	}
}

func counters(r *prometheus.Registry, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cacheproxy_" + name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func counter(r *prometheus.Registry, name, help string, read func() float64) {
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "cacheproxy_" + name, Help: help}, read))
}

func gauge(r *prometheus.Registry, name, help string, read func() float64) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "cacheproxy_" + name, Help: help}, read))
}

// ConfigReloaded counts an attempt to load a changed configuration.
func (m *Metrics) ConfigReloaded(ok bool) {
	if ok {
		m.reloadOK.Inc()
		return
	}
	m.reloadFailed.Inc()
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
