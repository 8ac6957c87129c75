package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The peer that others are compared with.
const base = "nginx"

// tables is what the tables are made of: all samples of all runs.
type tables struct {
	peers   []participant
	samples []sample
}

func pool(runs []result) (t tables) {
	for _, r := range runs {
		for _, p := range r.Peers {
			if !slices.ContainsFunc(t.peers, func(q participant) bool { return q.Name == p.Name }) {
				t.peers = append(t.peers, p)
			}
		}
		for _, s := range r.Samples {
			if s.Requests > 0 {
				t.samples = append(t.samples, s)
			}
		}
	}
	return t
}

// cell is what one peer did in one scenario.
type cell struct{ samples []sample }

func (t tables) cell(mode, scenario, peer string) (c cell) {
	for _, s := range t.samples {
		if s.Mode == mode && s.Scenario == scenario && s.Peer == peer {
			c.samples = append(c.samples, s)
		}
	}
	return c
}

func (c cell) empty() bool { return len(c.samples) == 0 }

func (c cell) each(value func(sample) float64) (out []float64) {
	for _, s := range c.samples {
		out = append(out, value(s))
	}
	return out
}

func (c cell) median(value func(sample) float64) float64 { return median(c.each(value)) }

// mark is a star on a peer that should validate what it has, and fetches it
// instead.
func (c cell) mark() string {
	if c.empty() {
		return ""
	}
	s, _ := findScenario(c.samples[0].Scenario)
	confirmed := c.median(func(s sample) float64 { return float64(s.NotModified) / float64(s.Requests) })
	if s.want == validates && confirmed < 0.5 {
		return " *"
	}
	return ""
}

// disturbed reports whether others took too much in most rounds.
func (c cell) disturbed() bool {
	return c.median(func(s sample) float64 { return s.Others / s.Seconds }) > disturbed
}

// measured are the scenarios of a mode that anybody was measured in.
func (t tables) measured(mode string) (out []scenario) {
	for _, s := range scenarios {
		if slices.ContainsFunc(t.samples, func(sm sample) bool { return sm.Mode == mode && sm.Scenario == s.name }) {
			out = append(out, s)
		}
	}
	return out
}

// report renders all tables of all runs as markdown.
func report(runs []result) string {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString(heading(r))
	}
	t := pool(runs)
	if rows := t.measured(pinned); len(rows) > 0 {
		b.WriteString("\n### CPU per request in µs: the proxy alone on one CPU, one worker\n\nLess is better. In parentheses: relative to " + base + ".\n\n")
		b.WriteString(t.summary(pinned, rows, sample.cost, "%.2f"))
		b.WriteString(t.stampede())
	}
	if rows := t.measured(unpinned); len(rows) > 0 {
		b.WriteString("\n### Requests per second: two workers, proxy and load on the same CPUs\n\nMore is better. In parentheses: relative to " + base + ".\n\n")
		b.WriteString(t.summary(unpinned, rows, sample.rate, "%.0f"))
	}
	b.WriteString(t.details())
	b.WriteString(complaints(runs))
	return b.String()
}

// number is what a program says of its version, without the words around it.
var number = regexp.MustCompile(`\d+(\.\d+)+`)

func heading(r result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- %s, commit %s, %d rounds of %d s\n- %s, %d CPUs, %s, %s\n", r.Started, r.Commit, r.Rounds, r.Secs,
		r.Machine.CPU, r.Machine.CPUs, r.Machine.Kernel, r.Machine.Go)
	var all []string
	for _, p := range r.Peers {
		if p.Role == rival {
			all = append(all, p.Name+" "+short(p.Version))
		}
	}
	for _, name := range []string{"wrk", "h2load"} {
		if v, ok := r.Tools[name]; ok {
			all = append(all, name+" "+short(v))
		}
	}
	fmt.Fprintf(&b, "- %s\n", strings.Join(all, ", "))
	fmt.Fprintf(&b, "- `go run ./bench/compare %s`\n", strings.Join(r.Command, " "))
	return b.String()
}

func short(version string) string {
	if n := number.FindString(version); n != "" {
		return n
	}
	return version
}

// summary has a row for each scenario and a column for each peer, and for ours
// a column that compares with the bare loop.
func (t tables) summary(mode string, rows []scenario, value func(sample) float64, format string) string {
	head := []string{""}
	for _, p := range t.peers {
		head = append(head, p.Name)
	}
	for _, p := range t.peers {
		if p.Role == ours {
			head = append(head, p.Name+" : "+loopName)
		}
	}
	var lines [][]string
	starred, daggered := false, false
	for _, s := range rows {
		line := []string{s.title}
		for _, p := range t.peers {
			c := t.cell(mode, s.name, p.Name)
			starred = starred || c.mark() != ""
			daggered = daggered || c.disturbed()
			line = append(line, c.show(value, format, t.cell(mode, s.name, base)))
		}
		for _, p := range t.peers {
			if p.Role == ours {
				line = append(line, ratio(t.cell(mode, s.name, p.Name), t.cell(mode, s.name, loopName), value))
			}
		}
		lines = append(lines, line)
	}
	out := markdown(head, lines)
	if starred {
		out += "\n\\* fetches the whole answer each time; the others validate what they have, and get a 304.\n"
	}
	if daggered {
		out += "\n† in most rounds others used more than a tenth of a CPU: measure again on a quiet machine.\n"
	}
	return out
}

func (c cell) show(value func(sample) float64, format string, base cell) string {
	if c.empty() {
		return "–"
	}
	text := fmt.Sprintf(format, c.median(value))
	if r := ratio(c, base, value); r != "–" {
		text += " (" + r + ")"
	}
	text += strings.ReplaceAll(c.mark(), "*", `\*`)
	if c.disturbed() {
		text += " †"
	}
	return text
}

// ratio relates two medians.
func ratio(c, to cell, value func(sample) float64) string {
	if c.empty() || to.empty() || to.median(value) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", c.median(value)/to.median(value))
}

// complaints lists what did not go as it should.
func complaints(runs []result) string {
	var b strings.Builder
	for _, r := range runs {
		for _, s := range r.Samples {
			where := fmt.Sprintf("- %s, round %d: %s: %s: ", s.Mode, s.Round, s.Peer, s.Scenario)
			if s.Bad > 0 {
				fmt.Fprintf(&b, "%s%d bad answers\n", where, s.Bad)
			}
			for _, p := range s.Problems {
				fmt.Fprintf(&b, "%s%s\n", where, p)
			}
		}
		for _, f := range r.Failures {
			fmt.Fprintf(&b, "- %s\n", f)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n### What did not go as it should\n\n" + b.String()
}
