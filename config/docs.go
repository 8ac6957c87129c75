package config

import (
	_ "embed"
	"fmt"
	"reflect"
	"strings"
)

//go:embed intro.md
var intro string

// Doc returns docs/config.md, made from the table of keys and the defaults.
func Doc() string {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("\n## Environment\n\n| name | key |\n|---|---|\n")
	for _, s := range settings {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", s.env, s.key)
	}
	b.WriteString("| `CACHEPROXY_CONFIG` | the file itself, as `--config` |\n")
	b.WriteString("\n## Keys\n\n")
	docTable(&b, "")
	b.WriteString("\n## Upstreams\n\nAn origin with several targets, or one of which more is to be said than its URL.\n\n")
	docTable(&b, "upstreams[].")
	b.WriteString(routesIntro)
	docTable(&b, "routes[].")
	b.WriteString(rulesIntro)
	for _, k := range keys {
		if name, ok := strings.CutPrefix(k.path, "rules[]."); ok {
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", name, k.meaning)
			fmt.Fprintf(&b, "Values: %s. Without it: %s.\n\n", k.values, k.unset)
			fmt.Fprintf(&b, "```yaml\nrules:\n  - %s\n```\n", strings.ReplaceAll(k.example, "\n", "\n    "))
		}
	}
	return b.String()
}

const routesIntro = `
## Routes

The most specific route wins, wherever it stands in the list: an exact host before
` + "`*.host`" + ` before any host, then the longer path. A request that no route takes is
answered with 421 (Misdirected Request).

`

const rulesIntro = `
## Rules

Every rule that matches a request applies, in order: the global ones, then those of
the route. A later rule replaces what an earlier one said for the same key; keys that it does not
have stay as they were. In blocks (` + "`status_ttl`, `store`, `query`, `request_headers`, `response_headers`," + `
` + "`heuristic`) each entry counts as a key of its own. A route has at most 64 rules, the global ones\nincluded. The examples are complete `rules:` blocks.\n"

// docTable writes a row for each key below prefix; the empty prefix stands for
// all that are in no list.
func docTable(b *strings.Builder, prefix string) {
	b.WriteString("| key | meaning | values | default | example |\n|---|---|---|---|---|\n")
	for _, k := range keys {
		name, ok := strings.CutPrefix(k.path, prefix)
		if !ok || strings.Contains(name, "[]") {
			continue
		}
		unset := k.unset
		if unset == "" {
			unset = "`" + defaultOf(k.path) + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | `%s` |\n", name, k.meaning, k.values, unset, k.example)
	}
}

// defaultOf is the value of Default at path, as the printer writes it.
func defaultOf(path string) string {
	v := reflect.ValueOf(Default())
	for name := range strings.SplitSeq(path, ".") {
		v = fieldsByName(v)[name]
	}
	if v.Kind() == reflect.Slice {
		var out printer
		out.value(v, 0)
		return strings.TrimSpace(out.String())
	}
	return strings.Trim(scalar(v), `"`)
}
