package workload

import (
	"fmt"
	"slices"
	"strings"
)

// Named is a preset: a workload that is ready for use.
type Named struct {
	Name    string
	Meaning string // what it stands for, without a dot at the end
	Spec    Spec
}

var (
	browsers = Mix{{"gzip", 90}, {"identity", 10}}
	tongues  = Mix{{"en", 60}, {"de", 15}, {"fr", 15}, {"ja", 10}}
)

// presets: the first is the default.
var presets = []Named{
	{"web", "pages, scripts and pictures of one site", Spec{
		Objects: 20_000, Alpha: 0.9, Sizes: Sizes{Law: LogNormal, Median: 10 << 10, Sigma: 1.5, Min: 200, Max: 8 << 20},
		Drift: Per{0.05, 100_000}, Once: 0.1,
		Head: 0.005, Ranges: 0.005, Current: 0.05, Expired: 0.01,
		VaryEncoding: 0.5, Encodings: browsers,
	}},
	{"images", "pictures in many sizes, many of them rarely asked for", Spec{
		Objects: 20_000, Alpha: 0.8, Sizes: Sizes{Law: LogUniform, Min: 2 << 10, Max: 512 << 10},
		Drift: Per{0.02, 100_000}, Once: 0.2, Current: 0.1,
	}},
	{"cdn", "many sites behind one edge: variants, ranges, crawlers", Spec{
		Objects: 50_000, Alpha: 0.85, Sizes: Sizes{Law: LogNormal, Median: 12 << 10, Sigma: 1.7, Min: 100, Max: 32 << 20},
		Drift: Per{0.1, 100_000}, Scan: Run{2_000, 50_000}, Once: 0.2,
		Head: 0.01, Post: 0.01, Ranges: 0.03, Current: 0.05, Expired: 0.01,
		VaryEncoding: 0.4, Encodings: browsers, VaryLanguage: 0.05, Languages: tongues, Hosts: 20,
	}},
	{"churn", "200 B to 8 MiB, in and out of the store: set footprint to 4 caches", Spec{
		Footprint: 1 << 30, Alpha: 0.8, Sizes: Sizes{Law: LogUniform, Min: 200, Max: 8 << 20},
		Drift: Per{0.1, 10_000}, Once: 0.1,
	}},
	{"hot", "a thousand objects of 1 KiB: all hits, to see how fast a proxy is", Spec{
		Objects: 1000, Alpha: 0.9, Sizes: Sizes{Law: Fixed, Min: 1 << 10, Max: 1 << 10},
	}},
}

// Presets are all presets, the default one first, with seed 1.
func Presets() []Named {
	out := slices.Clone(presets)
	for i := range out {
		out[i].Spec = out[i].Spec.completed()
	}
	return out
}

// completed has seed 1, and values of the fields that settings may make it vary by.
func (s Spec) completed() Spec {
	s.Seed = 1
	if s.Encodings == nil {
		s.Encodings = browsers
	}
	if s.Languages == nil {
		s.Languages = tongues
	}
	return s
}

// Preset returns the workload of this name, with seed 1. The error lists the
// names.
func Preset(name string) (Spec, error) {
	var names []string
	for _, p := range presets {
		if p.Name == name {
			return p.Spec.completed(), nil
		}
		names = append(names, p.Name)
	}
	return Spec{}, fmt.Errorf("workload: no preset %q; use one of %s, or NAME=VALUE settings", name, strings.Join(names, ", "))
}
