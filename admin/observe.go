package admin

import (
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"cacheproxy/proxy"
)

// kind is what decides into which series an outcome is counted.
type kind struct {
	action, reason, refused, status int
	confirmed                       bool // the origin said that what is stored still holds
	route                           string
}

// series are the counters of one kind of outcome, looked up once.
type series struct {
	requests, responses prometheus.Counter

	refused  prometheus.Counter // nil when nothing was refused
	duration prometheus.Observer
	fail     bool
}

// Observe counts an outcome, and does not keep it. It takes no lock and does
// not allocate, except for the first outcome of each kind.
func (m *Metrics) Observe(o *proxy.Outcome) {
	k := kind{int(o.Action), int(o.Reason), int(o.Refused), o.Status, o.FwdStatus == http.StatusNotModified, o.Route}
	if class(k.status) == 0 {
		k.status = 0 // all of them are one kind
	}
	s := (*m.series.Load())[k]
	if s == nil {
		s = m.meet(k, o)
	}
	s.requests.Inc()
	s.responses.Inc()
	if s.refused != nil {
		s.refused.Inc()
	}
	s.duration.Observe(o.Duration.Seconds())
	if o.OriginTime > 0 && !o.Collapsed {
		m.origin.Observe(o.OriginTime.Seconds())
	}
	if o.FromCache > 0 {
		m.bytesCache.Add(float64(o.FromCache))
	}
	if n := o.Bytes - o.FromCache; n > 0 && !s.fail {
		m.bytesOrigin.Add(float64(n))
	}
	if o.Aborted {
		m.aborted.Inc()
	}
}

// meet adds the series of a kind that was not seen before. The map is replaced
// as a whole, so that Observe reads it without a lock.
func (m *Metrics) meet(k kind, o *proxy.Outcome) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := *m.series.Load()
	if s := known[k]; s != nil {
		return s // two outcomes of a new kind came at once
	}
	k.route = strings.Clone(k.route) // the outcome's may be part of something larger
	res := result(o.Action.String())
	s := &series{
		requests:  m.requests.WithLabelValues(o.Action.String(), o.Reason.String(), classes[class(k.status)], k.route),
		responses: m.responses.WithLabelValues(statusLabel(k.status), o.From()),
		duration:  m.duration.WithLabelValues(res),
		fail:      res == "fail",
	}
	if k.refused != 0 {
		s.refused = m.refused.WithLabelValues(o.Refused.String())
	}
	next := maps.Clone(known)
	next[k] = s
	m.series.Store(&next)
	return s
}

var results = []string{"hit", "stale", "miss", "pass", "fail"}

// result says in one word what the cache did.
func result(action string) string {
	switch action {
	case "serve":
		return "hit"
	case "serve-stale":
		return "stale"
	case "fetch", "validate":
		return "miss"
	}
	return action
}

var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

// class is the index in classes of a status.
func class(status int) int {
	if c := status / 100; c >= 1 && c < len(classes) {
		return c
	}
	return 0
}

// statusLabel is a status as a label: of a hostile origin's there are not many.
func statusLabel(status int) string {
	if class(status) == 0 {
		return classes[0]
	}
	return strconv.Itoa(status)
}
