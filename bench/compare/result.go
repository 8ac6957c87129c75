package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// sample is one measurement: one peer, one scenario, one round.
type sample struct {
	Mode     string `json:"mode"`
	Round    int    `json:"round"` // from 1
	Peer     string `json:"peer"`
	Scenario string `json:"scenario"`

	Requests int64   `json:"requests"` // that the load generator counted
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu_seconds"`        // of all processes of the peer
	Others   float64 `json:"others_cpu_seconds"` // of what has no part in the measurement
	P50      float64 `json:"p50_ms,omitempty"`   // latency, where it is told
	P99      float64 `json:"p99_ms,omitempty"`

	Origin      int64   `json:"origin_requests"`
	NotModified int64   `json:"origin_304"`
	OriginEach  []int64 `json:"origin_each,omitempty"` // requests of each stampede

	Bad      int64    `json:"bad"` // answers that were not 2xx, broken, or of other content
	Problems []string `json:"problems,omitempty"`
}

// cost is CPU time per request in µs.
func (s sample) cost() float64 { return s.CPU * 1e6 / float64(s.Requests) }

func (s sample) rate() float64 { return float64(s.Requests) / s.Seconds }

// participant is a peer as a result remembers it.
type participant struct {
	Name    string `json:"name"`
	Role    string `json:"role"`
	Version string `json:"version"`
}

type machine struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"` // that we may use
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// result is a run with all its rounds.
type result struct {
	Started string            `json:"started"`
	Commit  string            `json:"commit"`
	Command []string          `json:"command"`
	Rounds  int               `json:"rounds"`
	Secs    int               `json:"secs"`
	Machine machine           `json:"machine"`
	Tools   map[string]string `json:"tools"` // versions of the load generators
	Peers   []participant     `json:"peers"`
	Samples []sample          `json:"samples"`
	// Failures are what could not be measured at all.
	Failures []string `json:"failures,omitempty"`
}

// verdict is an error if anything did not go as it should.
func (r *result) verdict() error {
	var bad int64
	problems := len(r.Failures)
	for _, s := range r.Samples {
		bad += s.Bad
		problems += len(s.Problems)
	}
	if bad == 0 && problems == 0 {
		return nil
	}
	return fmt.Errorf("%d bad answers and %d problems, listed under the tables", bad, problems)
}

func (r *result) save(file string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// loadAll reads recorded runs.
func loadAll(files []string) ([]result, error) {
	var all []result
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var r result
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s is not a recorded run: %w", file, err)
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("%s is not a recorded run: %w", file, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// check refuses what the tables could not be made of.
func (r *result) check() error {
	if len(r.Samples) == 0 {
		return errors.New("it has no samples")
	}
	for i, s := range r.Samples {
		if _, ok := findScenario(s.Scenario); !ok {
			return fmt.Errorf("sample %d: unknown scenario %q", i, s.Scenario)
		}
		if s.Requests < 0 || s.Seconds <= 0 {
			return fmt.Errorf("sample %d: %d requests in %g seconds", i, s.Requests, s.Seconds)
		}
	}
	return nil
}
