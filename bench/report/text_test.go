package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func textOf(t *testing.T, r *Run) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.Text(&b))
	return b.String()
}

func TestTextFitsATerminal(t *testing.T) {
	var side strings.Builder
	require.NoError(t, compared(t, sample(t), bare(), sample(t), bare()).Text(&side))
	for _, text := range []string{textOf(t, sample(t)), textOf(t, bare()), side.String()} {
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), width, line)
			assert.Equal(t, strings.TrimRight(line, " \n"), strings.TrimRight(line, "\n"), "no space at the end")
		}
	}
}

func TestTextTellsWhatHappened(t *testing.T) {
	text := textOf(t, sample(t))
	for _, want := range []string{
		"as the responses say    71.0 %  61.0 %", "as the origin counts    70.0 %  60.0 %",
		"open loop, 1,000 requests/s", "Cache-Status (99.9 %), no field (0.1 %)",
		"error: status", "10 requests failed (status). The first: GET /o/1-2: status 503",
		"differ by +1.0 (requests) and +1.0 (bytes) percentage", "sent over 1 ms after they were due", "kept 1.75 of 2 CPUs busy",
	} {
		assert.Contains(t, strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(want), " "))
	}
}

func TestNotes(t *testing.T) {
	quiet := func() *Run {
		r := sample(t)
		r.Errors, r.Load.Late, r.Driver.CPU, r.Origin.Ratio = nil, 0, 1, *r.ByFields
		r.Watched.CPU = 0.1
		return r
	}
	require.Empty(t, quiet().notes())
	for _, tc := range []struct {
		change func(*Run)
		want   string
	}{
		{func(r *Run) { r.Stopped = true }, "stopped before its end"},
		{func(r *Run) { r.Statuses = []Count{{"200", 4_000}, {"404", 6_000}} }, "Most answers are 404"},
		{func(r *Run) { r.Load.Rate = 5000 }, "The rate was 1,000 requests/s instead of 5,000"},
		{func(r *Run) { r.Origin.Ratio.Bytes -= 0.02; r.Origin.Ratio.Requests += 0.0001 }, "differ by 0.0 (requests) and +2.0 (bytes)"},
		{func(r *Run) { r.ByFields = nil }, "No response field told hits from misses"},
		{func(r *Run) { r.Driver.CPU, r.Watched = 19, nil }, "The driver kept 1.90 of 2 CPUs busy"},
	} {
		r := quiet()
		tc.change(r)
		notes := r.notes()
		require.Len(t, notes, 1)
		assert.Contains(t, notes[0], tc.want)
	}
}

func TestFigures(t *testing.T) {
	for want, got := range map[string]string{
		"0": figure(0), "0.004": figure(0.004), "0.12": figure(0.123), "1.23": figure(1.234), "12.3": figure(12.34), "10.0": figure(9.999),
		"123": figure(123.4), "12,346": figure(12345.6), "-12": count(-12), "-1,234,567": count(-1234567), "999": count(999),
		"1.50 KiB": size(1536), "1,000 B": size(999.9), "0 B": size(0), "2.00 TiB": size(2 << 40),
		"2 min 05 s": seconds(125.4), "3.20 s": seconds(3.2), "100.0 %": percent(1), "-5.0 %": percent(-0.05), "-": share(1, 0),
		"2000": tickName(2000), "20k": tickName(20000), "1.5M": tickName(1.5e6), "2G": tickName(2e9), "0.1": tickName(0.1), "80": tickName(80),
	} {
		assert.Equal(t, want, got)
	}
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"a b", "c,d", "e"}, wrap("a b c,d e", 3))
	assert.Equal(t, []string{"longword", "x"}, wrap("longword x", 3), "a word is not broken")
	assert.Equal(t, []string{""}, wrap("", 3))
	assert.Equal(t, []string{"of", "1,000", "a,", "b"}, wrap("of 1,000 a,b", 2), "nor is a number")
}

func TestSharesOfContentAddUp(t *testing.T) {
	r := &Run{Answered: 2, Bytes: 1000, ByFields: &Ratio{}, Results: []Result{{"hit", 1, 300}, {"miss", 1, 100}}} // 600 bytes of what failed
	rows := r.resultTable().Rows
	assert.Equal(t, []string{"hit", "1", "50.0 %", "300 B", "75.0 %"}, rows[0])
	assert.Equal(t, []string{"miss", "1", "50.0 %", "100 B", "25.0 %"}, rows[1])
}
