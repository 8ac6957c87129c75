package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Sentence tells the step in plain English, with its numbers, and names the
// clause that it rests on.
func (s Step) Sentence() string {
	var b strings.Builder
	for rest := s.Code.Info().Text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			break
		}
		name, tail, _ := strings.Cut(after, "}")
		b.WriteString(s.told(name))
		rest = tail
	}
	if c := s.Clause(); c != "" {
		b.WriteString(" (" + c + ")")
	}
	return b.String()
}

// told is what stands for a name in a sentence.
func (s Step) told(name string) string {
	switch name {
	case "reason":
		return s.Reason.String()
	case "why":
		return s.Reason.Info().Text
	}
	return Told(s.Value(name))
}

// Clause returns the clause that the step rests on: its own, or that of its reason.
func (s Step) Clause() string {
	if c := s.Code.Info().Clause; c != "" {
		return c
	}
	return s.Reason.Info().Clause
}

// Told writes a fact as sentences have it.
func Told(of any) string {
	switch v := of.(type) {
	case nil:
		return "?"
	case string:
		return v
	case []string:
		return strings.Join(v, ", ")
	case time.Duration:
		return Span(v)
	case time.Time:
		return dateText(v)
	}
	return fmt.Sprint(of)
}

// Span writes a duration for people: "90 s", "1.5 s", "25 ms", "2 h", "3 d 4 h". A
// value of a directive stays in the seconds that it was given in.
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Span(-max(d, -(anyAge-1)))
	case d == anyAge:
		return "any time"
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return "less than 1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d <= 2*time.Hour:
		return strconv.FormatFloat(math.Round(d.Seconds()*10)/10, 'f', -1, 64) + " s"
	case d < 48*time.Hour:
		return twoUnits(d, time.Hour, "h", time.Minute, "min")
	}
	return twoUnits(d, 24*time.Hour, "d", time.Hour, "h")
}

func twoUnits(d, large time.Duration, name string, small time.Duration, smallName string) string {
	s := strconv.FormatInt(int64(d/large), 10) + " " + name
	if n := d % large / small; n > 0 {
		s += " " + strconv.FormatInt(int64(n), 10) + " " + smallName
	}
	return s
}

// MarshalJSON writes the step as an object: stage, code, reason, clause, sentence,
// and values. Durations are seconds, times RFC 3339.
func (s Step) MarshalJSON() ([]byte, error) {
	values := bytes.NewBufferString("{")
	for i, v := range s.Values {
		if i > 0 {
			values.WriteByte(',')
		}
		name, err := json.Marshal(v.Name)
		if err != nil {
			return nil, err
		}
		of, err := json.Marshal(jsonValue(v.Of))
		if err != nil {
			return nil, err
		}
		values.Write(append(append(name, ':'), of...))
	}
	values.WriteByte('}')
	reason := ""
	if s.Reason != ReasonNone {
		reason = s.Reason.String()
	}
	return json.Marshal(struct {
		Stage    string          `json:"stage"`
		Code     string          `json:"code"`
		Reason   string          `json:"reason,omitempty"`
		Clause   string          `json:"clause,omitempty"`
		Sentence string          `json:"sentence"`
		Values   json.RawMessage `json:"values"`
	}{s.Code.Info().Stage.String(), s.Code.String(), reason, s.Clause(), s.Sentence(), values.Bytes()})
}

// jsonValue is a fact in the types of JSON.
func jsonValue(of any) any {
	switch v := of.(type) {
	case time.Duration:
		return v.Seconds()
	case fmt.Stringer:
		if _, isTime := of.(time.Time); !isTime {
			return v.String()
		}
	}
	return of
}
