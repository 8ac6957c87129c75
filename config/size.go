package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes that reads and prints as in a configuration file:
// 256MiB (powers of 1024), 256MB (powers of 1000), or a plain number of bytes.
type Size int64

var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// ParseSize reads a whole number with an optional unit: KiB, MiB, GiB, TiB, KB,
// MB, GB, TB or B. Without a unit the number is bytes.
func ParseSize(s string) (Size, error) {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == 0 || strings.HasPrefix(s[end:], ".") {
		return 0, fmt.Errorf("%q is not a size; write a whole number and a unit, for example 256MiB", s)
	}
	per, err := unitBytes(s[end:])
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	if err != nil || n > math.MaxInt64/per {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return Size(n * per), nil
}

func unitBytes(unit string) (int64, error) {
	if unit == "" {
		return 1, nil
	}
	for _, u := range sizeUnits {
		if u.name == unit {
			return u.bytes, nil
		}
	}
	return 0, fmt.Errorf("unknown unit %q; use B, KiB, MiB, GiB, TiB, KB, MB, GB or TB", unit)
}

// String is a form that ParseSize reads back to the same value.
func (s Size) String() string {
	for _, u := range sizeUnits[:4] {
		if s > 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(text []byte) error {
	v, err := ParseSize(string(text))
	if err == nil {
		*s = v
	}
	return err
}

// CacheSize is a number of bytes, or a share of the memory that the process may
// use, which [Config.Resolve] makes bytes. It reads and prints as 256MiB or 60%.
type CacheSize int64

// A share is a negative number of hundredths.
func (s CacheSize) isShare() bool { return s < 0 }

// of returns the share of total, in whole MiB and at least one.
func (s CacheSize) of(total int64) CacheSize {
	return max(1, CacheSize(total/100)*-s>>20) << 20
}

// String is a form that UnmarshalText reads back to the same value.
func (s CacheSize) String() string {
	if s.isShare() {
		return strconv.FormatInt(int64(-s), 10) + "%"
	}
	return Size(s).String()
}

// UnmarshalText reads a size as ParseSize does, or a whole number of hundredths.
func (s *CacheSize) UnmarshalText(text []byte) error {
	number, isShare := strings.CutSuffix(string(text), "%")
	if !isShare {
		v, err := ParseSize(number)
		if err == nil {
			*s = CacheSize(v)
		}
		return err
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxShare || strconv.Itoa(n) != number {
		return fmt.Errorf("%q is not a share of memory; write a whole number from 1%% to %d%%, for example 60%%", text, maxShare)
	}
	*s = CacheSize(-n)
	return nil
}

const maxShare = 80 // the process needs more than its store
