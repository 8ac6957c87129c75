package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
)

const recordVersion = 1

// record is what a run found.
type record struct {
	Version int         `json:"version"`
	Traces  []traceFile `json:"traces"`
	Rows    []row       `json:"rows"`
}

func (r *record) save(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func (r *record) find(trace string, percent int, policy string) (ratios, bool) {
	for _, row := range r.Rows {
		if row.Trace == trace && row.Percent == percent && row.Policy == policy {
			return row.ratios, true
		}
	}
	return ratios{}, false
}

// markdown renders the table, with a mean over the traces at the end.
func (r *record) markdown() string {
	var b strings.Builder
	b.WriteString("# Hit ratios\n\nObject / byte hit ratio in %, cold start, whole trace.\n\n")
	b.WriteString("| trace | cache |")
	for _, p := range policies {
		b.WriteString(" " + p.name + " |")
	}
	b.WriteString("\n|---|--:|" + strings.Repeat("--:|", len(policies)) + "\n")
	for _, t := range r.Traces {
		for _, percent := range percents {
			r.line(&b, t.Trace, percent, func(policy string) ratios {
				found, _ := r.find(t.Trace, percent, policy)
				return found
			})
		}
	}
	for _, percent := range percents {
		r.line(&b, "mean", percent, func(policy string) ratios { return r.mean(percent, policy) })
	}
	b.WriteString("\n")
	for _, n := range notes {
		b.WriteString("- " + n + "\n")
	}
	fmt.Fprintf(&b, "- %s %s/%s. ristretto, gdsf and otter hash keys with a seed that differs from run to run; all others are exact.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return b.String()
}

func (r *record) line(b *strings.Builder, name string, percent int, of func(policy string) ratios) {
	fmt.Fprintf(b, "| %s | %d %% |", name, percent)
	for _, p := range policies {
		v := of(p.name)
		fmt.Fprintf(b, " %.1f / %.1f |", 100*v.Object, 100*v.Byte)
	}
	b.WriteString("\n")
}

// mean is over the traces, each with the same weight.
func (r *record) mean(percent int, policy string) (m ratios) {
	for _, t := range r.Traces {
		v, _ := r.find(t.Trace, percent, policy)
		m.Object += v.Object / float64(len(r.Traces))
		m.Byte += v.Byte / float64(len(r.Traces))
	}
	return m
}
