package main

import (
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

func value(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

func ratio(part, whole float64) *float64 {
	if whole == 0 {
		return nil
	}
	r := part / whole
	return &r
}

// amount is a number of at most five characters: 0.3, 12, 1234, 12.3k, 1.2M.
func amount(n float64) string {
	switch {
	case n < 0 || math.IsNaN(n):
		return "-"
	case n > 0 && n < 9.95 && n != math.Trunc(n):
		return strconv.FormatFloat(n, 'f', 1, 64)
	case n < 9999.5:
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	return scaled(n, 1000, "kMGTPE")
}

// binary is a number of bytes: 999 B, 1.2 KiB.
func binary(n float64) string {
	if n < 1024 {
		return strconv.FormatFloat(math.Max(n, 0), 'f', 0, 64) + " B"
	}
	s := scaled(n, 1024, "KMGTPE")
	return s[:len(s)-1] + " " + s[len(s)-1:] + "iB"
}

func scaled(n, base float64, units string) string {
	i := -1
	for ; n >= base-.05 && i+1 < len(units); i++ {
		n /= base
	}
	return strconv.FormatFloat(n, 'f', 1, 64) + units[i:i+1]
}

func portion(r *float64) string {
	if r == nil {
		return "-"
	}
	return strconv.FormatFloat(*r*100, 'f', 1, 64) + "%"
}

// exact is a share close to one: 99.987%, and 100% only for all.
func exact(r *float64) string {
	if r == nil {
		return "-"
	}
	return strconv.FormatFloat(math.Floor(*r*1e5)/1e3, 'f', -1, 64) + "%"
}

// millis is a time given in milliseconds: 0.05 ms, 12 ms, 3.4 s, 5m20s.
func millis(ms *float64) string {
	switch {
	case ms == nil:
		return "-"
	case *ms == 0:
		return "0"
	case *ms < 9.95:
		return strconv.FormatFloat(*ms, 'g', 2, 64) + " ms"
	case *ms < 999.5:
		return strconv.FormatFloat(*ms, 'f', 0, 64) + " ms"
	case *ms < 59950:
		return strconv.FormatFloat(*ms/1000, 'f', 1, 64) + " s"
	}
	return span(*ms / 1000)
}

// span is a time given in seconds: 12s, 5m20s, 3h12m, 4d2h.
func span(seconds float64) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d/time.Second%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d/time.Minute%60)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d/time.Hour%24)
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "~"
}
