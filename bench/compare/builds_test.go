package main

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBuildsGiven(t *testing.T) {
	old := program(t, "old", "echo '--tls-listen ADDR'")
	young := program(t, "young", "echo '--tls-listen ADDR'")
	r := &run{options: options{us: []string{"before=" + old, young}}}
	got, err := r.builds(t.Context())
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, []string{"before", "young"}, []string{got[0].name, got[1].name})
	assert.Equal(t, []string{old, young}, []string{got[0].program, got[1].program})
}

func TestBuildsRefused(t *testing.T) {
	fine := program(t, "fine", "echo '--tls-listen ADDR'")
	for _, tc := range []struct {
		name string
		us   []string
		want string
	}{
		{"no such file", []string{"x=/does/not/exist"}, "no such file"},
		{"a directory", []string{"x=" + filepath.Dir(fine)}, "not a program"},
		{"another program", []string{"x=" + program(t, "other", "echo hello")}, "x is no build of cacheproxy that can be measured"},
		{"a name twice", []string{"x=" + fine, "x=" + fine}, `the name "x" is taken`},
		{"the name of a rival", []string{"nginx=" + fine}, `the name "nginx" is taken`},
		{"no name", []string{"=" + fine}, `"" is no name`},
		{"a name that breaks tables", []string{"a|b=" + fine}, `"a|b" is no name`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &run{options: options{us: tc.us}}
			_, err := r.builds(t.Context())
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestRivals(t *testing.T) {
	t.Setenv("PATH", filepath.Dir(program(t, "haproxy", "true")))
	got, err := rivals([]string{"loop", "haproxy"}, io.Discard)
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "haproxy", got[0].name, "in the order of the table")
	assert.Equal(t, "haproxy", filepath.Base(got[0].program))

	_, err = rivals([]string{"squid"}, io.Discard)
	assert.ErrorContains(t, err, `"squid" is none of nginx, haproxy`)
}

func TestNeedToolSaysWhatToInstall(t *testing.T) {
	_, err := needTool("no-such-tool", "its-package", "a test")
	assert.EqualError(t, err, "a test needs no-such-tool, which is not installed: apt-get install --no-install-recommends its-package")
}

func TestVersion(t *testing.T) {
	assert.Equal(t, "this is 1.2.3", version(program(t, "tool", "echo hello >&2; echo 'this is 1.2.3' >&2; exit 1"), "-v"), "also from stderr, also when it fails")
	assert.Equal(t, "unknown", version(program(t, "tool", "echo hello"), "-v"))
	assert.Equal(t, "2.6.12", short("HAProxy version 2.6.12-1+deb12u4 2026/10/17"))
	assert.Equal(t, "unknown", short("unknown"))
}

func TestPortable(t *testing.T) {
	for arg, want := range map[string]string{
		"--rounds":             "--rounds",
		"/home/me/old":         "old",
		"before=/home/me/old":  "before=old",
		"--us=b=/home/me/old":  "--us=b=old",
		"--out=/tmp/run.json":  "--out=run.json",
		"bench/results/a.json": "bench/results/a.json",
	} {
		assert.Equal(t, want, portable(arg))
	}
}

func TestEnvironment(t *testing.T) {
	got := environment([]string{"PATH=/bin", "CACHEPROXY_LISTEN=:1", "GOMAXPROCS=7", "HOME=/"})
	assert.Equal(t, []string{"PATH=/bin", "HOME=/"}, got)
}
