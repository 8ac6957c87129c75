//go:build linux

package soak

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// result is what a run found out; what soak.json holds.
type result struct {
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"`
	Go      string        `json:"go"`
	CPUs    int           `json:"cpus"`
	Commit  string        `json:"commit,omitempty"`
	Clients int           `json:"clients"`
	Weather weather       `json:"weather"`
	All     row           `json:"all"`
	Back    time.Duration `json:"back_ns"` // the latest failure by an origin's absence, since its return
	Ways    []row         `json:"ways"`
	Kinds   []row         `json:"kinds"`
	// At 30 % of the time and at the end: with all clients held up, and medians of
	// the fifth of the time after the one and before the other.
	CalmFirst sample `json:"calm_first"`
	CalmLast  sample `json:"calm_last"`
	BusyFirst sample `json:"busy_first"`
	BusyLast  sample `json:"busy_last"`

	Samples []sample `json:"samples"` // about a hundred
}

func (w *world) result(start time.Time, first, last sample, samples []sample) *result {
	took := samples[len(samples)-1].At
	r := &result{
		Started: start.UTC().Round(time.Second), Took: took, Go: runtime.Version(), CPUs: runtime.NumCPU(),
		Weather: w.weather, Clients: clients,
		All: w.tally.sums(all)[0], Back: w.tally.back, Ways: w.tally.sums(byWay), Kinds: w.tally.sums(byKind),
		CalmFirst: first, CalmLast: last,
		BusyFirst: median(between(samples, first.At, first.At+took/5)),
		BusyLast:  median(between(samples, took-took/5, took+1)),
	}
	if out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output(); err == nil {
		r.Commit = strings.TrimSpace(string(out))
	}
	for i := 0; i < len(samples); i += 1 + len(samples)/100 {
		r.Samples = append(r.Samples, samples[i])
	}
	return r
}

// write writes the result to the folder SOAK_OUT, from the root of the module.
func (r *result) write(t *testing.T) {
	dir := os.Getenv("SOAK_OUT")
	if dir == "" {
		return
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir)
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	text, err := json.MarshalIndent(r, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "soak.json"), append(text, '\n'), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "soak.md"), []byte(r.markdown()), 0o644))
}

func (r *result) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Soak: %s of everything\n\n", r.Took.Round(time.Second))
	fmt.Fprintf(&b, "%s, %s, %d CPUs", r.Started.Format("2006-01-02 15:04 MST"), r.Go, r.CPUs)
	if r.Commit != "" {
		fmt.Fprintf(&b, ", commit %s", r.Commit)
	}
	fmt.Fprintf(&b, ". `make soak` makes it anew; [soak.json](soak.json) has all figures.\n\n")
	fmt.Fprintf(&b, "%d clients before the real binary. Meanwhile: %d restarts of an origin, %d spells of failures of another, "+
		"%d signals to reload, %d changes of the configuration's file and %d broken ones.\n\n",
		r.Clients, r.Weather.Restarts, r.Weather.Spells, r.Weather.Signals, r.Weather.Changes, r.Weather.Refusals)
	fmt.Fprintf(&b, "| requests | good | of these from the store | failed by the origin | clients left | **failed otherwise** | **wrong** | slowest |\n|---|---|---|---|---|---|---|---|\n")
	line := func(name string, s row) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %s |\n", name, s.Good, s.Stored, s.Origin, s.Left, s.Failed, s.Wrong, s.Slowest.Round(time.Millisecond))
	}
	for _, way := range r.Ways {
		line("over "+way.Way, way)
	}
	for _, k := range r.Kinds {
		line(k.Kind, k)
	}
	line("**all**", r.All)
	fmt.Fprintf(&b, "\nThe origin that restarts is gone for %s each time. The latest request that failed by that ended %s after its return.\n",
		gone, r.Back.Round(time.Millisecond))
	fmt.Fprintf(&b, "\n| the proxy takes | goroutines | files | resident memory |\n|---|---|---|---|\n")
	for _, s := range []struct {
		name string
		sample
	}{
		{"in a pause at 30 % of the time", r.CalmFirst}, {"in a pause at the end", r.CalmLast},
		{"under load after the first pause, median", r.BusyFirst}, {"under load at the end, median", r.BusyLast},
	} {
		fmt.Fprintf(&b, "| %s | %d | %d | %.1f MiB |\n", s.name, s.Goroutines, s.Files, float64(s.RSS)/(1<<20))
	}
	fmt.Fprintf(&b, "\nAt most %.1f MiB were resident, with a cache of 64 MiB.\n", float64(r.CalmLast.Peak)/(1<<20))
	return b.String()
}
