package policy

import (
	"strings"
	"time"
)

// governs tells which field governs a response, and how it is read.
func (t *Trace) governs(f Fields, r *Rules, field string, d *ResponseDirectives) {
	if t == nil {
		return
	}
	for _, name := range r.Targeted {
		if name == field {
			break
		}
		if len(f.Values(name)) > 0 {
			t.Note(StepVoid, "field", name)
		}
	}
	if field == "" {
		field = "Cache-Control"
	}
	lines := f.Values(field)
	if len(lines) == 0 {
		t.Note(StepUngoverned)
		if d.NoCache {
			t.Note(StepPragma)
		}
		return
	}
	t.Note(StepGoverns, "field", field, "value", strings.Join(lines, ", "), "directives", d.String())
	if field != "Cache-Control" {
		return
	}
	if broken := BrokenDirectives(lines); len(broken) > 0 {
		t.Note(StepBroken, "members", broken)
	}
}

// gates are the gates of admission, and what they are about.
var gates = map[string]string{
	"rfc": "what RFC 9111, 3 forbids", "status": "what the status table forbids", "set-cookie": "the rule for cookies",
	"type": "the guard of static files", "tags": "the bound on tags to purge by", "vary": "what the answer varies by", "part": "which part it is", "use": "whether it could ever be used",
}

// gate tells what a gate says, and returns it.
func (t *Trace) gate(name string, why Reason) Reason {
	switch {
	case t == nil:
	case why == ReasonNone:
		t.Note(StepGate, "gate", name, "about", gates[name], "verdict", "passed")
	default:
		t.Decide(StepGate, why, "gate", name, "about", gates[name], "verdict", "refused, "+why.String())
		t.Decide(StepRefused, why)
	}
	return why
}

func (t *Trace) status(status int, r *Rules) {
	if t != nil {
		t.Note(StepStatusRule, "status", status, "rule", r.Statuses.Rule(status).String())
	}
}

// lifetime tells where a lifetime came from, and what became of it.
func (t *Trace) lifetime(rs *Response, d *ResponseDirectives, field string, date time.Time, r *Rules, life time.Duration, source Source) {
	if t == nil {
		return
	}
	given := life
	by := []any{"source", source}
	switch source {
	case SourceRule:
		t.Note(StepLifeRule, append(by, "lifetime", life)...)
		return
	case SourceTargeted, SourceSMaxAge, SourceMaxAge:
		given, _ = explicitLifetime(rs, d, field != "", date)
		name := "s-maxage"
		if !d.SMaxAge.present {
			name = "max-age"
		}
		t.Note(StepLifeDirective, append(by, "field", orCacheControl(field), "directive", name+"="+seconds10(given), "lifetime", given)...)
	case SourceExpires:
		given, _ = explicitLifetime(rs, d, false, date)
		expires := strings.Join(rs.Fields.Values("Expires"), ", ")
		if _, _, ok := fieldTime(rs.Fields, "Expires"); !ok {
			t.Note(StepLifeExpiresBroken, append(by, "expires", expires, "lifetime", given)...)
			break
		}
		t.Note(StepLifeExpires, append(by, "expires", expires, "date", date, "lifetime", given)...)
	case SourceStatusTTL:
		t.Note(StepLifeStatus, append(by, "status", rs.Status, "lifetime", life)...)
		return
	case SourceHeuristic:
		given, _ = heuristic(rs, date, r)
		modified, _, _ := fieldTime(rs.Fields, "Last-Modified")
		t.Note(StepLifeHeuristic, append(by, "percent", r.HeuristicFraction*100, "since", date.Sub(modified), "most", r.HeuristicMax, "lifetime", given)...)
	case SourceInvalid:
		t.Note(StepLifeInvalid, append(by, "field", orCacheControl(field), "lifetime", life)...)
		return
	default:
		t.Note(StepLifeNone, append(by, "because", noLifetime(rs, d, r))...)
		return
	}
	if bound := "max_ttl"; given != life {
		if life > given {
			bound = "min_ttl"
		}
		t.Note(StepClamp, "bound", bound, "from", given, "to", life)
	}
}

func orCacheControl(field string) string {
	if field == "" {
		return "Cache-Control"
	}
	return field
}

// noLifetime says why nothing gives a lifetime.
func noLifetime(rs *Response, d *ResponseDirectives, r *Rules) string {
	const explicit = "there is no max-age, s-maxage or Expires"
	switch _, present, ok := fieldTime(rs.Fields, "Last-Modified"); {
	case !mayUseHeuristic(rs.Status, d, r):
		return explicit + ", and this status allows no heuristic"
	case !present:
		return explicit + ", and no Last-Modified to guess by"
	case !ok:
		return explicit + ", and Last-Modified is no date"
	}
	return explicit + ", and Last-Modified is not before Date"
}

// admitted tells what is to be remembered of a response.
func (t *Trace) admitted(f Fields, s *Stored) {
	if t == nil {
		return
	}
	apparent, delay := ageParts(s.Date, s.Times)
	t.Note(StepInitialAge, "age", s.InitialAge, "apparent", apparent, "field", ageField(f), "delay", delay)
	if len(s.Vary) > 0 {
		t.Note(StepVaries, "fields", s.Vary)
	}
	var validators []string
	if s.ETag != "" {
		validators = append(validators, "ETag "+s.ETag)
	}
	if !s.LastModified.IsZero() {
		validators = append(validators, "Last-Modified "+dateText(s.LastModified))
	}
	t.Note(StepKeeps, "validators", listedOr(validators, "nothing"), "revalidate", s.StaleWhileRevalidate, "error", s.StaleIfError)
	if s.NoCache {
		t.Note(StepValidated)
	}
}
