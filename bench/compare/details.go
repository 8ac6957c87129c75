package main

import (
	"fmt"
	"slices"
)

// stampede has what the summary cannot show of that scenario.
func (t tables) stampede() string {
	name := scenarios[len(scenarios)-1].name
	var lines [][]string
	for _, p := range t.peers {
		c := t.cell(pinned, name, p.Name)
		if c.empty() {
			continue
		}
		var each []float64
		for _, s := range c.samples {
			for _, n := range s.OriginEach {
				each = append(each, float64(n))
			}
		}
		lines = append(lines, []string{
			p.Name, spread(each, "%.0f"), fmt.Sprintf("%.1f", c.median(sample.cost)),
			fmt.Sprintf("%.0f", c.median(func(s sample) float64 { return s.P50 })),
			fmt.Sprintf("%.0f", c.median(func(s sample) float64 { return s.P99 })),
			fmt.Sprintf("%.0f", sum(c.each(func(s sample) float64 { return float64(s.Bad) }))),
		})
	}
	if len(lines) == 0 {
		return ""
	}
	return "\n### 1,000 clients at once on one cold key\n\nThe origin needs 50 ms, and then has 64 KiB for each of them.\n\n" +
		markdown([]string{"peer", "origin requests", "CPU ms of the proxy", "p50 ms", "p99 ms", "bad answers"}, lines)
}

// details has a row for each peer in each scenario.
func (t tables) details() string {
	var lines [][]string
	for _, mode := range []string{pinned, unpinned} {
		for _, s := range t.measured(mode) {
			for _, p := range t.peers {
				if c := t.cell(mode, s.name, p.Name); !c.empty() {
					lines = append(lines, t.detail(mode, s, p, c))
				}
			}
		}
	}
	return "\n### All that was counted\n\nMedians over the rounds. The last column says how disturbed the worst round was: CPU that others used, in percent of one CPU.\n\n" +
		markdown([]string{
			"", "mode", "peer", "µs CPU per request", "min–max", "to " + base, "to " + loopName, "requests/s", "p99 ms",
			"origin requests per request", "304 per request", "bad answers", "others' CPU",
		}, lines)
}

func (t tables) detail(mode string, s scenario, p participant, c cell) []string {
	per := func(n func(sample) int64) string {
		return fmt.Sprintf("%.3f", c.median(func(s sample) float64 { return float64(n(s)) / float64(s.Requests) }))
	}
	loopRatio := "–"
	if p.Role == ours {
		loopRatio = ratio(c, t.cell(mode, s.name, loopName), sample.cost)
	}
	p99 := "–"
	if v := c.median(func(s sample) float64 { return s.P99 }); v > 0 {
		p99 = fmt.Sprintf("%.2f", v)
	}
	return []string{
		s.title, mode, p.Name, fmt.Sprintf("%.2f", c.median(sample.cost)), spread(c.each(sample.cost), "%.2f"),
		ratio(c, t.cell(mode, s.name, base), sample.cost), loopRatio, fmt.Sprintf("%.0f", c.median(sample.rate)), p99,
		per(func(s sample) int64 { return s.Origin }), per(func(s sample) int64 { return s.NotModified }),
		fmt.Sprintf("%.0f", sum(c.each(func(s sample) float64 { return float64(s.Bad) }))),
		fmt.Sprintf("%.0f %%", 100*slices.Max(c.each(func(s sample) float64 { return s.Others / s.Seconds }))),
	}
}
