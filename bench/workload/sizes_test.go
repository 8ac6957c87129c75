package workload

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSizes(t *testing.T) {
	for text, want := range map[string]Sizes{
		"fixed:1KiB":                     {Law: Fixed, Min: 1024, Max: 1024},
		"fixed:0":                        {Law: Fixed},
		"uniform:0-1MB":                  {Law: Uniform, Max: 1e6},
		"log-uniform:200-8MiB":           {Law: LogUniform, Min: 200, Max: 8 << 20},
		"lognormal:10KiB,1.5":            {Law: LogNormal, Median: 10 << 10, Sigma: 1.5, Min: 1, Max: 1 << 30},
		"lognormal:10KiB,0,200-64MiB":    {Law: LogNormal, Median: 10 << 10, Min: 200, Max: 64 << 20},
		"lognormal:1TiB,5,0-1TiB":        {Law: LogNormal, Median: 1 << 40, Sigma: 5, Max: 1 << 40},
		"uniform:1099511627776-1024GiB":  {Law: Uniform, Min: 1 << 40, Max: 1 << 40},
		"log-uniform:1-1":                {Law: LogUniform, Min: 1, Max: 1},
		"lognormal:10KiB,1.5,10KB-10KiB": {Law: LogNormal, Median: 10 << 10, Sigma: 1.5, Min: 10_000, Max: 10 << 10},
	} {
		got, err := ParseSizes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		again, err := ParseSizes(got.String())
		require.NoError(t, err, got.String())
		assert.Equal(t, got, again, text)
	}
}

func TestParseSizesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                            `"" is no distribution; use fixed:SIZE`,
		"pareto:1-2":                  `"pareto:1-2" is no distribution`,
		"fixed":                       `"" is not a size`,
		"fixed:2TiB":                  "sizes 2TiB-2TiB are out of range; use 0B to 1TiB",
		"fixed:-1":                    `"-1" is not a size`,
		"uniform:1":                   `"" is not a size`,
		"uniform:2-1":                 "sizes 2-1 are out of range; use 0B to 1TiB, the smaller one first",
		"log-uniform:0-1":             "sizes 0-1 are out of range; use 1B to 1TiB",
		"lognormal:0,1":               "median 0 is out of range; use 1B to 1TiB",
		"lognormal:1":                 `"" is no number; write lognormal:MEDIAN,SIGMA`,
		"lognormal:1,x":               `"x" is no number`,
		"lognormal:1,-1":              "sigma -1 is out of range; use 0 to 5",
		"lognormal:1,NaN":             "sigma NaN is out of range",
		"lognormal:1,1,5":             `"" is not a size`,
		"lognormal:1,1,5-1":           "sizes 5-1 are out of range",
		"fixed:9999999999999999999":   "too large",
		"uniform:1-9999999999999TiB":  "too large",
		"lognormal:99999999TiB,1,1-2": "too large",
	} {
		_, err := ParseSizes(text)
		assert.ErrorContains(t, err, want, text)
	}
}

// drawn is the sorted sizes of the first n objects.
func drawn(t *testing.T, text string, n int) []int64 {
	d, err := ParseSizes(text)
	require.NoError(t, err)
	var out []int64
	for id := range n {
		out = append(out, d.of(uint64(id), 1))
	}
	slices.Sort(out)
	return out
}

func TestSizesFollowTheirLaw(t *testing.T) {
	const n = 100_000
	for _, tc := range []struct {
		text      string
		quantiles map[float64]float64 // share of the objects -> size
	}{
		{"fixed:1234", map[float64]float64{0: 1234, 0.5: 1234, 1: 1234}},
		{"uniform:1000-9000", map[float64]float64{0: 1000, 0.25: 3000, 0.5: 5000, 0.9: 8200, 1: 9000}},
		{"log-uniform:1KiB-1MiB", map[float64]float64{0: 1 << 10, 0.1: 1 << 11, 0.5: 1 << 15, 0.9: 1 << 19, 1: 1 << 20}},
		// The normal distribution has 15.87 % below -1 and 2.275 % below -2 deviations; e is 2.71828.
		{"lognormal:100KB,1", map[float64]float64{0.02275: 1e5 / 7.389, 0.1587: 1e5 / 2.71828, 0.5: 1e5, 0.8413: 1e5 * 2.71828, 0.97725: 1e5 * 7.389}},
		{"lognormal:100KB,1,50KB-200KB", map[float64]float64{0: 50_000, 0.2: 50_000, 0.5: 1e5, 0.8: 200_000, 1: 200_000}},
	} {
		sizes := drawn(t, tc.text, n)
		for share, want := range tc.quantiles {
			got := sizes[min(int(share*n), n-1)]
			assert.InEpsilon(t, want, got, 0.03, "%s: quantile %v", tc.text, share)
		}
	}
}

func TestSizeIsOfTheObject(t *testing.T) {
	d, err := ParseSizes("log-uniform:1KiB-1MiB")
	require.NoError(t, err)
	assert.Equal(t, d.of(7, 1), d.of(7, 1))
	assert.NotEqual(t, d.of(7, 1), d.of(8, 1))
	assert.NotEqual(t, d.of(7, 1), d.of(7, 2), "another seed")
}
