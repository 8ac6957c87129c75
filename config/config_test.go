package config

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite docs/config.md and the expectations in testdata/bad")

// values is c without the memory of its file, which two equal ones may differ in.
func values(c Config) Config {
	c.src = source{}
	return c
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

func mustParse(t *testing.T, text string) Config {
	t.Helper()
	c, err := Parse("test.yaml", []byte(text))
	require.NoError(t, err)
	return c
}

func printed(t *testing.T, c Config, secrets bool) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, c.Print(&b, secrets))
	return b.String()
}

func TestGoodFilesPrintAndLoadBack(t *testing.T) {
	for _, name := range files(t, "testdata/good/*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			c, err := Load(name)
			require.NoError(t, err)
			require.NoError(t, c.Validate())
			text := printed(t, c, true)
			back, err := Parse("printed", []byte(text))
			require.NoError(t, err, text)
			assert.Equal(t, values(c), values(back), text)
			assert.Equal(t, text, printed(t, back, true))
		})
	}
}

// Each file begins with one "# want: " line for each problem; FILE stands for its name.
func TestBadFilesNameEveryProblem(t *testing.T) {
	for _, name := range files(t, "testdata/bad/*.yaml") {
		base := filepath.Base(name)
		t.Run(base, func(t *testing.T) {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			var want []string
			for line := range strings.Lines(string(data)) {
				if text, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, strings.TrimSuffix(text, "\n"))
				}
			}
			c, err := Parse(base, data)
			if err == nil {
				err = c.Validate()
			}
			require.Error(t, err)
			if *update {
				rewriteWants(t, name, string(data), err)
				return
			}
			assert.Equal(t, strings.Join(want, "\n"), err.Error())
		})
	}
}

// rewriteWants also moves the expected lines when their number changes.
func rewriteWants(t *testing.T, name, data string, problem error) {
	t.Helper()
	var body strings.Builder
	for line := range strings.Lines(data) {
		if !strings.HasPrefix(line, "# want: ") {
			body.WriteString(line)
		}
	}
	var out string
	for range 3 {
		head := ""
		for line := range strings.SplitSeq(problem.Error(), "\n") {
			head += "# want: " + line + "\n"
		}
		out = head + body.String()
		c, err := Parse(filepath.Base(name), []byte(out))
		if err == nil {
			err = c.Validate()
		}
		require.Error(t, err)
		problem = err
	}
	require.NoError(t, os.WriteFile(name, []byte(out), 0o644))
}

func TestEmptyFileIsDefault(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n"} {
		assert.Equal(t, Default(), values(mustParse(t, text)), "%q", text)
	}
}

func TestDefaultNeedsOnlyAnOrigin(t *testing.T) {
	c := Default()
	require.EqualError(t, c.Validate(), "origin: nothing to forward to; set origin (for example http://127.0.0.1:3000) or routes")
	c.Origin = "http://127.0.0.1:3000"
	require.NoError(t, c.Validate())
}

func TestLoadFailures(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.yaml"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "none.yaml")

	_, err = Load(dir)
	require.Error(t, err)

	_, err = Parse("latin1.yaml", []byte("origin: \xe4"))
	require.EqualError(t, err, "latin1.yaml: not valid UTF-8; save the file as UTF-8 text")

	big := filepath.Join(dir, "big.yaml")
	require.NoError(t, os.WriteFile(big, bytes.Repeat([]byte("#\n"), maxFileBytes), 0o600))
	_, err = Load(big)
	require.EqualError(t, err, big+": larger than 1MiB; is this the right file?")
}

func TestAbsentAndZeroDiffer(t *testing.T) {
	c := mustParse(t, "rules:\n  - {bypass: false, ttl: 0s, targeted: [], query: {keep: []}}\n  - {max_ttl: 1s}\n")
	zero, absent := c.Rules[0], c.Rules[1]
	require.NotNil(t, zero.Bypass)
	require.NotNil(t, zero.TTL)
	require.NotNil(t, zero.Targeted)
	require.NotNil(t, zero.Query.Keep)
	assert.Nil(t, zero.Query.Drop)
	assert.Nil(t, zero.Query.Sort)
	assert.Nil(t, absent.Bypass)
	assert.Nil(t, absent.TTL)
	assert.Nil(t, absent.Targeted)
	assert.Nil(t, absent.Query)
}

func TestPrintHidesTheToken(t *testing.T) {
	c := mustParse(t, "origin: http://a.example\nadmin: {token: hunter2}\n")
	text := printed(t, c, false)
	assert.NotContains(t, text, "hunter2")
	assert.Contains(t, text, "# token: is set, and not shown here")
	back := mustParse(t, text)
	c.Admin.Token = ""
	assert.Equal(t, values(c), values(back))
	assert.NotContains(t, printed(t, c, false), "token")
}

func TestPrintReportsAFailedWrite(t *testing.T) {
	full := errors.New("no space left")
	require.ErrorIs(t, Default().Print(writerFunc(func([]byte) (int, error) { return 0, full }), false), full)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestErrorsDoNotRepeatSecrets(t *testing.T) {
	c := mustParse(t, "origin: http://me:hunter2@a.example\nadmin: {token: hunter2 x}\n")
	err := c.Validate()
	require.ErrorContains(t, err, "admin.token")
	require.ErrorContains(t, err, "origin")
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestAllRoutesMostSpecificFirst(t *testing.T) {
	c := Default()
	c.Origin = "http://short"
	c.Routes = []Route{
		{Path: "/a", Origin: "http://any-a"},
		{Host: "*.example.com", Origin: "http://star"},
		{Host: "Shop.Example.com", Origin: "http://shop"},
		{Host: "*.eu.example.com", Origin: "http://star-eu", HostHeader: "client"},
		{Path: "/a/b", Origin: "http://any-ab"},
		{Host: "shop.example.com", Path: "/api/", Origin: "http://shop-api"},
	}
	var got []string
	for _, r := range c.AllRoutes() {
		got = append(got, strings.Join([]string{r.Host, r.Path, r.Origin, r.HostHeader}, " "))
	}
	assert.Equal(t, []string{
		"shop.example.com /api/ http://shop-api auto",
		"shop.example.com / http://shop auto",
		"*.eu.example.com / http://star-eu client",
		"*.example.com / http://star auto",
		" /a/b http://any-ab auto",
		" /a http://any-a auto",
		" / http://short auto",
	}, got)
	assert.Equal(t, "Shop.Example.com", c.Routes[2].Host, "the configuration itself stays as written")
}

func TestTrustedPrefixes(t *testing.T) {
	c := Default()
	c.TrustedProxies = []string{"10.0.0.0/8", "192.0.2.7", "::ffff:192.0.2.8", "2001:db8::1", "nobody"}
	var got []string
	for _, p := range c.TrustedPrefixes() {
		got = append(got, p.String())
	}
	assert.Equal(t, []string{"10.0.0.0/8", "192.0.2.7/32", "192.0.2.8/32", "2001:db8::1/128"}, got)
}
