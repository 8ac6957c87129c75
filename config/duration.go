package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that reads and prints as in a configuration file:
// Go syntax (90s, 1h30m, 250ms) and whole days (7d, 1d12h) in front.
type Duration time.Duration

const (
	second = Duration(time.Second)
	day    = Duration(24 * time.Hour)
)

// ParseDuration reads a duration of zero or more. A number without a unit is an error.
func ParseDuration(s string) (Duration, error) {
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, fmt.Errorf("%q has no unit; write %ss for seconds, or use ms, m, h or d", s, s)
	}
	if strings.HasPrefix(s, "-") {
		return 0, fmt.Errorf("%q is negative; write 0s or more", s)
	}
	bad := fmt.Errorf("%q is not a duration; write for example 250ms, 30s, 5m, 1h30m or 7d", s)
	days, rest, found := strings.Cut(s, "d")
	if !found {
		days, rest = "0", s
	}
	n, err := strconv.ParseUint(days, 10, 32)
	if err != nil || s == "" || strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
		return 0, bad
	}
	var d time.Duration
	if rest != "" {
		if d, err = time.ParseDuration(rest); err != nil || rest == "0" {
			return 0, bad
		}
	}
	if n > uint64((math.MaxInt64-int64(d))/int64(day)) {
		return 0, bad
	}
	return Duration(n)*day + Duration(d), nil
}

// String is the shortest form that ParseDuration reads back to the same value.
func (d Duration) String() string {
	if d >= 2*day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err == nil {
		*d = v
	}
	return err
}
