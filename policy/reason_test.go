package policy

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/reasons.md anew")

func TestReasons(t *testing.T) {
	// RFC 9211, 2.2
	forwards := map[string]bool{"bypass": true, "method": true, "uri-miss": true, "vary-miss": true, "miss": true, "request": true, "stale": true, "partial": true}
	seen := map[string]bool{}
	for _, r := range Reasons() {
		info := r.Info()
		assert.Regexp(t, `^[a-z]+(-[a-z]+)*$`, info.Name, "it is a metric label and a token: reason %d", r)
		assert.False(t, seen[info.Name], "%s is there twice", info.Name)
		seen[info.Name] = true
		assert.Equal(t, info.Name, r.String())
		assert.NotEmpty(t, info.Text, info.Name)
		assert.NotEqual(t, GroupNone, info.Group, info.Name)
		assert.Regexp(t, `^(configuration|RFC \d{4}, [\d.]+|RFC \d{4})([;,] ?(configuration|RFC \d{4}(, )?[\d.]*|\d[\d.]*))*$`, info.Clause, info.Name)
		if info.Group == GroupFetch || info.Group == GroupPass {
			assert.NotEmpty(t, info.Fwd, "%s goes to the origin, and Cache-Status says why", info.Name)
		}
		assert.True(t, info.Fwd == "" || forwards[info.Fwd], "%s: RFC 9211, 2.2 has no %q", info.Name, info.Fwd)
	}
	assert.Len(t, Reasons(), int(reasonCount)-1)
	assert.Equal(t, "none", ReasonNone.String())
	assert.NotContains(t, seen, "none")
}

const reasonsDoc = "../docs/reasons.md"

// The document is the table of reasons, and nothing else; to renew it:
// go test ./policy -run TestReasonsDocument -update
func TestReasonsDocument(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile(reasonsDoc, []byte(reasonsMarkdown()), 0o644))
	}
	got, err := os.ReadFile(reasonsDoc)
	require.NoError(t, err)
	assert.True(t, reasonsMarkdown() == string(got), "docs/reasons.md is out of date; run: go test ./policy -run TestReasonsDocument -update")
}

const reasonsIntro = `# Reasons

Why a response was served, fetched, passed, refused, or made by the proxy itself. Every decision has one of these names. It
is the ` + "`detail`" + ` of ` + "`Cache-Status`" + ` (RFC 9211), the label ` + "`reason`" + ` of the metrics, and a field of the access log.
The column "fwd" is what ` + "`Cache-Status`" + ` says as ` + "`fwd`" + ` when the request goes to the origin; the last one says what to
change for another result, or why there is nothing to change.

This page is generated from the table in ` + "`policy/reason.go`" + `: ` + "`go test ./policy -run TestReasonsDocument -update`" + `.
`

func reasonsMarkdown() string {
	var b strings.Builder
	b.WriteString(reasonsIntro)
	for _, group := range []struct {
		group Group
		title string
	}{
		{GroupServe, "A stored response was used"},
		{GroupFetch, "The origin was asked, and the answer may be stored"},
		{GroupPass, "The request went past the cache"},
		{GroupRefuse, "The answer was not stored"},
		{GroupFail, "The proxy answered by itself"},
	} {
		fmt.Fprintf(&b, "\n## %s: %s\n\n| name | fwd | clause | meaning | to get another result |\n|---|---|---|---|---|\n", group.group, group.title)
		for _, r := range Reasons() {
			if info := r.Info(); info.Group == group.group {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", info.Name, info.Fwd, info.Clause, escapeCell(info.Text), escapeCell(r.Advice()))
			}
		}
	}
	return b.String()
}

func escapeCell(s string) string { return strings.NewReplacer("|", `\|`, "*", `\*`).Replace(s) }

func TestReasonsDocumentIsComplete(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `").FindAllString(reasonsMarkdown(), -1)
	assert.Len(t, rows, len(Reasons()), "a group is missing in the document")
}
