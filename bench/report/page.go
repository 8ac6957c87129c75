package report

import (
	_ "embed"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// headline is a number that is seen first.
type headline struct{ Value, Name string }

// picture is a chart as a page shows it.
type picture struct {
	Title  string
	Legend []entry
	SVG    template.HTML
}

// entry is a line of a legend.
type entry struct {
	Name   string
	Colour int
	Dashed bool
}

// bar is a whole and its parts side by side.
type bar struct {
	Title string
	Parts []part
}

// part is one of them; widths are percent of the whole.
type part struct {
	Name, Share string
	Class       string
	Width       template.CSS
}

// page is what the template shows.
type page struct {
	Title, Lead string
	Headlines   []headline
	Notes       []string
	Pictures    []picture
	Bars        []bar
	Tables      []table
	Facts       [][2]string
}

// Page writes the run as one HTML page that needs nothing else.
func (r *Run) Page(w io.Writer) error {
	list, err := charts([]named{{Run: r}})
	if err != nil {
		return err
	}
	return pageTemplate.Execute(w, page{
		Title: "Load test of " + r.Target, Lead: r.Started.Format("2 January 2006, 15:04 MST"),
		Headlines: r.headlines(), Notes: r.notes(), Pictures: pictures(list), Bars: r.bars(), Tables: r.tables(), Facts: r.facts(),
	})
}

func pictures(list []chart) (out []picture) {
	for _, c := range list {
		p := picture{Title: c.title, SVG: c.svg()}
		for _, l := range c.lines {
			p.Legend = append(p.Legend, entry{l.name, l.colour, l.dashed})
		}
		out = append(out, p)
	}
	return out
}

// headlines answer the first questions: how often, how fast, how much, what failed.
func (r *Run) headlines() (list []headline) {
	if best := r.Best(); best != nil {
		list = append(list, headline{percent(best.Requests), "hit ratio, requests"}, headline{percent(best.Bytes), "hit ratio, bytes"})
	}
	if r.Hits.Count > 0 {
		list = append(list, headline{millis(float64(r.Hits.At(99))) + " ms", "99 % of the hits"})
	}
	if r.Misses.Count > 0 {
		list = append(list, headline{millis(float64(r.Misses.At(99))) + " ms", "99 % of the misses"})
	}
	if r.Hits.Count+r.Misses.Count == 0 && r.All.Count > 0 {
		list = append(list, headline{millis(float64(r.All.At(99))) + " ms", "99 % of the requests"})
	}
	list = append(list, headline{figure(r.PerSecond(r.Answered)), "requests per second"})
	if r.Origin != nil {
		list = append(list, headline{figure(r.PerSecond(r.Origin.Requests)), "of them to the origin"})
	}
	if r.Watched != nil {
		list = append(list, headline{size(float64(r.Watched.MostRSS)), "most memory"})
	}
	return append(list, headline{count(r.Failed()), "errors"})
}

// resultClasses and statusClasses are the colours of bars.
var (
	resultClasses = map[string]string{"hit": "c0", "stale": "c4", "collapsed": "c2", "revalidated": "c5", "miss": "c1", "bypass": "c3", "unknown": "cx"}
	statusClasses = map[string]string{"200": "c0", "206": "c4", "304": "c2", "404": "c1", "502": "c3", "503": "c3", "504": "c3"}
)

func (r *Run) bars() []bar {
	results, statuses := bar{Title: "What the cache did"}, bar{Title: "Statuses"}
	if r.ByFields != nil {
		for _, res := range r.Results {
			results.add(res.Name, resultClasses[res.Name], res.Requests, r.Answered)
		}
	}
	all := int64(0)
	for _, s := range r.Statuses {
		all += s.Requests
	}
	for _, s := range r.Statuses {
		statuses.add(s.Name, statusClasses[s.Name], s.Requests, all)
	}
	var out []bar
	for _, b := range []bar{results, statuses} {
		if len(b.Parts) > 0 {
			out = append(out, b)
		}
	}
	return out
}

func (b *bar) add(name, class string, n, all int64) {
	if n == 0 || all == 0 {
		return
	}
	if class == "" {
		class = "cx"
	}
	width := template.CSS("width:" + trimmed(100*float64(n)/float64(all)) + "%")
	b.Parts = append(b.Parts, part{Name: name, Share: share(n, all), Class: class, Width: width})
}
