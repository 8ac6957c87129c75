package admin

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// registerTallies reports the sums over all kinds of outcomes.
func (m *Metrics) registerTallies() {
	sum := func(name, help string, read func(t *tally, add func(float64, ...string)), labels ...string) *table {
		return &table{
			desc: describe(name, help, labels...), kind: prometheus.CounterValue,
			read: func(add func(float64, ...string)) {
				for _, t := range *m.tallies.all.Load() {
					read(t, add)
				}
			},
		}
	}
	m.registry.MustRegister(
		sum("requests_total", "Requests that came to an end, by action and reason "+
			"(the words of Cache-Status, defined in docs/reasons.md), class of the answer's status (1xx to 5xx, or other; "+
			"499 stands for a client that left before its answer), and name of the route.",
			func(t *tally, add func(float64, ...string)) {
				add(t.took.n(), t.actionName, t.reasonName, classes[class(t.status)], t.route)
			}, "action", "reason", "status_class", "route"),
		sum("responses_total", "Answers to clients, by status (other, if it is none of 100 to 599; "+
			"499 stands for a client that left before its answer) and by who made them: origin; cache, also when the origin "+
			"only confirmed what is stored; or proxy, most often an error of its own.",
			func(t *tally, add func(float64, ...string)) { add(t.took.n(), statusLabel(t.status), t.from) }, "status", "from"),
		sum("responses_refused_total", "Requests whose answer came from the origin and was not stored, "+
			"by reason (defined in docs/reasons.md).",
			func(t *tally, add func(float64, ...string)) {
				if t.refused != 0 {
					add(t.took.n(), t.refusedName)
				}
			}, "reason"),
		&table{
			desc: describe("bytes_total", "Content bytes sent to clients, by where they came from: cache (the store) or origin. "+
				"Error pages of the proxy itself count as neither.", "source"),
			kind: prometheus.CounterValue,
			read: func(add func(float64, ...string)) {
				add(0, "cache")
				add(0, "origin")
				for _, t := range *m.tallies.all.Load() {
					add(float64(t.cacheBytes.Load()), "cache")
					add(float64(t.originBytes.Load()), "origin")
				}
			},
		},
		&table{
			desc: describe("aborted_total", "Requests whose answer broke off, because the client left or the origin's body ended early."),
			kind: prometheus.CounterValue,
			read: func(add func(float64, ...string)) {
				add(0)
				for _, t := range *m.tallies.all.Load() {
					add(float64(t.aborted.Load()))
				}
			},
		},
		&durations{&m.tallies, describe("request_duration_seconds",
			"Time from the parsed request to the last byte handed to the client's connection, by what the cache did: "+
				"hit (action serve), stale (serve-stale), miss (fetch and validate), pass, or fail (the proxy answered by itself).", "result")},
	)
}

const us, ms = time.Microsecond, time.Millisecond

// bounds are the buckets of request_duration_seconds; what is above the last has one more.
var bounds = [...]time.Duration{
	50 * us, 100 * us, 250 * us, 500 * us, 1 * ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms,
	time.Second, 2500 * ms, 5 * time.Second, 10 * time.Second, 30 * time.Second, 60 * time.Second,
}

// grain is the unit of sums of durations: with nanoseconds, a sum would overflow within weeks
// where thousands of slow requests run at any time.
const grain = 128 * time.Nanosecond

// timings counts durations.
type timings struct {
	buckets [len(bounds) + 1]atomic.Uint64
	sum     atomic.Uint64 // in grains
}

func (t *timings) add(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	t.buckets[i].Add(1)
	t.sum.Add(uint64((max(d, 0) + grain/2) / grain))
}

// n is how many were added.
func (t *timings) n() float64 {
	var n uint64
	for i := range t.buckets {
		n += t.buckets[i].Load()
	}
	return float64(n)
}

// durations reports a histogram for each result.
type durations struct {
	tallies *tallies
	desc    *prometheus.Desc
}

// Describe is for the registry.
func (d *durations) Describe(to chan<- *prometheus.Desc) { to <- d.desc }

// Collect is for the registry.
func (d *durations) Collect(to chan<- prometheus.Metric) {
	for _, result := range results {
		var buckets [len(bounds) + 1]uint64
		var sum float64
		for _, t := range *d.tallies.all.Load() {
			if t.result != result {
				continue
			}
			for i := range buckets {
				buckets[i] += t.took.buckets[i].Load()
			}
			sum += float64(t.took.sum.Load())
		}
		upTo, n := make(map[float64]uint64, len(bounds)), uint64(0)
		for i, bound := range bounds {
			n += buckets[i]
			upTo[bound.Seconds()] = n
		}
		to <- prometheus.MustNewConstHistogram(d.desc, n+buckets[len(bounds)], sum*grain.Seconds(), upTo, result)
	}
}
