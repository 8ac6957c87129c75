package report

import (
	"encoding/json"
	"fmt"
	"os"
)

// Save writes a run as JSON into a new file, or over an old one.
func Save(name string, r *Run) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}

// Read reads what Save wrote. It refuses files of another version and those that
// are no result of a load test.
func Read(name string) (*Run, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := new(Run)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: want the file of --json: %w", name, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("%s: version %d of the format, want %d: measure again with this program", name, r.Version, Version)
	}
	for _, l := range []Latency{r.All, r.Hits, r.Misses} {
		if _, err := l.curve(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return r, nil
}
