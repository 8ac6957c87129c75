package workload

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Weighted is a value and how often it is sent, beside the others of its Mix.
type Weighted struct {
	Value  string // letters, digits and hyphens
	Weight int    // 1 to 1,000,000
}

// Mix is the values of a request field that clients send, 1 to 100 of them.
type Mix []Weighted

// ParseMix reads VALUE:WEIGHT,VALUE:WEIGHT,..., for example en:60,de:30,fr:10.
func ParseMix(s string) (Mix, error) {
	var m Mix
	for part := range strings.SplitSeq(s, ",") {
		value, weight, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(weight)
		if err != nil {
			return nil, fmt.Errorf("%q is no value and weight; write VALUE:WEIGHT,..., for example en:60,de:30", part)
		}
		m = append(m, Weighted{value, n})
	}
	return m, m.check()
}

func (m Mix) check() error {
	if len(m) < 1 || len(m) > 100 {
		return errors.New("give 1 to 100 values")
	}
	seen := make(map[string]bool)
	for _, w := range m {
		switch {
		case w.Value == "" || strings.ContainsFunc(w.Value, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}):
			return fmt.Errorf("value %q: use letters, digits and hyphens", w.Value)
		case w.Weight < 1 || w.Weight > 1_000_000:
			return fmt.Errorf("weight %d of %s is out of range; use 1 to 1000000", w.Weight, w.Value)
		case seen[w.Value]:
			return fmt.Errorf("value %s is there twice", w.Value)
		}
		seen[w.Value] = true
	}
	return nil
}

// String is what ParseMix reads.
func (m Mix) String() string {
	var b strings.Builder
	for i, w := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%d", w.Value, w.Weight)
	}
	return b.String()
}

// pick chooses a value by random bits.
func (m Mix) pick(random uint64) string {
	total := 0
	for _, w := range m {
		total += w.Weight
	}
	at, _ := bits.Mul64(random, uint64(total))
	for _, w := range m[:len(m)-1] {
		if at < uint64(w.Weight) {
			return w.Value
		}
		at -= uint64(w.Weight)
	}
	return m[len(m)-1].Value
}
