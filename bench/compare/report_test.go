package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/report.md anew")

// recorded is a run with a disturbed round, a peer that does not validate, bad
// answers, a problem and a failure.
func recorded(t *testing.T) []result {
	runs, err := loadAll([]string{"testdata/run.json"})
	require.NoError(t, err)
	return runs
}

func TestReport(t *testing.T) {
	got := report(recorded(t))
	if *update {
		require.NoError(t, os.WriteFile("testdata/report.md", []byte(got), 0o644))
	}
	want, err := os.ReadFile("testdata/report.md")
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestReportPools(t *testing.T) {
	one := result{Peers: []participant{{Name: "a", Role: ours}}, Samples: []sample{{Mode: pinned, Scenario: "hit", Peer: "a", Requests: 100, Seconds: 1, CPU: 0.001}}}
	other := result{Peers: []participant{{Name: "a", Role: ours}, {Name: "nginx", Role: rival}}, Samples: []sample{
		{Mode: pinned, Scenario: "hit", Peer: "a", Requests: 100, Seconds: 1, CPU: 0.003},
		{Mode: pinned, Scenario: "hit", Peer: "nginx", Requests: 100, Seconds: 1, CPU: 0.004},
	}}
	assert.Contains(t, report([]result{one, other}), "| hit, 1 KiB | 20.00 (0.50) | 40.00 (1.00) | – |")
	assert.Contains(t, report([]result{one}), "| hit, 1 KiB | 10.00 | – |", "nobody to compare with")
}

func TestVerdict(t *testing.T) {
	r := result{Samples: []sample{{Requests: 10}}}
	assert.NoError(t, r.verdict())
	r.Samples = append(r.Samples, sample{Bad: 2, Problems: []string{"x"}}, sample{Bad: 3})
	r.Failures = []string{"y"}
	assert.ErrorContains(t, r.verdict(), "5 bad answers and 2 problems")
}

func TestSaveAndLoad(t *testing.T) {
	runs := recorded(t)
	file := filepath.Join(t.TempDir(), "new", "run.json")
	require.NoError(t, runs[0].save(file))
	again, err := loadAll([]string{file})
	require.NoError(t, err)
	assert.Equal(t, runs, again)
}

func TestLoadRefuses(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"no JSON", "hello", "is not a recorded run: invalid character"},
		{"no samples", "{}", "it has no samples"},
		{"a scenario of another version", `{"samples":[{"scenario":"hot","seconds":1}]}`, `sample 0: unknown scenario "hot"`},
		{"no time", `{"samples":[{"scenario":"hit","requests":5}]}`, "sample 0: 5 requests in 0 seconds"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "run.json")
			require.NoError(t, os.WriteFile(file, []byte(tc.text), 0o644))
			var out, errOut bytes.Buffer
			assert.Equal(t, exitFailed, execute(t.Context(), []string{"report", file}, &out, &errOut))
			assert.Contains(t, errOut.String(), tc.want)
			assert.Contains(t, errOut.String(), file)
			assert.Empty(t, out.String())
		})
	}
}

func TestPlot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plot.svg")
	var out, errOut bytes.Buffer
	require.Equal(t, 0, execute(t.Context(), []string{"plot", "testdata/run.json", "--out", file}, &out, &errOut), errOut.String())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	d := xml.NewDecoder(bytes.NewReader(text))
	for err == nil {
		_, err = d.Token()
	}
	require.True(t, errors.Is(err, io.EOF), "not XML: %v", err)

	svg := string(text)
	assert.Contains(t, svg, "prefers-color-scheme: dark")
	assert.NotContains(t, svg, "url(", "nothing from elsewhere")
	assert.Contains(t, svg, "CPU per request, relative to nginx")
	assert.Contains(t, svg, "hit, 1 KiB: a&lt;b 0.75, haproxy 0.50", "also in words, and escaped")
	assert.Contains(t, svg, ">5.00 →</text>", "a bar that is too long is cut and says so")
	assert.NotContains(t, svg, ">nethttp<")

	widths := map[string]string{}
	for _, m := range regexp.MustCompile(`width="([\d.]+)" height="13" rx="2"><title>([^:]+): `).FindAllStringSubmatch(svg, -1) {
		widths[m[2]] = m[1]
	}
	assert.Equal(t, "91.1", widths["hit, 1 KiB, a&lt;b"], "0.75 of an axis that ends at 4")
	assert.Equal(t, "486.0", widths["pass (no-store), 1 KiB, a&lt;b"], "the whole axis")
}

func TestPlotNeedsTheBase(t *testing.T) {
	runs := recorded(t)
	for i := range runs[0].Samples {
		runs[0].Samples[i].Peer = strings.Replace(runs[0].Samples[i].Peer, "nginx", "other", 1)
	}
	_, err := plot(runs)
	assert.ErrorContains(t, err, "no scenario was measured both for nginx and for cacheproxy")
}
