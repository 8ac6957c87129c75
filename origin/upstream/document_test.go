package upstream

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/retries.md anew")

const document = "../../docs/retries.md"

// The document is the table of scripts, and nothing else; to renew it:
// go test ./origin/upstream -run TestDocument -update
func TestDocument(t *testing.T) {
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(markdown()), 0o644))
	}
	got, err := os.ReadFile(document)
	require.NoError(t, err)
	assert.True(t, markdown() == string(got), "docs/retries.md is out of date; run: go test ./origin/upstream -run TestDocument -update")
}

func markdown() string {
	var b strings.Builder
	b.WriteString(intro)
	for _, s := range scripts {
		fmt.Fprintf(&b, "| %s |", s.name)
		for _, m := range methods {
			fmt.Fprintf(&b, " %s |", s.row(m.name).tries())
		}
		w := s.row(http.MethodGet)
		fmt.Fprintf(&b, " %s | %s |\n", w.gets(), words(w.held))
	}
	b.WriteString(rules)
	return b.String()
}

// gets words what the client gets after the last try.
func (w want) gets() string {
	if w.then[0] < 'a' {
		return "the last " + w.then
	}
	return "an error, `" + w.then + "`"
}

func words(d time.Duration) string {
	switch {
	case d == 0:
		return "no"
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

const intro = `# What is sent again

What an origin with one target is asked when it gives the same answer every time, with the default settings. A scripted origin
plays each row for a GET, a PUT with content and a POST with content, in virtual time; the test compares every request that
it gets, and when. The columns:

- **GET, PUT, POST**: tries in all, and the wait before each further one. "Up to" is the longest: it is random, evenly between
  nothing and that (exponential backoff with full jitter).
- **client gets**: after the last try. An error is one of the proxy's own, with its type in ` + "`Proxy-Status`" + ` (RFC 9209).
- **left alone**: after the last try the target gets no request of any method for so long. Another target serves; without one a
  request fails at once, with the remaining time in ` + "`Retry-After`" + `.

This page is generated from the table in ` + "`origin/upstream/retry_table_test.go`" + `:
` + "`go test ./origin/upstream -run TestDocument -update`" + `.

| answer | GET | PUT | POST | client gets | left alone |
|---|---|---|---|---|---|
`

const rules = `
## Which requests

- **Idempotent methods** (GET, HEAD, OPTIONS, TRACE, PUT, DELETE) are sent again as the table says. One with content is, if nothing
  of it was sent, or all of it was kept, up to 64 KiB.
- **Other methods** are never sent twice, whatever the answer (RFC 9110, 9.2.2). 408, 429 and 503 say that nothing was done;
  that this is believed can be opted in, for content that was kept.
- **Nothing was sent**, when there was no address, no connection, or a certificate that is not to be trusted. To connect once more
  is no second request, so that is done for every method.
- **An upgrade** is a GET like others until the answer is 101; then nothing is sent again.
- **Content that waits for 100 (Continue)** and was not asked for is still whole, so that it can go with another try.
- 1xx answers are passed on as they come, also those before an answer that nobody gets.

## Where to

The second try prefers a target that has not been asked yet:

- at once, if nothing was sent to the first, or it has said with ` + "`Retry-After`" + ` when it wants to be asked again: it is then left
  alone until that time, and the other one serves;
- after a backoff otherwise.

The same target is asked again after a 408 on a new connection.

A **timeout** of ours while an answer is awaited is no reason to wait for the same target again: the request goes to another one, if
the time that has been lost is within the time for waits. Likewise no target is asked again after a connection that did not come about
in time, but another one always may be.

## Bounds

- 3 tries in all.
- 3 s of waits in all, and never past the end of the request. If a wait does not fit, the answer at hand goes to the client.
- A budget over all upstreams: retries are at most 20 % of the requests, and 10 a second, with a burst of ten seconds' worth.
- While one request waits out a ` + "`Retry-After`" + ` that fits, others are still sent to the target, and wait themselves if they must.
- A target is left alone for 5 min at most, whatever it asks for.
- When no target will be up after the wait, the answer at hand goes to the client.

Each row can be changed: never, now, after ` + "`Retry-After`" + `, backoff. A row that is not "after ` + "`Retry-After`" + `" leaves no target alone:
an origin that turns single clients away with 429 and ` + "`Retry-After`" + ` (after failed logins, say) wants never for 429, as otherwise what it
says to one of them holds for all.
`
