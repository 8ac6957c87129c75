package admin

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// table is a metric with labels that is read at every scrape.
type table struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(add func(value float64, labels ...string))
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("cacheproxy_"+name, help, labels, nil)
}

// Describe is for the registry.
func (t *table) Describe(to chan<- *prometheus.Desc) { to <- t.desc }

// Collect is for the registry, which refuses all of a scrape in which the same
// labels come twice: their values are added.
func (t *table) Collect(to chan<- prometheus.Metric) {
	type row struct {
		labels []string
		value  float64
	}
	rows := make(map[string]*row)
	t.read(func(value float64, labels ...string) {
		for i := range labels {
			labels[i] = strings.ToValidUTF8(labels[i], "?")
		}
		key := strings.Join(labels, "\x00")
		if rows[key] == nil {
			rows[key] = &row{labels: labels}
		}
		rows[key].value += value
	})
	for _, r := range rows {
		m, err := prometheus.NewConstMetric(t.desc, t.kind, r.value, r.labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(t.desc, err)
		}
		to <- m
	}
}
