package insight

import (
	"time"

	"cacheproxy/policy"
)

// Series is a span of time in columns of equal length, oldest first. A null
// says that nothing was there to measure.
type Series struct {
	Step    float64               `json:"step_s"`
	Columns map[string][]*float64 `json:"columns"`
}

// column is one figure of a point.
type column struct {
	name string
	read func(*Point) *float64
}

// columns are the figures of a series: time in seconds since 1970; requests per
// second by action and by status class; ratios; bytes per second; medians and
// 99th percentiles in milliseconds; and the store.
var columns = allColumns()

func allColumns() []column {
	all := []column{
		number("time", func(p *Point) float64 { return float64(p.Time.UnixMilli()) / 1000 }),
		{"hit_ratio", func(p *Point) *float64 { return share(p.Hits(), p.Requests()) }},
		{"byte_hit_ratio", func(p *Point) *float64 { return share(p.BytesCache, p.BytesCache+p.BytesOrigin) }},
		number("bytes_cache", func(p *Point) float64 { return float64(p.BytesCache) / p.Span.Seconds() }),
		number("bytes_origin", func(p *Point) float64 { return float64(p.BytesOrigin) / p.Span.Seconds() }),
		number("store_entries", func(p *Point) float64 { return float64(p.Store.Entries) }),
		number("store_bytes", func(p *Point) float64 { return float64(p.Store.Cost) }),
		number("store_limit", func(p *Point) float64 { return float64(p.Store.MaxCost) }),
		number("store_evicted", func(p *Point) float64 { return float64(p.Store.Evicted) }),
	}
	for _, a := range policy.Actions() {
		all = append(all, number(a.String(), func(p *Point) float64 { return float64(p.Actions[a]) / p.Span.Seconds() }))
	}
	for i, name := range classes {
		all = append(all, number(name, func(p *Point) float64 { return float64(p.Classes[i]) / p.Span.Seconds() }))
	}
	for k, name := range latencyNames {
		for i, q := range [2]string{"_p50", "_p99"} {
			all = append(all, column{name + q, func(p *Point) *float64 {
				if p.Quantiles[k][i] < 0 {
					return nil
				}
				ms := millis(p.Quantiles[k][i])
				return &ms
			}})
		}
	}
	return all
}

func number(name string, read func(*Point) float64) column {
	return column{name, func(p *Point) *float64 {
		v := read(p)
		return &v
	}}
}

// Series returns a series over the last 5m (by the second), 24h (by the minute)
// or 30d (by the hour, without latencies); 1h is the end of 24h. It returns
// false for any other span.
func (in *Insight) Series(span string) (Series, bool) { return in.series(time.Now(), span) }

func (in *Insight) series(now time.Time, span string) (s Series, ok bool) {
	h := &in.history
	resolution := map[string]struct {
		of   *ring
		step time.Duration
		span time.Duration
	}{
		"5m":  {&h.seconds, time.Second, 5 * time.Minute},
		"1h":  {&h.minutes, time.Minute, time.Hour},
		"24h": {&h.minutes, time.Minute, 24 * time.Hour},
		"30d": {&h.hours, time.Hour, budgetWindow},
	}
	r, ok := resolution[span]
	if !ok {
		return s, false
	}
	s = Series{r.step.Seconds(), make(map[string][]*float64, len(columns))}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, c := range columns {
		s.Columns[c.name] = []*float64{}
	}
	for p := range r.of.since(now.Add(-r.span)) {
		for _, c := range columns {
			s.Columns[c.name] = append(s.Columns[c.name], c.read(p))
		}
	}
	return s, true
}
