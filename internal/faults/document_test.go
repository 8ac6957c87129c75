package faults

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/faults.md anew")

const document = "../../docs/faults.md"

// The document is the table of faults, and nothing else; to renew it:
// go test ./internal/faults -run TestDocument -update
func TestDocument(t *testing.T) {
	hosts := map[string]bool{}
	for _, f := range faults {
		assert.False(t, hosts[f.host()], "%s is there twice", f.name)
		hosts[f.host()] = true
	}
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(markdown()), 0o644))
	}
	got, err := os.ReadFile(document)
	require.NoError(t, err)
	assert.True(t, markdown() == string(got), "docs/faults.md is out of date; run: go test ./internal/faults -run TestDocument -update")
}

const intro = `# Faults of origins

What comes of an origin of scheme http that refuses, breaks off, lies or hangs. A scripted origin on a real socket plays each
fault three times: for a GET with nothing stored, for a GET with a stale response stored that may stand in
(` + "`stale-if-error`" + `), and for a POST. Faults about the content of a request meet only a POST, of 32 MiB. The columns:

- **client gets**: in answer to the GET with nothing stored, and to the POST. With an error of the proxy's own, its type in
  ` + "`Proxy-Status`" + ` (RFC 9209). "Complete" goes by the framing of the answer. "Breaks off" is a head that was passed on, what has
  come of the body, and then an end of the connection that nobody takes for that of the body.
- **stale stands in**: the GET with a stale response stored gets that instead. Otherwise it gets what the others get.
- **stored**: of the answer, if a GET has asked. If nothing, the next request asks the origin again, and a stale response that was
  stored before is still there.
- **connection**: whether the proxy uses it for another request.
- **ended by**: the timeout that ends it, which is the most that it takes. All else ends by itself, as soon as the fault is seen.

No further tries are made here (` + "`retry.attempts: 1`" + `); [retries.md](retries.md) says which faults are a reason for them, so that the client may
get a good answer instead. For every row it is tested that the origin is asked once and not twice, that the next request is answered well, and
that all goroutines, descriptors and places at the origin are freed. A body that drips has no end in time as long as a byte comes within
` + "`timeouts.response_body`" + `.

This page is generated from the table in ` + "`internal/faults/table_test.go`" + `:
` + "`go test ./internal/faults -run TestDocument -update`" + `.
`

func markdown() string {
	var b strings.Builder
	b.WriteString(intro)
	for _, f := range faults {
		if f.group != "" {
			fmt.Fprintf(&b, "\n## %s\n\n| fault | client gets | stale stands in | stored | connection | ended by |\n|---|---|---|---|---|---|\n", f.group)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", f.name, f.gets, choose(f.standsIn(), "yes", "no"),
			choose(f.stored, "the answer", "nothing"), choose(f.kept, "used again", "closed"), f.bound)
	}
	return b.String()
}

func (a answer) String() string {
	switch {
	case a.error != "":
		return fmt.Sprintf("%d, `%s`", a.status, a.error)
	case a.broken && a.body == "":
		return fmt.Sprintf("%d, breaks off before the body", a.status)
	case a.broken:
		return fmt.Sprintf("%d, breaks off", a.status)
	case a.status == http.StatusNoContent:
		return fmt.Sprintf("%d", a.status)
	}
	return fmt.Sprintf("%d, complete", a.status)
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
