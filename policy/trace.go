package policy

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of a trace: what goes beyond them is left out, and counted.
const (
	MostSteps      = 256  // of one trace
	MostValueBytes = 1024 // of one text in a step; longer ones are cut
	mostTraceBytes = 48 << 10
)

// Trace records the steps that were taken for one request, in their order. The
// nil trace records nothing, so that whoever has something to tell needs no more
// than a look whether there is one. Several goroutines may note at once.
type Trace struct {
	mu      sync.Mutex
	steps   []Step
	size    int
	dropped int
}

// Step is one thing that was found out or decided. Its JSON has stable names.
type Step struct {
	Code   Code
	Reason Reason // of a decision; ReasonNone otherwise
	Values []Value
}

// Value is a named fact of a step: a string, bool, int, int64, Action, Source,
// time.Duration, time.Time or []string.
type Value struct {
	Name string
	Of   any
}

// Note records a step. Facts come as names and values in turn.
func (t *Trace) Note(c Code, facts ...any) { t.Decide(c, ReasonNone, facts...) }

// Decide records a step that ends in a reason.
func (t *Trace) Decide(c Code, why Reason, facts ...any) {
	if t == nil {
		return
	}
	s := Step{Code: c, Reason: why, Values: make([]Value, 0, len(facts)/2)}
	size := 64
	for i := 0; i+1 < len(facts); i += 2 {
		name, _ := facts[i].(string)
		v, n := keepable(facts[i+1])
		s.Values = append(s.Values, Value{name, v})
		size += len(name) + n
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.steps) >= MostSteps || t.size+size > mostTraceBytes {
		t.dropped++
		return
	}
	t.size += size
	t.steps = append(t.steps, s)
}

// keepable returns a fact as it is kept, and how much memory its text takes: cut, and
// not as a part of something larger.
func keepable(of any) (any, int) {
	switch v := of.(type) {
	case string:
		s := cut(v)
		return s, len(s)
	case []string:
		out, n := make([]string, 0, min(len(v), 32)), 0
		for _, s := range v {
			if len(out) == cap(out) || n > MostValueBytes {
				out = append(out, "...")
				break
			}
			s = cut(s)
			n += len(s) + 16
			out = append(out, s)
		}
		return out, n
	}
	return of, 8
}

func cut(s string) string {
	if len(s) > MostValueBytes {
		return strings.ToValidUTF8(s[:MostValueBytes], "?") + "..."
	}
	return strings.ToValidUTF8(s, "?")
}

// Steps returns what was recorded so far, and how many steps found no room.
func (t *Trace) Steps() (steps []Step, dropped int) {
	if t == nil {
		return nil, 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.steps), t.dropped
}

// Has reports whether a step with this code was recorded.
func (t *Trace) Has(c Code) bool {
	steps, _ := t.Steps()
	return slices.ContainsFunc(steps, func(s Step) bool { return s.Code == c })
}

// Value returns a fact of a step, nil if it has none of this name.
func (s *Step) Value(name string) any {
	for _, v := range s.Values {
		if v.Name == name {
			return v.Of
		}
	}
	return nil
}

// dateText is a time as HTTP writes it, to the second.
func dateText(t time.Time) string {
	return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
}
