package h2spec

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

var update = flag.Bool("update", false, "write docs/h2spec.md anew")

const document = "../../docs/h2spec.md"

// The document is made of the record of h2spec, the rows and the corpus; to renew
// it: go test ./internal/h2spec -run TestDocument -update
func TestDocument(t *testing.T) {
	want := markdown(t)
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(want), 0o644))
	}
	got, err := os.ReadFile(document)
	require.NoError(t, err)
	assert.True(t, want == string(got), "docs/h2spec.md is out of date; run: go test ./internal/h2spec -run TestDocument -update")
}

// TestRowsAreTold: the document can tell all rows apart.
func TestRowsAreTold(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		name := r.section + " " + r.what
		assert.False(t, seen[name], "%s is there twice", name)
		seen[name] = true
	}
}

const intro = `# HTTP/2 by the letter

## h2spec

[h2spec](https://github.com/summerwind/h2spec) ` + "`%s`" + ` against the built binary, with all its cases (` + "`-S`" + `):

| over | answers come from | cases | passed | failed |
|---|---|---|---|---|
`

const renewed = `
To run it again: ` + "`go test ./internal/h2spec -run TestRecord -record`" + `. h2spec is a tool of the module in
` + "`internal/h2spec/tool`" + `; the record is ` + "`internal/h2spec/testdata/h2spec.json`" + `. That each failure is explained here is tested.

`

const ownIntro = `
## Cases of our own

h2spec knows RFC 7540. These %d cases go by RFC 9113 and RFC 7541, and run with every ` + "`go test ./internal/h2spec`" + `: frames that are
built by hand, over real sockets, through the whole proxy, once with answers from the store and once by the handler. The columns:

- **what is sent**: after the preface and SETTINGS.
- **what comes**: statuses and stream errors, for each stream if there are several. After all of them, and after "nothing", the
  connection must live: a PING and a request are answered. After GOAWAY, and "closed", it must end.

`

const hostileIntro = `
## Hostile requests

%d requests that mean harm, or are at the edge of what is allowed, are in ` + "`internal/h2spec/testdata/*.h2.txt`" + `, with a line of why
for each, what the client gets, and what reaches an origin that writes down every byte of HTTP/1.1 and forgives nothing. How
many there are of a kind, and how many of them reach the origin, as requests that we wrote ourselves:

| file | requests | refused | forwarded |
|---|---|---|---|
`

const outro = `
## Floods

What one connection may cost is bounded by count and time in ` + "`server/h2/limits.go`" + `. ` + "`TestFloods`" + ` (server/h2) shows each
bound, and that other connections are answered meanwhile; ` + "`TestHeaderThatDoesNotEnd`, `TestHeaderBomb`, `TestStalledStreamsCostLittle`" + `,
` + "`TestContentThatNobodyReads` and `TestSlowReaders`" + ` do so for headers, memory and time.

This page is generated: ` + "`go test ./internal/h2spec -run TestDocument -update`" + `.
`

func markdown(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintf(&b, intro, toolVersion(t))
	runs := readRecord(t)
	for _, r := range runs {
		from := map[string]string{"/stored": "the store", "/pass": "the origin"}[r.Path]
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d |\n", r.Over, from, r.Cases, r.Passed, len(r.Failed))
	}
	b.WriteString(renewed)
	b.WriteString("| case that fails | over | why |\n|---|---|---|\n")
	told := map[string]bool{}
	for _, r := range runs {
		for _, name := range r.Failed {
			if !told[name] {
				told[name] = true
				fmt.Fprintf(&b, "| %s | %s | %s |\n", name, failsOver(runs, name), explained[name])
			}
		}
	}
	fmt.Fprintf(&b, ownIntro, len(rows))
	b.WriteString("| RFC | what is sent | what comes |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.section, r.what, r.want)
	}
	writeHostile(t, &b)
	b.WriteString(outro)
	return b.String()
}

// failsOver names the transports over which a case fails.
func failsOver(runs []run, name string) string {
	var over []string
	for _, way := range []string{"clear", "TLS"} {
		for _, r := range runs {
			if r.Over == way && strings.Contains(strings.Join(r.Failed, "\n"), name) {
				over = append(over, way)
				break
			}
		}
	}
	return strings.Join(over, ", ")
}

// toolVersion is that of h2spec in its module.
func toolVersion(t *testing.T) string {
	b, err := os.ReadFile("tool/go.mod")
	require.NoError(t, err)
	m := regexp.MustCompile(`summerwind/h2spec (v[^ ]+)`).FindSubmatch(b)
	require.NotNil(t, m)
	return string(m[1])
}

func writeHostile(t *testing.T, b *strings.Builder) {
	cases := corpus(t)
	fmt.Fprintf(b, hostileIntro, len(cases))
	counts := map[string][2]int{}
	var files []string
	for _, c := range cases {
		n, ok := counts[c.file]
		if !ok {
			files = append(files, c.file)
		}
		if len(c.asked) > 0 {
			n[1]++
		} else {
			n[0]++
		}
		counts[c.file] = n
	}
	for _, file := range files {
		n := counts[file]
		fmt.Fprintf(b, "| %s | %d | %d | %d |\n", file, n[0]+n[1], n[0], n[1])
	}
}
