package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
)

// row is a result, or what one should be.
type row struct {
	Trace   string `json:"trace"`
	Percent int    `json:"percent"` // of the footprint
	Policy  string `json:"policy"`
	ratios
}

// check is something that must hold for a row.
type check struct {
	row
	slack float64
	holds func(got, want, slack float64) bool
	word  string
}

// digits is half of the last of the four digits that are given.
const digits = 0.00005 + 1e-9

func equal(c *check) {
	c.word = "expected"
	c.holds = func(got, want, slack float64) bool { return math.Abs(got-want) <= digits+slack }
}

func reached(c *check) {
	c.word = "at least"
	c.holds = func(got, want, _ float64) bool { return got >= want }
}

// loadChecks reads a file with the columns trace, percent, policy, object, byte
// and slack, of which the ratios are 0 to 1 and slack is by how much equal ones
// may differ. The first line is the head.
func loadChecks(path string, kind func(*check)) ([]check, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 6
	if _, err := r.Read(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var out []check
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		var c check
		if err == nil {
			c, err = parseCheck(cells)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		kind(&c)
		out = append(out, c)
	}
}

func parseCheck(cells []string) (c check, err error) {
	c.Trace, c.Policy = cells[0], cells[2]
	if c.Percent, err = strconv.Atoi(cells[1]); err != nil {
		return c, fmt.Errorf("percent: %w", err)
	}
	for i, to := range []*float64{&c.Object, &c.Byte, &c.slack} {
		if *to, err = strconv.ParseFloat(cells[3+i], 64); err != nil || *to < 0 || *to > 1 {
			return c, fmt.Errorf("%q is not a ratio from 0 to 1", cells[3+i])
		}
	}
	return c, nil
}

// verify says which checks do not hold, and fails if there are any.
func verify(r *record, checks []check, out io.Writer) error {
	missed, absent := 0, 0
	for _, c := range checks {
		got, ok := r.find(c.Trace, c.Percent, c.Policy)
		switch {
		case !ok:
			absent++
		case !c.holds(got.Object, c.Object, c.slack) || !c.holds(got.Byte, c.Byte, c.slack):
			missed++
			fmt.Fprintf(out, "missed: %s at %d %%, %s: %.4f / %.4f, %s %.4f / %.4f\n",
				c.Trace, c.Percent, c.Policy, got.Object, got.Byte, c.word, c.Object, c.Byte)
		}
	}
	fmt.Fprintf(out, "%d checks, %d missed, %d without a result\n", len(checks), missed, absent)
	switch {
	case missed > 0:
		return fmt.Errorf("%d of %d checks missed", missed, len(checks))
	case absent == len(checks):
		return errors.New("no check applies to these traces; give others with --expect and --thresholds")
	}
	return nil
}
