package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writeTrace makes DIR/NAME.txt.gz and returns DIR.
func writeTrace(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+suffix), b.Bytes(), 0o600))
	return dir
}

// popular is a trace in which popularity falls off.
func popular(requests, objects int) string {
	random := rand.New(rand.NewPCG(3, 5))
	var b strings.Builder
	for range requests {
		id := int(float64(objects) * math.Pow(random.Float64(), 3))
		fmt.Fprintf(&b, "%d %d\n", id, 1+id*7919%1000)
	}
	return b.String()
}

func readText(t *testing.T, text string) *traceFile {
	t.Helper()
	tr, err := readTrace(context.Background(), filepath.Join(writeTrace(t, "t", text), "t"+suffix))
	require.NoError(t, err)
	return tr
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

const head = "trace,percent,policy,object,byte,slack\n"

// Four objects of 25 bytes, each asked for four times in a row: at 25 % one fits,
// and every policy that takes newcomers has three hits of four.
const rows4 = "1 25\n1 25\n1 25\n1 25\n2 25\n2 25\n2 25\n2 25\n3 25\n3 25\n3 25\n3 25\n4 25\n4 25\n4 25\n4 25\n"

func TestRun(t *testing.T) {
	dir := writeTrace(t, "rows", rows4)
	met := file(t, "met.csv", head+"rows,25,lru,0.75,0.75,0\nrows,25,fifo,0.74,0.76,0.01\nrows,10,lru,0,0,0\nother,5,lru,1,1,0\n")
	least := file(t, "least.csv", head+"rows,25,belady-size,0.75,0.75,0\n")
	out, table := filepath.Join(t.TempDir(), "o.json"), filepath.Join(t.TempDir(), "o.md")

	code, stdout, stderr := run("--traces", dir, "--expect", met, "--thresholds", least, "--out", out, "--markdown", table)
	assert.Zero(t, code, stderr)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "rows: 16 requests, 4 objects, 100 bytes")
	assert.Contains(t, stderr, "5 checks, 0 missed, 1 without a result")

	text, err := os.ReadFile(out)
	require.NoError(t, err)
	var r record
	require.NoError(t, json.Unmarshal(text, &r))
	assert.Len(t, r.Rows, len(percents)*len(policies))
	got, ok := r.find("rows", 25, "lru")
	assert.True(t, ok)
	assert.Equal(t, ratios{0.75, 0.75}, got)

	markdown, err := os.ReadFile(table)
	require.NoError(t, err)
	for _, p := range policies {
		assert.Contains(t, string(markdown), p.name+" |")
	}
	assert.Equal(t, r.markdown(), string(markdown), "the record has all that the table says")
	assert.Regexp(t, `\| rows \| 25 % \|.* 75\.0 / 75\.0 \| 75\.0 / 75\.0 \| 75\.0 / 75\.0 \| 75\.0 / 75\.0 \|\n`, string(markdown))

	_, stdout, _ = run("--traces", dir, "--expect", met, "--thresholds", least)
	assert.Contains(t, stdout, "| trace | cache |", "without --markdown the table is printed")
}

func TestRunMisses(t *testing.T) {
	dir := writeTrace(t, "rows", rows4)
	none := file(t, "none.csv", head)
	wrong := file(t, "wrong.csv", head+"rows,25,lru,0.7501,0.75,0\n")
	code, _, stderr := run("--traces", dir, "--expect", wrong, "--thresholds", none)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "missed: rows at 25 %, lru: 0.7500 / 0.7500, expected 0.7501 / 0.7500")
	assert.Contains(t, stderr, "hitratio: 1 of 1 checks missed")

	code, _, stderr = run("--traces", dir, "--expect", none, "--thresholds", wrong)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "at least 0.7501 / 0.7500")

	code, _, stderr = run("--traces", dir, "--expect", file(t, "o.csv", head+"other,5,lru,0,0,0\n"), "--thresholds", none)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "no check applies")
}

func TestRunRefuses(t *testing.T) {
	broken := writeTrace(t, "t", "1 5\nx\n")
	large := writeTrace(t, "t", "1 4294967296\n")
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no folder", nil, exitUsage, "say where the traces are"},
		{"unknown flag", []string{"--trace", "x"}, exitUsage, "unknown flag"},
		{"arguments", []string{"x"}, exitUsage, "unknown command"},
		{"an empty folder", []string{"--traces", t.TempDir()}, exitFailed, "no *.txt.gz in"},
		{"a broken line", []string{"--traces", broken}, exitFailed, "1 lines cannot be read; line 2"},
		{"too large for otter", []string{"--traces", large}, exitFailed, "otter takes at most"},
		{"no file", []string{"--traces", broken, "--expect", "absent.csv"}, exitFailed, "absent.csv"},
		{"columns", []string{"--traces", broken, "--expect", file(t, "c.csv", "a,b\n")}, exitFailed, "wrong number of fields"},
		{"an empty file", []string{"--traces", broken, "--expect", file(t, "c.csv", "")}, exitFailed, "c.csv"},
		{"no percent", []string{"--traces", broken, "--expect", file(t, "c.csv", head+"t,x,lru,0,0,0\n")}, exitFailed, "percent"},
		{"no ratio", []string{"--traces", broken, "--expect", file(t, "c.csv", head+"t,1,lru,40,0,0\n")}, exitFailed, `"40" is not a ratio`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, stderr := run(tc.args...)
			assert.Equal(t, tc.code, code)
			assert.Contains(t, stderr, tc.want)
		})
	}
}

func TestFilesOfChecks(t *testing.T) {
	known := map[string]bool{}
	for _, p := range policies {
		known[p.name] = true
	}
	for _, name := range []string{"reference.csv", "thresholds.csv"} {
		checks, err := loadChecks(filepath.Join("testdata", name), reached)
		require.NoError(t, err)
		require.NotEmpty(t, checks)
		for _, c := range checks {
			assert.True(t, known[c.Policy], c.Policy)
			assert.Contains(t, percents, c.Percent)
		}
	}
}
