package report

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// MostCompared is how many runs fit side by side.
const MostCompared = 5

// Compared is a set of runs, each with a name of its own.
type Compared struct{ runs []named }

// Compare reads the files of 2 to MostCompared runs. Their names are those of
// the files without directory and .json, or with as much of it as tells them apart.
func Compare(files []string) (*Compared, error) {
	if len(files) < 2 || len(files) > MostCompared {
		return nil, fmt.Errorf("%s to compare: give 2 to %d", plural(int64(len(files)), "file"), MostCompared)
	}
	c := new(Compared)
	names := shortNames(files)
	for i, f := range files {
		r, err := Read(f)
		if err != nil {
			return nil, err
		}
		c.runs = append(c.runs, named{r, names[i]})
	}
	return c, nil
}

// shortNames cuts directories off as long as no two files look alike.
func shortNames(files []string) []string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	if alike(names) {
		for i, f := range files {
			names[i] = strings.TrimSuffix(f, ".json")
		}
	}
	if alike(names) {
		for i := range names {
			names[i] = fmt.Sprintf("%s (%d)", names[i], i+1)
		}
	}
	return names
}

func alike(names []string) bool {
	sorted := slices.Sorted(slices.Values(names))
	return len(slices.Compact(sorted)) < len(names)
}

// Text writes the runs side by side as tables.
func (c *Compared) Text(w io.Writer) error {
	out := bufio.NewWriter(w)
	writeFacts(out, c.facts())
	for _, t := range c.tables() {
		for i, name := range t.Head {
			t.Head[i] = cut(name, (width-labels)/len(t.Head)-2)
		}
		out.WriteByte('\n')
		t.write(out)
	}
	writeNotes(out, c.notes())
	return out.Flush()
}

// labels is the room for the names of rows.
const labels = 24

// cut shortens a name in its middle, where names of files differ least.
func cut(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	head := (most - 1) / 2
	return string(runes[:head]) + "~" + string(runes[len(runes)-(most-1-head):])
}

// Page writes the runs side by side as one HTML page that needs nothing else.
func (c *Compared) Page(w io.Writer) error {
	list, err := charts(c.runs)
	if err != nil {
		return err
	}
	var names []string
	for _, r := range c.runs {
		names = append(names, r.name)
	}
	return pageTemplate.Execute(w, page{
		Title: "Load tests compared: " + strings.Join(names, ", "), Lead: "Lines of one colour belong to one run.",
		Notes: c.notes(), Pictures: pictures(list), Tables: c.tables(), Facts: c.facts(),
	})
}

func (c *Compared) facts() (list [][2]string) {
	for _, r := range c.runs {
		loop := "closed loop"
		if r.Load.Rate > 0 {
			loop = figure(r.Load.Rate) + " requests/s"
		}
		list = append(list, [2]string{r.name, fmt.Sprintf("%s, %s, %d at a time, %s, %s, warm-up %s, %s",
			r.Target, r.Load.Protocol, r.Load.Connections, loop, seconds(r.Seconds), r.Load.Warmup, r.Started.Format("2006-01-02 15:04 MST"))})
	}
	return append(list, [2]string{"Workload", c.runs[0].Workload})
}

// notes say what keeps the runs from being comparable, and what is to be known
// of each.
func (c *Compared) notes() (out []string) {
	first := c.runs[0]
	for _, r := range c.runs[1:] {
		if r.Workload != first.Workload {
			out = append(out, fmt.Sprintf("%s has another workload than %s: %s", r.name, first.name, r.Workload))
		}
		if r.Load.Protocol != first.Load.Protocol || r.Load.Connections != first.Load.Connections || r.Load.Rate != first.Load.Rate {
			out = append(out, fmt.Sprintf("%s was sent in another way than %s.", r.name, first.name))
		}
	}
	for _, r := range c.runs {
		for _, n := range r.notes() {
			out = append(out, r.name+": "+n)
		}
	}
	return out
}

// row is a line of a comparison: a name, and the value of a run or "".
type row struct {
	name  string
	value func(*Run) string
}

func (c *Compared) tables() []table {
	return []table{
		c.table("Hits", []row{
			{"hit ratio, requests", ratioRow(func(r *Run) *Ratio { return r.Best() }, false)},
			{"hit ratio, bytes", ratioRow(func(r *Run) *Ratio { return r.Best() }, true)},
			{"  by the responses", ratioRow(func(r *Run) *Ratio { return r.ByFields }, false)},
			{"origin requests/s", func(r *Run) string {
				if r.Origin == nil {
					return ""
				}
				return figure(r.PerSecond(r.Origin.Requests))
			}},
			{"origin bytes/s", func(r *Run) string {
				if r.Origin == nil {
					return ""
				}
				return size(r.PerSecond(r.Origin.Bytes))
			}},
		}),
		c.table("Load", []row{
			{"requests/s", func(r *Run) string { return figure(r.PerSecond(r.Answered)) }},
			{"bytes/s", func(r *Run) string { return size(r.PerSecond(r.Bytes)) }},
			{"errors", func(r *Run) string { return count(r.Failed()) }},
		}),
		c.table("Latency, ms", slices.Concat(
			latencyRows("hits", func(r *Run) Latency { return r.Hits }),
			latencyRows("misses", func(r *Run) Latency { return r.Misses }),
			latencyRows("all", func(r *Run) Latency { return r.All }),
		)),
		c.table("CPU and memory", []row{
			{"proxy, us a request", func(r *Run) string {
				if r.Watched == nil || r.Answered == 0 {
					return ""
				}
				return figure(r.Watched.CPU / float64(r.Answered) * 1e6)
			}},
			{"proxy, most memory", func(r *Run) string {
				if r.Watched == nil {
					return ""
				}
				return size(float64(r.Watched.MostRSS))
			}},
			{"driver, CPUs", func(r *Run) string {
				if r.Seconds <= 0 {
					return ""
				}
				return figure(r.Driver.CPU / r.Seconds)
			}},
		}),
	}
}

// table leaves out rows that no run has.
func (c *Compared) table(title string, rows []row) table {
	t := table{Title: title}
	for _, r := range c.runs {
		t.Head = append(t.Head, r.name)
	}
	for _, row := range rows {
		cells, known := []string{row.name}, false
		for _, r := range c.runs {
			v := row.value(r.Run)
			known = known || v != ""
			if v == "" {
				v = none
			}
			cells = append(cells, v)
		}
		if known {
			t.Rows = append(t.Rows, cells)
		}
	}
	return t
}

func ratioRow(of func(*Run) *Ratio, bytes bool) func(*Run) string {
	return func(r *Run) string {
		ratio := of(r)
		switch {
		case ratio == nil:
			return ""
		case bytes:
			return percent(ratio.Bytes)
		}
		return percent(ratio.Requests)
	}
}

func latencyRows(name string, of func(*Run) Latency) (rows []row) {
	for _, p := range tabled[:4] {
		rows = append(rows, row{name + " " + p.name, func(r *Run) string {
			l := of(r)
			if l.Count == 0 {
				return ""
			}
			return millis(float64(l.At(p.percent)))
		}})
	}
	return rows
}
