package explain

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"cacheproxy/policy"
)

// headings are the titles of the stages, in their order.
var headings = []struct{ stage, title string }{
	{policy.StageAccept.String(), "The request"},
	{policy.StageKey.String(), "Its key"},
	{policy.StageLookup.String(), "What is stored"},
	{policy.StageJudge.String(), "May that be used?"},
	{policy.StageFetch.String(), "The origin"},
	{policy.StageAdmit.String(), "May its answer be stored?"},
	{policy.StageRespond.String(), "The answer"},
}

// Text writes the report for people: the steps of each answer and, at the end, what
// to change. With colour it uses the escapes of terminals.
func (r *Report) Text(w io.Writer, colour bool) error {
	p := &pen{w: bufio.NewWriter(w), colour: colour}
	p.wrap("", p.bold, strings.TrimSpace(r.Method+" "+r.URL))
	for i := range r.Answers {
		a := &r.Answers[i]
		if len(r.Answers) > 1 {
			p.line("")
			p.line(p.bold("%s", []string{"The first time", "The second time"}[min(i, 1)]))
		}
		a.text(p)
	}
	if n := len(r.Answers); n > 0 {
		p.line("")
		p.line(p.bold("To get another result"))
		for _, s := range r.Answers[n-1].Advice {
			p.wrap("  - ", nil, s)
		}
	}
	return p.w.Flush()
}

// Text writes what is known of one request, as [Report.Text] does.
func (a *Answer) Text(w io.Writer, colour bool) error {
	r := Report{URL: a.Host + a.URI, Method: a.Method, Answers: []Answer{*a}}
	return r.Text(w, colour)
}

func (a *Answer) text(p *pen) {
	p.wrap("  ", a.paint(p), a.summary())
	stage := ""
	for _, s := range inStages(a.Steps) {
		if s.Stage != stage {
			stage = s.Stage
			p.line("")
			p.line(p.bold("%s", title(stage)))
		}
		p.step(s)
	}
	if a.Left > 0 {
		p.wrap("  ", nil, fmt.Sprintf("(%d steps more found no room)", a.Left))
	}
	if len(a.Stored) == 0 {
		return
	}
	p.line("")
	p.line(p.bold("Stored now"))
	for i := range a.Stored {
		p.wrap("  - ", nil, a.Stored[i].text())
	}
}

// inStages returns the steps by stage: what goes on in the background, such as a
// refresh, is told with its like, whenever it was.
func inStages(steps []Step) []Step {
	order := func(s Step) int {
		return slices.IndexFunc(headings, func(h struct{ stage, title string }) bool { return h.stage == s.Stage })
	}
	sorted := slices.Clone(steps)
	slices.SortStableFunc(sorted, func(a, b Step) int { return order(a) - order(b) })
	return sorted
}

func title(stage string) string {
	for _, h := range headings {
		if h.stage == stage {
			return h.title
		}
	}
	return stage
}

// summary is the answer in one sentence.
func (a *Answer) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", a.Status)
	if a.Result != "" {
		b.WriteString(" " + a.Result)
	}
	fmt.Fprintf(&b, " (%s): %s", a.Reason, a.Meaning)
	switch {
	case a.Refused != "" && a.Action != policy.Pass.String():
		b.WriteString("; not stored: " + a.Refused)
	case a.IsStored && !a.Aborted:
		b.WriteString("; stored")
	}
	fmt.Fprintf(&b, ". It took %s", policy.Span(seconds(a.Duration)))
	if a.Origin > 0 {
		fmt.Fprintf(&b, ", of which the origin took %s", policy.Span(seconds(a.Origin)))
	}
	fmt.Fprintf(&b, "; %d bytes.", a.Bytes)
	if a.Cut {
		b.WriteString(" The rest was not read.")
	} else if a.Aborted {
		b.WriteString(" It broke off.")
	}
	return b.String()
}

func (f *Facts) text() string {
	what := "response"
	if f.Partial {
		what = "part of a response"
	}
	s := fmt.Sprintf("a %s to %s, status %d, %s old, lifetime %s by %s: ", what, f.Method, f.Status,
		policy.Span(seconds(f.Age)), policy.Span(seconds(f.Lifetime)), f.Source)
	switch {
	case f.NoCache:
		s += "every use is validated"
	case f.TTL > 0:
		s += "fresh for " + policy.Span(seconds(f.TTL))
	default:
		s += "stale for " + policy.Span(seconds(-f.TTL))
	}
	if len(f.Vary) > 0 {
		s += "; by " + strings.Join(f.Vary, ", ")
	}
	return s
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// paint is the colour of what happened: green for a hit, yellow for what took the
// origin, red for what failed.
func (a *Answer) paint(p *pen) func(string, ...any) string {
	switch {
	case a.From == "proxy":
		return func(s string, v ...any) string { return p.escaped("31", s, v...) }
	case a.From == "cache":
		return func(s string, v ...any) string { return p.escaped("32", s, v...) }
	}
	return func(s string, v ...any) string { return p.escaped("33", s, v...) }
}
