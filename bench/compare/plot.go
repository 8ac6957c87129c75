package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

// The picture is as wide as a README shows it. All lengths are in its units.
const (
	plotWidth = 800
	plotLeft  = 232 // where bars begin; labels are to the left of it
	plotRight = 748 // where the axis ends
	plotTop   = 92
	barHeight = 13
	barGap    = 2
	groupGap  = 16
)

// plotStyle has the colours, which stay apart for all kinds of colour vision in
// both schemes. A picture in a page does not know the colours around it, so it
// brings its own background.
const plotStyle = `
svg { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 13px; fill: #1f2328; }
.ground { fill: #ffffff; } .soft { fill: #59636e; } .line { stroke: #d8dee4; } .base { stroke: #1f2328; stroke-width: 1.5; }
.title { font-size: 17px; font-weight: 600; } .small { font-size: 11px; }
.value { font-size: 11px; stroke: #ffffff; stroke-width: 3px; paint-order: stroke; }
.ours0 { fill: #0b63ce; } .ours1 { fill: #7a4fc9; } .ours2 { fill: #0e8a8a; } .rival1 { fill: #d98324; } .rival2 { fill: #9aa4ae; }
.floor { stroke: #c0262d; stroke-width: 2.5; }
@media (prefers-color-scheme: dark) {
svg { fill: #e6edf3; }
.ground { fill: #0d1117; } .value { stroke: #0d1117; } .soft { fill: #9198a1; } .line { stroke: #30363d; } .base { stroke: #e6edf3; }
.ours0 { fill: #58a6ff; } .ours1 { fill: #b392f0; } .ours2 { fill: #3fc5c5; } .rival1 { fill: #e3a04f; } .rival2 { fill: #6e7681; }
.floor { stroke: #ff6b6b; }
}
`

// series is what all bars of one colour belong to.
type series struct{ name, class string }

// group is the bars of one scenario.
type group struct {
	title  string
	cost   float64   // of the base, in µs
	ratios []float64 // one for each series; 0 where it was not measured
	marks  []string  // one for each series
	mark   string    // of the base
	floor  float64   // of the bare loop; 0 where it was not measured
}

// plot draws CPU per request of each peer relative to nginx as an SVG.
func plot(runs []result) (string, error) {
	t := pool(runs)
	list := plotSeries(t.peers)
	groups := plotGroups(t, list)
	if len(groups) == 0 {
		return "", errors.New("plot: no scenario was measured both for " + base + " and for cacheproxy in mode " + pinned)
	}
	scale := newScale(groups)
	var b strings.Builder
	y := float64(plotTop)
	for _, g := range groups {
		y = g.draw(&b, list, scale, y) + groupGap
	}
	height := y + 40
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" width="%[1]d" height="%.0[2]f" role="img" aria-labelledby="title desc">`+"\n", plotWidth, height)
	fmt.Fprintf(&out, `<title id="title">CPU per request, relative to %s</title>`+"\n", base)
	fmt.Fprintf(&out, `<desc id="desc">%s</desc>`+"\n", escape(describePlot(groups, list)))
	fmt.Fprintf(&out, "<style>%s</style>\n", plotStyle)
	fmt.Fprintf(&out, `<rect class="ground" width="%d" height="%.0f" rx="6"/>`+"\n", plotWidth, height)
	fmt.Fprintf(&out, `<text class="title" x="20" y="32">CPU per request, relative to %s = 1</text>`+"\n", base)
	drawLegend(&out, list, groups)
	scale.draw(&out, y)
	out.WriteString(b.String())
	fmt.Fprintf(&out, `<text class="soft small" x="20" y="%.0f">%s</text>`+"\n", height-14, escape(footer(runs[0], t, groups)))
	out.WriteString("</svg>\n")
	return out.String(), nil
}

// footer says how it was measured.
func footer(r result, t tables, groups []group) string {
	text := fmt.Sprintf("Shorter is better. One CPU, one worker, median of %d. %s.", rounds(t), r.Machine.CPU)
	for _, g := range groups {
		if g.mark != "" || strings.Join(g.marks, "") != "" {
			return text + "  * fetches whole answers each time."
		}
	}
	return text
}

// plotSeries gives colours: ours and the rivals have their own. The base is a
// line, and a floor is no rival.
func plotSeries(peers []participant) (list []series) {
	mine, others := 0, 0
	for _, p := range peers {
		switch {
		case p.Role == ours:
			list = append(list, series{p.Name, fmt.Sprintf("ours%d", mine%3)})
			mine++
		case p.Role == rival && p.Name != base:
			others++
			list = append(list, series{p.Name, fmt.Sprintf("rival%d", others)})
		}
	}
	return list
}

func plotGroups(t tables, list []series) (groups []group) {
	for _, s := range t.measured(pinned) {
		reference := t.cell(pinned, s.name, base)
		if reference.empty() || reference.median(sample.cost) == 0 {
			continue
		}
		g := group{title: s.title, cost: reference.median(sample.cost), mark: reference.mark()}
		mine := false
		for _, se := range list {
			c := t.cell(pinned, s.name, se.name)
			r := 0.0
			g.marks = append(g.marks, c.mark())
			if !c.empty() {
				r = c.median(sample.cost) / g.cost
				mine = mine || strings.HasPrefix(se.class, ours)
			}
			g.ratios = append(g.ratios, r)
		}
		if c := t.cell(pinned, s.name, loopName); !c.empty() {
			g.floor = c.median(sample.cost) / g.cost
		}
		if mine {
			groups = append(groups, g)
		}
	}
	return groups
}

// scale maps ratios to places.
type scale struct{ most, step float64 }

// newScale shows all ratios up to 4; longer bars are cut, and say how long they
// are.
func newScale(groups []group) scale {
	most := 1.25
	for _, g := range groups {
		for _, r := range append(g.ratios, g.floor) {
			most = max(most, r)
		}
	}
	s := scale{most: min(most, 4), step: 0.25}
	if s.most > 2 {
		s.step = 0.5
	}
	return s
}

// at leaves room for the number behind the longest bar.
func (s scale) at(ratio float64) float64 {
	return plotLeft + min(ratio, s.most)/s.most*(plotRight-plotLeft-30)
}

func (s scale) draw(b *strings.Builder, bottom float64) {
	for v := 0.0; v <= s.most; v += s.step {
		class, text := "line", fmt.Sprintf("%g", v)
		if v == 1 {
			class, text = "base", base
		}
		x := s.at(v)
		fmt.Fprintf(b, `<line class="%s" x1="%.1f" x2="%.1[2]f" y1="%d" y2="%.0f"/>`+"\n", class, x, plotTop-10, bottom-8)
		fmt.Fprintf(b, `<text class="soft small" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x, plotTop-16, text)
	}
}

// draw draws a group from y on, and returns where it ends.
func (g group) draw(b *strings.Builder, list []series, s scale, y float64) float64 {
	n := 0
	for _, r := range g.ratios {
		if r > 0 {
			n++
		}
	}
	end := y + max(float64(n)*(barHeight+barGap), 2*barHeight+4)
	middle := (y + end) / 2
	fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", plotLeft-12, middle-2, escape(g.title))
	fmt.Fprintf(b, `<text class="soft small" x="%d" y="%.1f" text-anchor="end">%s: %s µs%s</text>`+"\n", plotLeft-12, middle+13, base, digits(g.cost), g.mark)
	top := middle - float64(n)*(barHeight+barGap)/2
	at := top
	var numbers strings.Builder // above all lines
	for i, r := range g.ratios {
		if r == 0 {
			continue
		}
		text := fmt.Sprintf("%.2f%s", r, g.marks[i])
		if r > s.most {
			text += " →"
		}
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%.1f" width="%.1f" height="%d" rx="2"><title>%s</title></rect>`+"\n",
			list[i].class, plotLeft, at, s.at(r)-plotLeft, barHeight, escape(fmt.Sprintf("%s, %s: %.2f × %s", g.title, list[i].name, r, base)))
		fmt.Fprintf(&numbers, `<text class="value" x="%.1f" y="%.1f">%s</text>`+"\n", s.at(r)+4, at+barHeight-3, text)
		at += barHeight + barGap
	}
	if g.floor > 0 {
		fmt.Fprintf(b, `<line class="floor" x1="%.1f" x2="%.1[1]f" y1="%.1f" y2="%.1f"/>`+"\n", s.at(g.floor), top-3, at+1)
	}
	b.WriteString(numbers.String())
	return end
}

func drawLegend(b *strings.Builder, list []series, groups []group) {
	x, y := 20, 56
	for _, se := range list {
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="12" height="12" rx="2"/>`, se.class, x, y-11)
		fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`+"\n", x+18, y, escape(se.name))
		x += 18 + 8*len(se.name) + 24
	}
	for _, g := range groups {
		if g.floor > 0 {
			fmt.Fprintf(b, `<line class="floor" x1="%d" x2="%[1]d" y1="%d" y2="%d"/>`, x+5, y-13, y+3)
			fmt.Fprintf(b, `<text x="%d" y="%d">a loop that only reads and writes</text>`+"\n", x+18, y)
			return
		}
	}
}

// describePlot says in words what the picture shows.
func describePlot(groups []group, list []series) string {
	var all []string
	for _, g := range groups {
		var parts []string
		for i, r := range g.ratios {
			if r > 0 {
				parts = append(parts, fmt.Sprintf("%s %.2f", list[i].name, r))
			}
		}
		all = append(all, g.title+": "+strings.Join(parts, ", "))
	}
	return strings.Join(all, "; ")
}

// rounds is how many measurements the medians are of.
func rounds(t tables) int {
	most := 0
	for _, s := range t.measured(pinned) {
		for _, p := range t.peers {
			most = max(most, len(t.cell(pinned, s.name, p.Name).samples))
		}
	}
	return most
}

// digits shows three digits or more.
func digits(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
