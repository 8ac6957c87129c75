package policy

import (
	"strconv"
	"strings"
	"time"
)

// judged tells how the judgement came about.
func (t *Trace) judged(rq *Request, stored []*Stored, d *Decision, now time.Time) {
	t.looked(rq, stored, d.Index)
	if d.Index >= 0 {
		t.aged(rq, stored[d.Index], d, now)
	}
	t.Decide(StepDecision, d.Reason, "action", d.Action)
}

// mostDiffering is of how many stored responses it is told why they do not fit.
const mostDiffering = 16

// looked tells which stored response a request selects, and why no other.
func (t *Trace) looked(rq *Request, stored []*Stored, chosen int) {
	if len(stored) == 0 {
		t.Note(StepNothing)
		return
	}
	t.Note(StepFound, "count", quantity(len(stored), "response is", "responses are"))
	differing := 0
	for i, s := range stored {
		number := strconv.Itoa(i + 1)
		if at := s.differs(rq.Fields); at >= 0 {
			if differing++; differing > mostDiffering {
				continue
			}
			name := s.Vary[at]
			t.Note(StepDiffers, "number", number, "status", s.Status, "field", name,
				"stored", Shown(name, s.VaryValues[at]), "asked", Shown(name, normalise(name, rq.Fields)))
			continue
		}
		vary := "it has no Vary"
		if len(s.Vary) > 0 {
			vary = "the same in " + strings.Join(s.Vary, ", ")
		}
		switch {
		case s.Method == "HEAD" && rq.Method != "HEAD":
			t.Note(StepUnfit, "number", number, "status", s.Status, "because", "it is the answer to a HEAD, without content")
		case s.Partial != nil && rq.Method == "HEAD":
			t.Note(StepUnfit, "number", number, "status", s.Status, "because", "it is only a part")
		default:
			t.Note(StepMatches, "number", number, "status", s.Status, "vary", vary)
		}
	}
	if more := differing - mostDiffering; more > 0 {
		t.Note(StepOthers, "count", quantity(more, "other does", "others do"))
	}
	if chosen >= 0 && len(stored) > 1 {
		t.Note(StepChosen, "number", strconv.Itoa(chosen+1))
	}
}

// aged tells the age and freshness of a stored response.
func (t *Trace) aged(rq *Request, s *Stored, d *Decision, now time.Time) {
	t.Note(StepAge, "age", d.Age, "initial", s.InitialAge, "since", now.Sub(s.Received))
	switch {
	case d.TTL > 0:
		t.Note(StepFreshFor, "lifetime", s.Lifetime, "source", s.Source, "ttl", d.TTL)
	default:
		code := StepStaleFor
		switch s.Source {
		case SourcePurge:
			code = StepEnded
		case SourceNone:
			code = StepNeverFresh
		}
		t.Note(code, "lifetime", s.Lifetime, "source", s.Source, "staleness", -d.TTL)
		if s.MustRevalidate {
			t.Note(StepNeverStale)
		} else {
			t.Note(StepWindows, "revalidate", s.StaleWhileRevalidate, "error", s.StaleIfError)
		}
	}
	if s.Partial == nil {
		return
	}
	held := make([]string, len(s.Partial.Held))
	for i, b := range s.Partial.Held {
		held[i] = b.ContentRange(s.Partial.Length)
	}
	code := StepHeld
	if selection, _ := s.Select(rq, s.Partial.Length); selection == NotHeld {
		code = StepNotHeld
	}
	t.Note(code, "held", held)
}
