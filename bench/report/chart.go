package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// A picture is as wide as a phone shows it, so that its text is readable there;
// wide screens have two side by side. All lengths are in its units.
const (
	chartWidth  = 420
	chartHeight = 256
	plotLeft    = 54
	plotRight   = 408
	plotTop     = 26
	plotBottom  = 210
)

// point is a place in a chart, in the units of its axes.
type point struct{ x, y float64 }

// line is one line of a chart.
type line struct {
	name   string
	colour int  // 0 to 5: a class of the page's style
	dashed bool // to tell two lines of one colour apart
	points []point
	gaps   bool // where y is 0 nothing was measured
}

// chart is a picture of lines over two axes.
type chart struct {
	title, about string // about says in a sentence what is to be seen
	x, y         string // names of the axes, with units
	lines        []line
	bound        *line // a level that is not measured, but given
	xAxis, yAxis axis
}

// axis maps values to a place between two ends, and names some of them.
type axis struct {
	low, high float64
	log       bool
	ticks     []tick
}

type tick struct {
	at   float64
	name string
}

// place is where a value lies, from 0 to 1.
func (a axis) place(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log10(max(v, a.low)), math.Log10(low), math.Log10(high)
	}
	return min(max((v-low)/(high-low), 0), 1)
}

// linear is an axis from 0 with up to six round ticks.
func linear(high float64, name func(float64) string) axis {
	if !(high > 0 && high < 1e300) { // nothing, or nonsense in a file
		high = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(high/5)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if high <= 5*step*factor {
			step *= factor
			break
		}
	}
	a := axis{high: step * math.Ceil(high/step-1e-9)}
	for i := 0; float64(i)*step <= a.high*(1+1e-9); i++ {
		a.ticks = append(a.ticks, tick{float64(i) * step, name(float64(i) * step)})
	}
	return a
}

// logarithmic is an axis over whole decades.
func logarithmic(low, high float64, name func(float64) string) axis {
	from, to := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	if from == to {
		to++
	}
	a := axis{low: math.Pow(10, from), high: math.Pow(10, to), log: true}
	for e := from; e <= to; e++ {
		a.ticks = append(a.ticks, tick{math.Pow(10, e), name(math.Pow(10, e))})
	}
	return a
}

// svg draws the chart. Its colours are those of the page around it.
func (c chart) svg() template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, chartHeight, template.HTMLEscapeString(c.title+": "+c.about))
	c.drawAxes(&b)
	if c.bound != nil {
		y := c.placeY(c.bound.points[0].y)
		fmt.Fprintf(&b, `<path class="bound" d="M%d %.1fH%d"/>`, plotLeft, y, plotRight)
		fmt.Fprintf(&b, `<text class="soft" x="%d" y="%.1f" text-anchor="end">%s</text>`, plotRight-4, y-5, template.HTMLEscapeString(c.bound.name))
	}
	for _, l := range c.lines {
		if d := c.path(l); d != "" {
			class := fmt.Sprintf("line c%d", l.colour)
			if l.dashed {
				class += " dashed"
			}
			fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, class, d)
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func (c chart) placeX(v float64) float64 { return plotLeft + c.xAxis.place(v)*(plotRight-plotLeft) }
func (c chart) placeY(v float64) float64 { return plotBottom - c.yAxis.place(v)*(plotBottom-plotTop) }

func (c chart) drawAxes(b *strings.Builder) {
	for _, t := range c.yAxis.ticks {
		y := c.placeY(t.at)
		fmt.Fprintf(b, `<path class="grid" d="M%d %.1fH%d"/>`, plotLeft, y, plotRight)
		fmt.Fprintf(b, `<text class="soft" x="%d" y="%.1f" text-anchor="end">%s</text>`, plotLeft-7, y+4, t.name)
	}
	for _, t := range c.xAxis.ticks {
		x := c.placeX(t.at)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %dV%d"/>`, x, plotTop, plotBottom)
		fmt.Fprintf(b, `<text class="soft" x="%.1f" y="%d" text-anchor="middle">%s</text>`, x, plotBottom+18, t.name)
	}
	fmt.Fprintf(b, `<path class="base" d="M%d %dH%d"/>`, plotLeft, plotBottom, plotRight)
	fmt.Fprintf(b, `<text class="soft" x="%d" y="14">%s</text>`, plotLeft-46, template.HTMLEscapeString(c.y))
	fmt.Fprintf(b, `<text class="soft" x="%d" y="%d" text-anchor="end">%s</text>`, plotRight, plotBottom+40, template.HTMLEscapeString(c.x))
}

// path is the line in the words of SVG; gaps begin it anew. A lone point gets a
// short stroke, which round ends make a dot.
func (c chart) path(l line) string {
	var b strings.Builder
	drawn := 0
	for _, p := range l.points {
		if l.gaps && p.y == 0 {
			drawn = 0
			continue
		}
		switch drawn {
		case 0:
			fmt.Fprintf(&b, "M%.1f %.1fh.1", c.placeX(p.x), c.placeY(p.y))
		default:
			fmt.Fprintf(&b, "L%.1f %.1f", c.placeX(p.x), c.placeY(p.y))
		}
		drawn++
	}
	return b.String()
}

// span returns the smallest y of all lines that is not 0, and the greatest.
func (c chart) span() (least, most float64) {
	least = math.Inf(1)
	for _, l := range c.lines {
		for _, p := range l.points {
			most = max(most, p.y)
			if p.y > 0 {
				least = min(least, p.y)
			}
		}
	}
	return min(least, most), most
}

// empty reports whether there is nothing to be seen.
func (c chart) empty() bool {
	for _, l := range c.lines {
		if len(l.points) > 0 {
			return false
		}
	}
	return true
}
