package config

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]struct {
		d     time.Duration
		print string
	}{
		"0s":         {0, "0s"},
		"250ms":      {250 * time.Millisecond, "250ms"},
		"90s":        {90 * time.Second, "1m30s"},
		"60m":        {time.Hour, "1h"},
		"1h30m":      {90 * time.Minute, "1h30m"},
		"1h0m1s":     {time.Hour + time.Second, "1h0m1s"},
		"10m":        {10 * time.Minute, "10m"},
		"20h":        {20 * time.Hour, "20h"},
		"1d":         {24 * time.Hour, "24h"},
		"7d":         {168 * time.Hour, "7d"},
		"1d12h":      {36 * time.Hour, "36h"},
		"2d0h":       {48 * time.Hour, "2d"},
		"1.5h":       {90 * time.Minute, "1h30m"},
		"106751d":    {106751 * 24 * time.Hour, "106751d"},
		"2540400h1s": {2540400*time.Hour + time.Second, "2540400h0m1s"},
	} {
		d, err := ParseDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want.d, time.Duration(d), text)
		assert.Equal(t, want.print, d.String(), text)
		back, err := ParseDuration(d.String())
		require.NoError(t, err, text)
		assert.Equal(t, d, back, text)
	}
}

func TestDurationRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":         "is not a duration",
		"0":        `"0" has no unit; write 0s`,
		"1.5":      "has no unit",
		"d":        "is not a duration",
		"1d0":      "is not a duration",
		"1d5":      "is not a duration",
		"1.5d":     "is not a duration",
		"1d-3s":    "is not a duration",
		"+3s":      "is not a duration",
		"-3s":      "is negative",
		"-1d":      "is negative",
		"1h2d":     "is not a duration",
		"1d2d":     "is not a duration",
		"1 h":      "is not a duration",
		"106752d":  "is not a duration",
		"999999h1": "is not a duration",
	} {
		_, err := ParseDuration(text)
		require.ErrorContains(t, err, want, "%q", text)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]struct {
		bytes Size
		print string
	}{
		"0":                   {0, "0"},
		"1":                   {1, "1"},
		"1000B":               {1000, "1000"},
		"1024":                {1024, "1KiB"},
		"1KB":                 {1000, "1000"},
		"3MB":                 {3e6, "3000000"},
		"64KiB":               {64 << 10, "64KiB"},
		"256MiB":              {256 << 20, "256MiB"},
		"1024MiB":             {1 << 30, "1GiB"},
		"1TiB":                {1 << 40, "1TiB"},
		"1536MiB":             {1536 << 20, "1536MiB"},
		"9223372036854775807": {math.MaxInt64, "9223372036854775807"},
	} {
		s, err := ParseSize(text)
		require.NoError(t, err, text)
		assert.Equal(t, want.bytes, s, text)
		assert.Equal(t, want.print, s.String(), text)
		back, err := ParseSize(s.String())
		require.NoError(t, err, text)
		assert.Equal(t, s, back, text)
	}
}

func TestSizeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "is not a size",
		"MiB":                 "is not a size",
		"-1MiB":               "is not a size",
		"1.5GiB":              "whole number",
		"1M":                  `unknown unit "M"; use B, KiB`,
		"1 MiB":               "unknown unit",
		"9223372036854775808": "too large",
		"8388608TiB":          "too large",
	} {
		_, err := ParseSize(text)
		require.ErrorContains(t, err, want, "%q", text)
	}
}
