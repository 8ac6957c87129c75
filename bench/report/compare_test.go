package report

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCompareShowsEachRun(t *testing.T) {
	other := sample(t)
	other.Origin.Ratio.Requests, other.Watched = 0.8, nil
	c := compared(t, sample(t), other)
	var b strings.Builder
	require.NoError(t, c.Text(&b))
	assert.Regexp(t, `hit ratio, requests\s+70\.0 %\s+80\.0 %\n`, b.String())
	assert.Regexp(t, `proxy, most memory\s+300 MiB\s+-\n`, b.String(), "what one run lacks")
	page := comparison(t, c)
	for _, want := range []string{">a, hits<", ">b, misses<", "Load tests compared: a, b"} {
		assert.Contains(t, page, want)
	}
}

func TestCompareSaysWhatCannotBeCompared(t *testing.T) {
	workload, rate := sample(t), sample(t)
	workload.Workload = "objects=5"
	workload.Load.Connections++
	rate.Load.Rate = 0
	notes := strings.Join(compared(t, sample(t), workload, rate).notes(), "\n")
	assert.Contains(t, notes, "b has another workload than a: objects=5")
	assert.Contains(t, notes, "b was sent in another way than a")
	assert.Contains(t, notes, "c was sent in another way than a")
}

func TestCompareRefuses(t *testing.T) {
	_, err := Compare([]string{"a.json"})
	assert.ErrorContains(t, err, "1 file to compare: give 2 to 5")
	_, err = Compare([]string{"a.json", filepath.Join(t.TempDir(), "b.json")})
	assert.ErrorContains(t, err, "a.json")
}

func TestShortNames(t *testing.T) {
	for want, files := range map[string][]string{
		"a b":         {"x/a.json", "y/b.json"},
		"x/a y/a":     {"x/a.json", "y/a.json"},
		"a (1) a (2)": {"a.json", "a.json"},
	} {
		assert.Equal(t, want, strings.Join(shortNames(files), " "))
	}
}

func TestLongNamesDoNotBreakTables(t *testing.T) {
	c := compared(t, sample(t), sample(t), sample(t), sample(t), sample(t))
	for i := range c.runs {
		c.runs[i].name = strings.Repeat("x", i*10) + "-of-the-run"
	}
	var b strings.Builder
	require.NoError(t, c.Text(&b))
	_, tables, _ := strings.Cut(b.String(), "\n\n")
	tables, _, _ = strings.Cut(tables, "\n* ")
	for line := range strings.Lines(tables) {
		assert.LessOrEqual(t, len(line), width+1, line)
	}
	assert.Equal(t, "abc~hij", cut("abcdefghij", 7))
	assert.Equal(t, "abc", cut("abc", 3))
}
