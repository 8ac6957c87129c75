package main

import (
	"fmt"
	"slices"
	"strings"
)

// What the proxy has to do in a scenario, and so what the origin sees of it.
const (
	hits      = "hits"      // the origin sees nothing
	passes    = "passes"    // the origin sees every request
	validates = "validates" // the origin sees every request, and may answer 304
	stampedes = "stampedes" // one cold key for everybody
)

// How clients talk to the proxy.
const (
	plain = "http"  // HTTP/1.1
	tls1  = "https" // HTTP/1.1 over TLS
	tls2  = "h2"    // HTTP/2 over TLS
)

// scenario is a row of the comparison.
type scenario struct {
	name    string
	title   string
	kind    string // of object, see origin.go; the first segment of the path
	objects int    // the URLs are /kind/1 to /kind/objects
	conns   int    // connections that clients keep open
	proto   string
	want    string
}

// streams is how many requests a connection of HTTP/2 has under way.
const streams = 32

var scenarios = []scenario{
	{"hit", "hit, 1 KiB", "small", 1, 64, plain, hits},
	{"hit10k", "hit, 10,000 × 1 KiB", "small", 10000, 64, plain, hits},
	{"hit32k", "hit, 1,000 × 32 KiB", "medium", 1000, 64, plain, hits},
	{"hit10m", "hit, 10 MiB", "large", 1, 8, plain, hits},
	{"tls1", "hit, 1 KiB, TLS, HTTP/1.1", "small", 1, 64, tls1, hits},
	{"tls2", "hit, 1 KiB, TLS, HTTP/2", "small", 1, 16, tls2, hits},
	{"pass", "pass (no-store), 1 KiB", "nocache", 10000, 64, plain, passes},
	{"reval", "revalidate (max-age=0), 1 KiB", "reval", 10000, 64, plain, validates},
	{"stampede", "1,000 clients, one cold key", "slow", 1, 1000, plain, stampedes},
}

// Modes say which CPUs are used.
const (
	pinned   = "pinned"   // the proxy has one CPU with one worker, load and origin have another
	unpinned = "unpinned" // all have all CPUs, the proxy two workers
)

// defaultScenarios are those of a mode when none are asked for. Cost is told
// best by a proxy that has a CPU for itself; what two can do, by the rate.
func defaultScenarios(mode string) []scenario {
	if mode == unpinned {
		return scenarios[:1]
	}
	return scenarios
}

// pickScenarios finds scenarios by their names, in the order of the table.
func pickScenarios(names []string) ([]scenario, error) {
	known := scenarioNames()
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, usageError{fmt.Errorf("--scenarios: %q is none of %s", n, strings.Join(known, ", "))}
		}
	}
	var out []scenario
	for _, s := range scenarios {
		if slices.Contains(names, s.name) {
			out = append(out, s)
		}
	}
	return out, nil
}

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

func findScenario(name string) (scenario, bool) {
	i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
	if i < 0 {
		return scenario{}, false
	}
	return scenarios[i], true
}

// path is that of the object n, which counts from 1.
func (s scenario) path(n int) string {
	return fmt.Sprintf("/%s/%d", s.kind, n)
}
