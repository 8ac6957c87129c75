package report

import "strings"

// table is a small table: the first column names, the others are numbers.
type table struct {
	Title string
	Head  []string // of the other columns
	Rows  [][]string
}

// tables are those of a run, in the order in which a reader asks.
func (r *Run) tables() []table {
	list := []table{r.ratioTable(), r.resultTable(), r.latencyTable(), r.loadTable(), r.statusTable(), r.costTable()}
	out := list[:0]
	for _, t := range list {
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}

func (r *Run) ratioTable() table {
	t := table{Title: "Hit ratio", Head: []string{"requests", "bytes"}}
	if f := r.ByFields; f != nil {
		t.Rows = append(t.Rows, []string{"as the responses say", percent(f.Requests), percent(f.Bytes)})
	}
	if r.Origin != nil {
		f := r.Origin.Ratio
		t.Rows = append(t.Rows, []string{"as the origin counts", percent(f.Requests), percent(f.Bytes)})
	}
	return t
}

func (r *Run) resultTable() table {
	t := table{Title: "What the cache did", Head: []string{"requests", "share", "content", "share"}}
	if r.ByFields == nil {
		return t
	}
	content := int64(0) // failed requests are in r.Bytes, but not in the results
	for _, res := range r.Results {
		content += res.Bytes
	}
	for _, res := range r.Results {
		t.Rows = append(t.Rows, []string{
			res.Name, count(res.Requests), share(res.Requests, r.Answered), size(float64(res.Bytes)), share(res.Bytes, content),
		})
	}
	return t
}

// tabled are the percentiles for which there is room.
var tabled = []struct {
	name    string
	percent float64
}{{"50 %", 50}, {"90 %", 90}, {"99 %", 99}, {"99.9 %", 99.9}, {"most", 100}}

func (r *Run) latencyTable() table {
	t := table{Title: "Latency, ms", Head: []string{"requests", "mean"}}
	for _, p := range tabled {
		t.Head = append(t.Head, p.name)
	}
	for _, l := range []struct {
		name string
		Latency
	}{{"hits", r.Hits}, {"misses", r.Misses}, {"all", r.All}} {
		if l.Count == 0 {
			continue
		}
		row := []string{l.name, count(l.Count), millis(l.Mean)}
		for _, p := range tabled {
			row = append(row, millis(float64(l.At(p.percent))))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (r *Run) loadTable() table {
	t := table{Title: "Load", Head: []string{"requests", "per second", "content", "per second"}}
	row := func(name string, n, bytes int64) {
		t.Rows = append(t.Rows, []string{
			name, count(n), figure(r.PerSecond(n)), size(float64(bytes)), size(r.PerSecond(bytes)),
		})
	}
	row("clients", r.Answered, r.Bytes)
	if o := r.Origin; o != nil {
		row("origin", o.Requests, o.Bytes)
		if o.NotModified > 0 {
			t.Rows = append(t.Rows, []string{"  of them 304", count(o.NotModified), figure(r.PerSecond(o.NotModified)), none, none})
		}
	}
	return t
}

func (r *Run) statusTable() table {
	t := table{Title: "Statuses and errors", Head: []string{"requests", "share"}}
	total := r.Answered + r.Failed()
	for _, s := range r.Statuses {
		t.Rows = append(t.Rows, []string{s.Name, count(s.Requests), share(s.Requests, total)})
	}
	for _, e := range r.Errors {
		t.Rows = append(t.Rows, []string{"error: " + e.Kind, count(e.Requests), share(e.Requests, total)})
	}
	return t
}

func (r *Run) costTable() table {
	t := table{Title: "CPU and memory", Head: []string{"CPU time", "CPUs", "per request", "memory"}}
	row := func(name string, cpu float64, memory string) {
		each, busy := none, none
		if r.Answered > 0 && r.Seconds > 0 {
			each, busy = figure(cpu/float64(r.Answered)*1e6)+" us", figure(cpu/r.Seconds)
		}
		t.Rows = append(t.Rows, []string{name, seconds(cpu), busy, each, memory})
	}
	if w := r.Watched; w != nil {
		row("proxy", w.CPU, size(float64(w.MostRSS)))
	}
	name := "this program"
	if r.Driver.WithOrigin {
		name += " and origin"
	}
	row(name, r.Driver.CPU, none)
	return t
}

// facts say what was measured, in pairs of name and value.
func (r *Run) facts() [][2]string {
	loop := "closed loop"
	if r.Load.Rate > 0 {
		loop = "open loop, " + figure(r.Load.Rate) + " requests/s"
	}
	measured := seconds(r.Seconds) + " on " + r.Started.Format("2006-01-02 15:04 MST") + ", warm-up " + r.Load.Warmup
	if r.Load.Checked {
		measured += ", contents checked"
	}
	list := [][2]string{
		{"Target", r.Target},
		{"Load", r.Load.Protocol + ", " + count(int64(r.Load.Connections)) + " at a time, " + loop},
		{"Workload", r.Workload},
		{"Measured", measured},
		{"Told by", r.toldBy()},
		{"Server", r.Environment.Server},
		{"Via", r.Environment.Via},
		{"Proxy", strings.Join(r.Environment.Proxy, " ")},
		{"Program", r.Environment.Program + ", " + r.Environment.Go + ", " + r.Environment.System + ", " + count(int64(r.Environment.CPUs)) + " CPUs"},
		{"Command", strings.Join(r.Command, " ")},
	}
	out := list[:0]
	for _, f := range list {
		if f[1] != "" {
			out = append(out, f)
		}
	}
	return out
}

// toldBy names the response fields that told hits from misses.
func (r *Run) toldBy() string {
	var names []string
	for _, f := range r.Fields {
		if f.Name == "none" {
			f.Name = "no field"
		}
		names = append(names, f.Name+" ("+share(f.Requests, r.Answered)+")")
	}
	return strings.Join(names, ", ")
}
