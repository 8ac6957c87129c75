package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

func pageOf(t *testing.T, r *Run) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.Page(&b))
	return b.String()
}

// compared are two runs side by side, from files.
func compared(t *testing.T, runs ...*Run) *Compared {
	t.Helper()
	var files []string
	for i, r := range runs {
		files = append(files, filepath.Join(t.TempDir(), string(rune('a'+i))+".json"))
		require.NoError(t, Save(files[i], r))
	}
	c, err := Compare(files)
	require.NoError(t, err)
	return c
}

func comparison(t *testing.T, c *Compared) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.Page(&b))
	return b.String()
}

func TestPagesAreWellFormedAndWhole(t *testing.T) {
	for name, page := range map[string]string{
		"full": pageOf(t, sample(t)), "bare": pageOf(t, bare()),
		"compared": comparison(t, compared(t, sample(t), bare(), sample(t))),
	} {
		t.Run(name, func(t *testing.T) {
			closed(t, page)
			assert.NotRegexp(t, `(?i)<(script|link|img|iframe|object|embed|use|base)\b`, page)
			assert.NotRegexp(t, `(?i)\b(src|href|srcset|action)=|url\(|@import`, page)
			assert.NotContains(t, page, "NaN")
			assert.NotContains(t, page, "Inf")
			assert.NotContains(t, page, "ZgotmplZ", "the template trusts its styles")
			for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
				wellFormed(t, svg)
			}
		})
	}
}

// closed fails if a tag of a page is not closed, or closed twice.
func closed(t *testing.T, page string) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			require.ErrorIs(t, z.Err(), io.EOF)
			assert.Empty(t, open)
			return
		case html.StartTagToken:
			if tag := z.Token().Data; tag != "meta" {
				open = append(open, tag)
			}
		case html.EndTagToken:
			tag := z.Token().Data
			require.NotEmpty(t, open, tag)
			require.Equal(t, open[len(open)-1], tag)
			open = open[:len(open)-1]
		}
	}
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if !assert.NoError(t, err) {
			return
		}
	}
}

func TestPageTellsWhatHappened(t *testing.T) {
	page := pageOf(t, sample(t))
	for _, want := range []string{
		"70.0 %", "Latency by percentile", "Hit ratio over time", "Throughput over time", "Memory of the proxy over time",
		"size of the cache: 256 MiB", "requests per second", "prefers-color-scheme: dark", `name="viewport"`,
		"&lt;why&gt;", "nginx &lt;b&gt;", "99.9", "collapsed",
	} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, pageOf(t, bare()), "<svg", "nothing was measured, nothing is drawn")
}

func TestLinesStayInTheirChart(t *testing.T) {
	list, err := charts([]named{{Run: sample(t)}})
	require.NoError(t, err)
	require.Len(t, list, 6)
	for _, c := range list {
		assert.NotEmpty(t, c.x)
		assert.NotEmpty(t, c.y)
		for _, l := range c.lines {
			assert.NotEmpty(t, l.name, c.title)
			for _, p := range l.points {
				if p.y == 0 && l.gaps {
					continue
				}
				assert.True(t, p.x >= c.xAxis.low && p.x <= c.xAxis.high*(1+1e-9), "%s: x %v", c.title, p.x)
				assert.True(t, p.y >= c.yAxis.low && p.y <= c.yAxis.high, "%s: y %v", c.title, p.y)
			}
		}
	}
}

// TestTicksDoNotTouch: at 12 units of height a digit is some 7 wide.
func TestTicksDoNotTouch(t *testing.T) {
	for _, most := range []float64{0.0004, 0.03, 1, 1.01, 7, 99, 100, 350, 1999, 123456, 9e6, 2e9} {
		for _, a := range []axis{linear(most, tickName), timeAxis(most), logarithmic(max(most/1000, 0.001), max(most, 0.002), tickName)} {
			assert.GreaterOrEqual(t, a.high, most*(1-1e-9))
			assert.LessOrEqual(t, len(a.ticks), 7)
			assert.GreaterOrEqual(t, len(a.ticks), 2)
			apart(t, a, most)
			for _, tick := range a.ticks {
				assert.LessOrEqual(t, 7*len(tick.name), plotLeft-7, "there is room to the left of the plot: %s", tick.name)
			}
		}
	}
	for deepest := 10.0; deepest <= 1e5; deepest *= 10 {
		apart(t, percentAxis(deepest), deepest)
	}
}

func apart(t *testing.T, a axis, most float64) {
	t.Helper()
	for i := 1; i < len(a.ticks); i++ {
		gap := (a.place(a.ticks[i].at) - a.place(a.ticks[i-1].at)) * (plotRight - plotLeft)
		assert.Greater(t, gap, 7*float64(len(a.ticks[i].name)+len(a.ticks[i-1].name))/2, "axis up to %v: %v", most, a.ticks)
	}
}

func TestNonsenseInAFileEndsInAPage(t *testing.T) {
	r := sample(t)
	r.Series = []Point{{Second: 1e308, Requests: 1}, {Second: math.MaxFloat64, Requests: math.MaxInt64, CPU: math.MaxFloat64, RSS: -1}}
	closed(t, comparison(t, compared(t, r, sample(t))))
}
