package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommands(t *testing.T) {
	g := generators{dir: t.TempDir(), wrk: "wrk", h2load: "h2load"}
	for _, tc := range []struct {
		scenario string
		want     []string
	}{
		{"hit", []string{"wrk", "-t", "1", "-c", "64", "-d", "2s", "--latency", "--timeout", "20s", "http://a/small/1"}},
		{"hit10m", []string{"wrk", "-t", "1", "-c", "8", "-d", "2s", "--latency", "--timeout", "20s", "http://a/large/1"}},
		{"tls2", []string{"h2load", "-t", "1", "-c", "16", "-m", "32", "-D", "2", "http://a/small/1"}},
		{"hit10k", []string{"wrk", "-t", "1", "-c", "64", "-d", "2s", "--latency", "--timeout", "20s", "-s", filepath.Join(g.dir, "hit10k.lua"), "http://a"}},
	} {
		t.Run(tc.scenario, func(t *testing.T) {
			s, _ := findScenario(tc.scenario)
			argv, err := g.command(s, "http://a", 2, 1)
			require.NoError(t, err)
			assert.Equal(t, tc.want, argv)
		})
	}
}

func TestScripts(t *testing.T) {
	g := generators{dir: t.TempDir()}
	for name, parts := range map[string][]string{
		"hit32k": {`for n = 1, 1000 do`, `"/medium/" .. n`, `last = math.random(1000)` + "\n  return requests[last]"},
		"pass":   {`for n = 1, 10000 do`, `"/nocache/" .. n`, `last = last % 10000 + 1` + "\n  return requests[last]"},
	} {
		s, _ := findScenario(name)
		_, err := g.command(s, "http://a", 1, 1)
		require.NoError(t, err)
		text, err := os.ReadFile(filepath.Join(g.dir, name+".lua"))
		require.NoError(t, err)
		for _, p := range parts {
			assert.Contains(t, string(text), p)
		}
	}
}

func TestGenerators(t *testing.T) {
	file, err := filepath.Abs("testdata/wrk.txt")
	require.NoError(t, err)
	g := generators{wrk: program(t, "wrk", "cat "+file)}
	l, _, err := g.run(t.Context(), scenarios[0], "http://a", 1, 1)
	require.NoError(t, err)
	assert.Equal(t, int64(15169), l.requests)

	g.wrk = program(t, "wrk", "echo no such script; exit 1")
	_, _, err = g.run(t.Context(), scenarios[0], "http://a", 1, 1)
	assert.ErrorContains(t, err, "wrk: exit status 1: no such script")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(assert.AnError)
	_, _, err = g.run(ctx, scenarios[0], "http://a", 1, 1)
	assert.ErrorIs(t, err, assert.AnError)
}
