package proxy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cacheproxy/policy"
)

// traceRules tells which rules match, and what each of them changes; with a content
// type those that match by it.
func (r *Route) traceRules(t *policy.Trace, code policy.Code, host, path, contentType string) {
	now, any := r.Base, false
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.Path != "" && !rule.Path.Match(path) || rule.Host != "" && !rule.Host.Match(host) ||
			rule.Type != "" && (contentType == "" || !rule.Type.Match(contentType)) {
			continue
		}
		before := now
		rule.Change(&now)
		if contentType != "" && rule.Type == "" {
			continue // it was told when the request came
		}
		any = true
		t.Note(code, "index", i+1, "rules", len(r.Rules), "match", rule.matches(), "type", string(rule.Type), "changes", changes(&before, &now))
	}
	if !any && contentType == "" && len(r.Rules) > 0 {
		t.Note(policy.StepNoRule, "rules", len(r.Rules))
	}
}

// matches says what the rule is for.
func (r *Rule) matches() string {
	var all []string
	if r.Path != "" {
		all = append(all, "path "+string(r.Path))
	}
	if r.Host != "" {
		all = append(all, "host "+string(r.Host))
	}
	if r.Type != "" {
		all = append(all, "type "+string(r.Type))
	}
	if len(all) == 0 {
		return "everything"
	}
	return strings.Join(all, ", ")
}

// settingRows are the settings that a rule may change, by the keys of the
// configuration, and how they are told.
var settingRows = []struct {
	name string
	told func(*Settings) string
}{
	{"bypass", func(s *Settings) string { return strconv.FormatBool(s.Bypass) }},
	{"ttl", func(s *Settings) string {
		if !s.HasTTL {
			return ""
		}
		return policy.Span(s.TTL)
	}},
	{"min_ttl", func(s *Settings) string { return policy.Span(s.MinTTL) }},
	{"max_ttl", func(s *Settings) string { return policy.Span(s.MaxTTL) }},
	{"status_ttl", func(s *Settings) string { return toldTTLs(s) }},
	{"store", func(s *Settings) string { return toldStatuses(&s.Statuses) }},
	{"set_cookie", func(s *Settings) string { return s.SetCookie.String() }},
	{"ignore_cookies", func(s *Settings) string { return toldGlobs(s.IgnoreCookies) }},
	{"query.drop", func(s *Settings) string { return toldGlobs(s.Query.Drop) }},
	{"query.keep", func(s *Settings) string { return toldGlobs(s.Query.Keep) }},
	{"query.sort", func(s *Settings) string { return strconv.FormatBool(s.Query.Sort) }},
	{"request_headers", func(s *Settings) string { return s.RequestEdit.told() }},
	{"response_headers", func(s *Settings) string { return s.ResponseEdit.told() }},
	{"client_bypass", func(s *Settings) string {
		if s.IgnoreClient {
			return "ignore"
		}
		return "honour"
	}},
	{"stale_while_revalidate", func(s *Settings) string { return policy.Span(s.GraceRevalidate) }},
	{"stale_if_error", func(s *Settings) string { return policy.Span(s.GraceError) }},
	{"targeted", func(s *Settings) string { return strings.Join(s.Targeted, " ") }},
	{"heuristic.fraction", func(s *Settings) string { return strconv.FormatFloat(s.HeuristicFraction, 'g', -1, 64) }},
	{"heuristic.max", func(s *Settings) string { return policy.Span(s.HeuristicMax) }},
	{"tags.fields", func(s *Settings) string { return toldTagFields(s.TagFields) }},
	{"tags.keep", func(s *Settings) string { return strconv.FormatBool(s.KeepTags) }},
	{"type_guard", func(s *Settings) string { return strconv.FormatBool(s.TypeGuard) }},
}

// changes lists the settings that differ.
func changes(before, now *Settings) []string {
	var all []string
	for _, row := range settingRows {
		if told := row.told(now); told != row.told(before) {
			all = append(all, row.name+" "+told)
		}
	}
	if len(all) == 0 {
		return []string{"nothing that was not so before"}
	}
	return all
}

func toldGlobs(globs []policy.Glob) string {
	if globs == nil {
		return "none"
	}
	return fmt.Sprint(globs)
}

func toldTagFields(fields []policy.TagField) string {
	if len(fields) == 0 {
		return "none"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return strings.Join(names, " ")
}

func toldTTLs(s *Settings) string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(s.StatusTTL)) {
		all = append(all, strconv.Itoa(status)+": "+policy.Span(s.StatusTTL[status]))
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// toldStatuses tells by which rules statuses are stored; those that never are, are
// left out.
func toldStatuses(table *policy.StatusTable) string {
	var all []string
	for first := 200; first < len(table); {
		last := first
		for last+1 < len(table) && table[last+1] == table[first] {
			last++
		}
		if rule := table[first]; rule != policy.Never {
			statuses := strconv.Itoa(first)
			if last > first {
				statuses += "-" + strconv.Itoa(last)
			}
			all = append(all, statuses+": "+rule.String())
		}
		first = last + 1
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// told tells an edit: the names only, since values may be secrets.
func (e *HeaderEdit) told() string {
	var all []string
	for _, name := range e.Remove {
		all = append(all, "without "+name)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Set)) {
		all = append(all, "with "+name)
	}
	if len(all) == 0 {
		return "as they are"
	}
	return strings.Join(all, ", ")
}

// droppedCookies are the names of cookies that are ignored.
func droppedCookies(lines []string, ignore []policy.Glob) (names []string) {
	for _, line := range lines {
		for c := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(strings.TrimSpace(c), "=")
			if name != "" && slices.ContainsFunc(ignore, func(g policy.Glob) bool { return g.Match(name) }) {
				names = append(names, name)
			}
		}
	}
	return names
}
