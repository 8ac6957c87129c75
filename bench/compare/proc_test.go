package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseProcStat(t *testing.T) {
	const rest = " S 17 42 42 0 -1 4194560 100 200 0 0 1 20 300 4000 20 0 1 0 12345 1000000 500\n"
	for _, tc := range []struct{ name, line string }{
		{"a plain name", "42 (nginx)" + rest},
		{"a name with spaces", "42 (nginx: worker)" + rest},
		{"a name made to mislead", "42 (a) R 1 2) b (c)" + rest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseProcStat(tc.line)
			require.NoError(t, err)
			assert.Equal(t, procStat{parent: 17, cpu: (1 + 20 + 300 + 4000) * 10 * time.Millisecond}, got)
		})
	}
	for _, tc := range []struct{ name, line, want string }{
		{"nothing", "", "no program name"},
		{"too short", "42 (nginx) S 17 42", "3 fields after the program name"},
		{"a parent that is no number", "42 (x) S y 42 42 0 -1 4194560 100 200 0 0 1 20 300 4000 20", "parent"},
		{"a time that is no number", "42 (x) S 17 42 42 0 -1 4194560 100 200 0 0 1 y 300 4000 20", "time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseProcStat(tc.line)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestParseMachineCPU(t *testing.T) {
	got, err := parseMachineCPU([]byte("cpu  1 20 300 999999 888888 4000 50000 600000 1 2\ncpu0 7 7 7 7 7 7 7 7 0 0\n"))
	require.NoError(t, err)
	assert.Equal(t, 654321*10*time.Millisecond, got, "neither idle time, nor guests twice")
	for _, text := range []string{"", "cpu0 1 2 3 4 5 6 7 8\n", "cpu 1 2 3\n", "cpu  1 x 300 4 5 6 7 8\n"} {
		_, err := parseMachineCPU([]byte(text))
		assert.ErrorContains(t, err, "/proc/stat", "%q", text)
	}
}

func TestTreeCPU(t *testing.T) {
	before, err := treeCPU(os.Getpid())
	require.NoError(t, err)
	for start := ownCPU(); ownCPU()-start < 50*time.Millisecond; { // CPU time, not the clock's
	}
	after, err := treeCPU(os.Getpid())
	require.NoError(t, err)
	assert.GreaterOrEqual(t, after-before, 30*time.Millisecond)
	_, err = treeCPU(1 << 30)
	assert.ErrorContains(t, err, "has ended")
}
