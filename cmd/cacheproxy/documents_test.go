package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/config"
	"cacheproxy/policy"
)

const root = "../.."

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(text)
}

// TestReadme checks what the README says about configuration, command line and statuses.
func TestReadme(t *testing.T) {
	text := document(t, "README.md")

	t.Run("configuration", func(t *testing.T) {
		blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1)
		require.NotEmpty(t, blocks)
		for _, b := range blocks {
			c, err := config.Parse("README.md", []byte(b[1]))
			require.NoError(t, err)
			assert.NoError(t, c.Validate())
		}
	})
	t.Run("flags and commands", func(t *testing.T) {
		var lines []string
		for _, block := range regexp.MustCompile("(?s)```\\w*\n(.*?)```").FindAllString(text, -1) {
			lines = append(lines, regexp.MustCompile(`(?m)^(?:bin/)?cacheproxy (?:[a-z]+|-\S+)(?: .*)?$`).FindAllString(block, -1)...)
		}
		require.NotEmpty(t, lines)
		for _, line := range lines {
			assert.Empty(t, unknown(t, line), line)
		}
		assert.NotEmpty(t, unknown(t, "cacheproxy polish"), "this check can fail")
		assert.NotEmpty(t, unknown(t, "cacheproxy health [--origin URL]"), "this check can fail")
	})
	t.Run("statuses", func(t *testing.T) {
		table := policy.DefaultStatuses()
		byRule := map[policy.StatusRule][]string{}
		for status := 200; status < 600; status++ {
			rule := table.Rule(status)
			byRule[rule] = append(byRule[rule], strconv.Itoa(status))
		}
		assert.Contains(t, text, "| Status "+strings.Join(byRule[policy.Heuristic], ", ")+" | Yes.")
		assert.Contains(t, text, "| Status "+strings.Join(byRule[policy.Explicit], ", ")+" | Only with")
		assert.Equal(t, policy.Never, table.Rule(http.StatusInternalServerError))
	})
	t.Run("what needs a restart", func(t *testing.T) {
		_, list, found := strings.Cut(text, "These settings need a restart")
		require.True(t, found)
		list, _, _ = strings.Cut(list, "\n\n")
		var names, want []string
		for _, name := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(list, -1) {
			names = append(names, name[1])
		}
		for _, k := range restartKeys {
			want = append(want, k.name)
		}
		assert.Equal(t, want, names)
	})
	t.Run("conformance", func(t *testing.T) {
		_, current, found := strings.Cut(document(t, "docs/conformance.md"), "generated: current")
		require.True(t, found)
		figures := func(suite, row string) {
			results := regexp.MustCompile(`\| rfc9111 \| ` + suite + ` \| (\d+)/(\d+) \| (\d+)/(\d+) \|`).FindStringSubmatch(current)
			require.NotNil(t, results, suite)
			assert.Contains(t, text, fmt.Sprintf("| %s | %s of %s | %s of %s |", row, results[1], results[2], results[3], results[4]))
		}
		figures("HTTP caching", "HTTP caching")
		figures("CDN-Cache-Control", "`CDN-Cache-Control` (RFC 9213)")
		failed := regexp.MustCompile("\\| `([^`]+)` \\| (required|optimal) \\| rfc9111").FindAllStringSubmatch(current, -1)
		require.NotEmpty(t, failed)
		for _, f := range failed {
			assert.Contains(t, text, "`"+f[1]+"` ("+f[2]+")")
		}
		assert.Len(t, failed, 2, "the README says how many")
	})
	t.Run("defaults", func(t *testing.T) {
		c := config.Default()
		assert.Contains(t, text, "`cache.size` | "+spaced(c.Cache.Size)+"; ")
		assert.Contains(t, text, "`cache.max_object` | "+spaced(c.Cache.MaxObject)+" of content")
		assert.Contains(t, text, "`cache.max_variants` | "+strconv.Itoa(c.Cache.MaxVariants)+" for each URL")
		assert.Contains(t, text, "`timeouts.response_body` | "+strconv.Itoa(int(time.Duration(c.Timeouts.ResponseBody).Seconds()))+" s without a byte")
		assert.Contains(t, text, "within `drain_timeout` ("+c.DrainTimeout.String()[:2]+" s)")
	})
}

func spaced(s fmt.Stringer) string { return strings.Replace(s.String(), "MiB", " MiB", 1) }

// unknown returns the flags and the command of a line that do not exist.
func unknown(t *testing.T, line string) (names []string) {
	t.Helper()
	words := strings.Fields(line)
	cmd, rest, err := newRoot(os.LookupEnv).Find(words[1:2])
	require.NoError(t, err)
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		names = append(names, rest[0])
	}
	for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(line, -1) {
		if cmd.Flags().Lookup(flag[2:]) == nil {
			names = append(names, flag)
		}
	}
	return names
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CHANGELOG.md"} {
		for _, link := range regexp.MustCompile(`(?:\]\(|src(?:set)?=")([^)#"]+)[)"]`).FindAllStringSubmatch(document(t, name), -1) {
			if !strings.Contains(link[1], "://") {
				assert.FileExists(t, filepath.Join(root, link[1]), name)
			}
		}
	}
}

// TestArchitecture checks that the page is short, and that the tests it names exist.
func TestArchitecture(t *testing.T) {
	text := document(t, "ARCHITECTURE.md")
	assert.LessOrEqual(t, strings.Count(text, "\n"), 150, "lines")
	var tests bytes.Buffer
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		tests.Write(src)
		return err
	}))
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)(?:/([\\w-]+))?`").FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, named)
	for _, n := range named {
		assert.True(t, bytes.Contains(tests.Bytes(), []byte("\nfunc "+n[1]+"(")), n[1])
		if n[2] != "" {
			assert.FileExists(t, filepath.Join(root, "proxy/testdata", n[2]+".txt"))
		}
	}
}
