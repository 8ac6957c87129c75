package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// options are the flags of a run.
type options struct {
	peers     []string
	us        []string
	scenarios []string
	modes     []string
	rounds    int
	secs      int
	quiet     time.Duration
	out       string
}

func (o *options) addFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.peers, "peers", nil, "`NAMES` of "+strings.Join(peerNames(), ",")+" (default those that are installed)")
	f.StringArrayVar(&o.us, "us", nil, "`[NAME=]BINARY` of cacheproxy instead of one built from this tree; repeat to compare builds")
	f.StringSliceVar(&o.scenarios, "scenarios", nil, "`NAMES` of "+strings.Join(scenarioNames(), ",")+" (default all pinned, and hit unpinned)")
	f.StringSliceVar(&o.modes, "modes", []string{pinned, unpinned}, "pinned: the proxy alone on one CPU; unpinned: two workers, all on all CPUs")
	f.IntVar(&o.rounds, "rounds", 3, "how often everything is measured, 1 to 100; the median counts")
	f.IntVar(&o.secs, "secs", 3, "how long each measurement takes, in seconds, 1 to 60")
	f.DurationVar(&o.quiet, "quiet", 5*time.Second, "how long to wait for an idle machine before each measurement, at most 1m")
	f.StringVar(&o.out, "out", "", "`FILE`.json to write, with every round")
}

func (o *options) validate() error {
	for _, m := range o.modes {
		if m != pinned && m != unpinned {
			return usageError{fmt.Errorf("--modes: %q is neither pinned nor unpinned", m)}
		}
	}
	switch {
	case len(o.modes) == 0:
		return usageError{errors.New("--modes: name pinned, unpinned or both")}
	case o.rounds < 1 || o.rounds > 100:
		return usageError{fmt.Errorf("--rounds: %d is not between 1 and 100", o.rounds)}
	case o.secs < 1 || o.secs > 60:
		return usageError{fmt.Errorf("--secs: %d is not between 1 and 60", o.secs)}
	case o.quiet < 0 || o.quiet > time.Minute:
		return usageError{fmt.Errorf("--quiet: %s is not between 0s and 1m", o.quiet)}
	}
	_, err := pickScenarios(o.scenarios)
	return err
}

// plan is which scenarios each mode measures.
func (o *options) plan(mode string) []scenario {
	if len(o.scenarios) == 0 {
		return defaultScenarios(mode)
	}
	picked, _ := pickScenarios(o.scenarios) // validate has seen the error
	return picked
}

// has reports whether any of the modes measures a scenario that is like this.
func (o *options) has(like func(scenario) bool) bool {
	return slices.ContainsFunc(o.modes, func(mode string) bool {
		return slices.ContainsFunc(o.plan(mode), like)
	})
}
