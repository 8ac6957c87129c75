package proxy_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/explain"
	"cacheproxy/internal/proxytest"
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

var updateExplained = flag.Bool("update", false, "write testdata/explain anew")

// TestExplained holds the whole explanation of a request for every reason there is,
// as the scripts produce it, against testdata/explain. To renew those files:
// go test ./proxy -run TestExplained -update
func TestExplained(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	slices.Sort(files)
	explained := make(map[policy.Reason]string)
	for _, file := range files {
		for why, text := range explainedBy(t, file) {
			if _, ok := explained[why]; !ok {
				explained[why] = "Script: " + filepath.Base(file) + "\n\n" + text
			}
		}
	}
	for _, why := range policy.Reasons() {
		got, ok := explained[why]
		require.True(t, ok, "no script produces an explanation with the meaning of %s and its advice", why)
		golden := filepath.Join("testdata", "explain", why.String()+".txt")
		if *updateExplained {
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, "%s is out of date; run: go test ./proxy -run TestExplained -update", golden)
	}
	kept, err := filepath.Glob("testdata/explain/*.txt")
	require.NoError(t, err)
	assert.Len(t, kept, len(policy.Reasons()), "one file for each reason, and no other")
}

// explainedBy returns an explanation with meaning and advice for each reason that a
// script produces.
func explainedBy(t *testing.T, file string) map[policy.Reason]string {
	t.Helper()
	outcomes, played := tracedOutcomes[file]
	if !played {
		script, err := os.ReadFile(file)
		require.NoError(t, err)
		synctest.Test(t, func(t *testing.T) {
			outcomes, _, err = proxytest.PlayTraced(file, string(script))
			require.NoError(t, err)
		})
	}
	found := make(map[policy.Reason]string)
	for i := range outcomes {
		text := explainedText(t, &outcomes[i])
		for _, why := range []policy.Reason{outcomes[i].Reason, outcomes[i].Refused} {
			if said := flat(text); !strings.Contains(said, why.Info().Text) || !strings.Contains(said, why.Advice()) {
				continue
			}
			// Requests at the same time may end in any order: take the shortest story.
			if old, ok := found[why]; !ok || len(text) < len(old) || len(text) == len(old) && text < old {
				found[why] = text
			}
		}
	}
	return found
}

func flat(s string) string { return string(bytes.Join(bytes.Fields([]byte(s)), []byte(" "))) }

func explainedText(t *testing.T, o *proxy.Outcome) string {
	t.Helper()
	var b bytes.Buffer
	a := explain.NewAnswer(o)
	a.Duration, a.Origin = 0, 0 // chance has a part in them
	require.NoError(t, a.Text(&b, false))
	return b.String()
}
