package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--nonsense"}, "unknown flag: --nonsense"},
		{[]string{"nonsense"}, `unknown command "nonsense"`},
		{[]string{"--scenarios", "hit,hot"}, `"hot" is none of hit, hit10k`},
		{[]string{"--modes", "fast"}, `"fast" is neither pinned nor unpinned`},
		{[]string{"--modes", ""}, "name pinned, unpinned or both"},
		{[]string{"--rounds", "0"}, "0 is not between 1 and 100"},
		{[]string{"--secs", "61"}, "61 is not between 1 and 60"},
		{[]string{"--quiet", "2m"}, "2m0s is not between 0s and 1m"},
		{[]string{"report"}, "at least 1 arg"},
		{[]string{"plot", "x.json"}, "--out FILE.svg"},
		{[]string{"origin"}, "--listen ADDR"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			var out, errOut bytes.Buffer
			assert.Equal(t, exitUsage, execute(t.Context(), tc.args, &out, &errOut))
			assert.Contains(t, errOut.String(), tc.want)
			assert.Contains(t, errOut.String(), "--help")
			assert.Empty(t, out.String())
		})
	}
}

func TestPlan(t *testing.T) {
	o := options{modes: []string{pinned, unpinned}}
	assert.Equal(t, scenarios, o.plan(pinned))
	assert.Equal(t, scenarios[:1], o.plan(unpinned), "what two CPUs can do is told by one scenario")
	assert.True(t, o.has(func(s scenario) bool { return s.proto == tls2 }))

	o.scenarios = []string{"pass", "hit"}
	for _, mode := range o.modes {
		got := o.plan(mode)
		require.Len(t, got, 2)
		assert.Equal(t, "hit", got[0].name, "in the order of the table")
		assert.Equal(t, "pass", got[1].name)
	}
	assert.False(t, o.has(func(s scenario) bool { return s.proto == tls2 }))
}

func TestScenariosHaveTheirObjects(t *testing.T) {
	for _, s := range scenarios {
		o, ok := objects[s.kind]
		require.True(t, ok, s.name)
		assert.Equal(t, s.want == passes, o.cacheControl == "no-store", s.name)
		assert.Equal(t, s.want == validates, o.cacheControl == "max-age=0", s.name)
		assert.Equal(t, s.want == stampedes, o.delay > 0, s.name)
	}
	assert.Equal(t, 50*time.Millisecond, objects["slow"].delay)
	assert.Equal(t, "/small/7", scenarios[0].path(7))
}
