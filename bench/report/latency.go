package report

import (
	"fmt"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// shown are the percentiles of tables; 100 is the maximum.
var shown = []float64{50, 75, 90, 99, 99.9, 99.99, 100}

// NewLatency summarises a histogram of microseconds.
func NewLatency(h *hdr.Histogram) (Latency, error) {
	l := Latency{Count: h.TotalCount()}
	text, err := h.EncodeV2()
	if err != nil {
		return l, fmt.Errorf("histogram of latencies: %w", err)
	}
	l.Histogram = string(text)
	if l.Count == 0 {
		return l, nil
	}
	l.Mean = h.Mean()
	for _, p := range shown {
		l.Percentiles = append(l.Percentiles, Percentile{p, h.ValueAtPercentile(p)})
	}
	return l, nil
}

// At returns a percentile of the table in microseconds, 0 if it is not there.
func (l Latency) At(percent float64) int64 {
	for _, p := range l.Percentiles {
		if p.Percent == percent {
			return p.Micros
		}
	}
	return 0
}

// curve returns the distribution in steps that suit a logarithmic axis: ten for
// each digit of the percentile, as far as there are requests to tell.
func (l Latency) curve() ([]Percentile, error) {
	if l.Count == 0 {
		return nil, nil
	}
	h, err := hdr.Decode([]byte(l.Histogram))
	if err != nil {
		return nil, fmt.Errorf("histogram of latencies: %w", err)
	}
	var out []Percentile
	for _, x := range depths(l.Count) {
		p := 100 * (1 - 1/x)
		out = append(out, Percentile{p, max(h.ValueAtPercentile(p), 1)})
	}
	return out, nil
}

// depths are the values of 1/(1-p) at which a curve of n requests is drawn: the
// last one stands for a single request, at most one in a hundred thousand.
func depths(n int64) (list []float64) {
	last := min(float64(n), 1e5)
	for decade := 1.0; decade <= 1e5; decade *= 10 {
		for step := 1.0; step < 10; step += 0.5 {
			if x := decade * step; x <= last {
				list = append(list, x)
			}
		}
	}
	return list
}
