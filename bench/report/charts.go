package report

import "strconv"

// named is a run among those of a page. The name is empty if it is alone.
type named struct {
	*Run
	name string
}

// label names a line: what it is, and of which run.
func (n named) label(what string) string {
	switch {
	case n.name == "":
		return what
	case what == "":
		return n.name
	}
	return n.name + ", " + what
}

// charts are the pictures of one run, or those of several laid over each other.
func charts(runs []named) (list []chart, err error) {
	first, err := distribution(runs)
	if err != nil {
		return nil, err
	}
	for _, c := range []chart{first, ratioChart(runs), throughput(runs), latencies(runs), memory(runs), processor(runs)} {
		if !c.empty() {
			list = append(list, c)
		}
	}
	return list, nil
}

// colour tells lines apart: by run when there are several, else by what they show.
func colour(runs []named, run, what int) int {
	if len(runs) > 1 {
		return run % colours
	}
	return what
}

const colours = 6

// distribution shows latency by percentile.
func distribution(runs []named) (chart, error) {
	c := chart{title: "Latency by percentile", about: "the further right, the rarer", x: "percent of the requests", y: "ms"}
	deepest := 10.0
	for i, r := range runs {
		for j, l := range []struct {
			name string
			Latency
		}{{"hits", r.Hits}, {"misses", r.Misses}, {"all", r.All}} {
			if j == 2 && r.Hits.Count+r.Misses.Count > 0 {
				continue // nothing new in it
			}
			curve, err := l.curve()
			if err != nil {
				return c, err
			}
			line := line{name: r.label(l.name), colour: colour(runs, i, j), dashed: j == 1 && len(runs) > 1}
			for _, p := range curve {
				x := 1 / (1 - p.Percent/100)
				line.points = append(line.points, point{x, float64(p.Micros) / 1000})
				deepest = max(deepest, x)
			}
			if len(curve) > 0 {
				c.lines = append(c.lines, line)
			}
		}
	}
	least, most := c.span()
	c.yAxis = logarithmic(max(least, 0.001), max(most, 0.002), tickName)
	c.xAxis = percentAxis(deepest)
	if most == 0 {
		c.lines = nil
	}
	return c, nil
}

// percentAxis maps 1/(1-p): each nine of a percentile has as much room as the
// one before.
func percentAxis(deepest float64) axis {
	a := axis{low: 1, high: deepest, log: true, ticks: []tick{{1, "0"}, {2, "50"}}}
	for nines, x := 1, 10.0; x <= deepest; nines, x = nines+1, 10*x {
		a.ticks = append(a.ticks, tick{x, strconv.FormatFloat(100*(1-1/x), 'f', max(nines-2, 0), 64)})
	}
	return a
}

// overTime is a chart whose x axis is the time of the longest run.
func overTime(runs []named, title, about, y string) chart {
	longest := 0.0
	for _, r := range runs {
		if n := len(r.Series); n > 0 {
			longest = max(longest, r.Series[n-1].Second)
		}
	}
	return chart{title: title, about: about, x: "seconds since the start", y: y, xAxis: timeAxis(longest)}
}

// timeAxis ends where the run ends.
func timeAxis(longest float64) axis {
	a := linear(longest, tickName)
	if longest > 0 {
		a.high = longest
		for len(a.ticks) > 0 && a.ticks[len(a.ticks)-1].at > longest {
			a.ticks = a.ticks[:len(a.ticks)-1]
		}
	}
	return a
}

// over makes a line of a series; each point knows the length of its interval.
func (n named) over(l line, y func(p Point, length float64) float64) line {
	before := 0.0
	for _, p := range n.Series {
		if length := p.Second - before; length > 0 {
			l.points = append(l.points, point{p.Second, y(p, length)})
		}
		before = p.Second
	}
	return l
}

func ratioChart(runs []named) chart {
	c := overTime(runs, "Hit ratio over time", "requests that the origin was not asked for", "% of the requests")
	for i, r := range runs {
		if r.ByFields == nil {
			continue
		}
		l := line{name: r.label(""), colour: colour(runs, i, 0)}
		if l.name == "" {
			l.name = "hits"
		}
		before := 0.0
		l = r.over(l, func(p Point, _ float64) float64 {
			if p.Requests > 0 {
				before = 100 * float64(p.Saved) / float64(p.Requests)
			}
			return before
		})
		c.lines = append(c.lines, l)
	}
	c.yAxis = linear(100, tickName)
	return c
}

func throughput(runs []named) chart {
	c := overTime(runs, "Throughput over time", "requests answered, and what of them reached the origin", "requests per second")
	for i, r := range runs {
		c.lines = append(c.lines, r.over(line{name: r.label("clients"), colour: colour(runs, i, 0)}, func(p Point, length float64) float64 {
			return float64(p.Requests) / length
		}))
		if r.Origin != nil {
			c.lines = append(c.lines, r.over(line{name: r.label("origin"), colour: colour(runs, i, 1), dashed: len(runs) > 1}, func(p Point, length float64) float64 {
				return float64(p.Origin) / length
			}))
		}
		if r.Failed() > 0 {
			c.lines = append(c.lines, r.over(line{name: r.label("errors"), colour: colour(runs, i, 3), dashed: true}, func(p Point, length float64) float64 {
				return float64(p.Errors) / length
			}))
		}
	}
	_, most := c.span()
	c.yAxis = linear(most, tickName)
	return c
}

func latencies(runs []named) chart {
	c := overTime(runs, "Latency over time", "median and 99 % of each interval", "ms")
	for i, r := range runs {
		for j, l := range []struct {
			name   string
			count  int64
			dashed bool
			us     func(Point) int64
		}{
			{"hits 50 %", r.Hits.Count, false, func(p Point) int64 { return p.HitP50 }},
			{"hits 99 %", r.Hits.Count, true, func(p Point) int64 { return p.HitP99 }},
			{"misses 50 %", r.Misses.Count, false, func(p Point) int64 { return p.MissP50 }},
			{"misses 99 %", r.Misses.Count, true, func(p Point) int64 { return p.MissP99 }},
		} {
			if l.count == 0 || len(runs) > 1 && j%2 == 0 { // several runs: only the 99 %
				continue
			}
			dashed := l.dashed
			if len(runs) > 1 {
				dashed = j == 3
			}
			c.lines = append(c.lines, r.over(line{name: r.label(l.name), colour: colour(runs, i, j/2), dashed: dashed, gaps: true},
				func(p Point, _ float64) float64 { return float64(l.us(p)) / 1000 }))
		}
	}
	least, most := c.span()
	c.yAxis = logarithmic(max(least, 0.001), max(most, 0.002), tickName)
	if most == 0 {
		c.lines = nil
	}
	return c
}

func memory(runs []named) chart {
	c := overTime(runs, "Memory of the proxy over time", "resident memory of its processes", "MiB")
	bounds := map[Bound]bool{}
	for i, r := range runs {
		if r.Watched == nil {
			continue
		}
		name := r.label("")
		if name == "" {
			name = "resident"
		}
		bounds[r.Watched.Bound] = true
		c.lines = append(c.lines, r.over(line{name: name, colour: colour(runs, i, 2), gaps: true}, func(p Point, _ float64) float64 {
			return float64(p.RSS) / (1 << 20)
		}))
	}
	_, most := c.span()
	for b := range bounds {
		if len(bounds) == 1 && b.Bytes > 0 { // one for all
			level := float64(b.Bytes) / (1 << 20)
			c.bound = &line{name: b.Name + ": " + size(float64(b.Bytes)), points: []point{{0, level}}}
			most = max(most, level*1.15) // room for its name
		}
	}
	c.yAxis = linear(most, tickName)
	return c
}

func processor(runs []named) chart {
	c := overTime(runs, "CPU of the proxy over time", "CPU time of its processes", "CPUs")
	for i, r := range runs {
		if r.Watched == nil {
			continue
		}
		name := r.label("")
		if name == "" {
			name = "user and system"
		}
		c.lines = append(c.lines, r.over(line{name: name, colour: colour(runs, i, 2)}, func(p Point, length float64) float64 {
			return p.CPU / length
		}))
	}
	_, most := c.span()
	c.yAxis = linear(most, tickName)
	return c
}
