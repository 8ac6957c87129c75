package hostile

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
)

// document is SECURITY.md.
func document(t *testing.T) string {
	text, err := os.ReadFile("../../SECURITY.md")
	require.NoError(t, err)
	return string(text)
}

// TestTheTableInTheDocument: the list of fields that are dropped is the one in
// the code.
func TestTheTableInTheDocument(t *testing.T) {
	var table strings.Builder
	table.WriteString("| field | from a trusted proxy | what origins take it for |\n|---|---|---|\n")
	for _, f := range proxy.UnkeyedFields {
		trusted := "dropped"
		if f.Trusted {
			trusted = "passed on"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", f.Name, trusted, f.Means)
	}
	assert.Contains(t, document(t), "\n\n"+table.String()+"\n", "put this table into SECURITY.md:\n%s", &table)
}

// TestTheTestsInTheDocument: all tests that the document names exist where it
// says.
func TestTheTestsInTheDocument(t *testing.T) {
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)` \\(([a-z0-9/]+)\\)").FindAllStringSubmatch(document(t), -1)
	require.NotEmpty(t, named)
	for _, m := range named {
		assert.Contains(t, tests(t, m[2]), "\nfunc "+m[1]+"(", "%s has no %s", m[2], m[1])
	}
}

// tests is the text of a package's tests.
func tests(t *testing.T, dir string) (all string) {
	files, err := filepath.Glob("../../" + dir + "/*_test.go")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all += string(text)
	}
	return all
}
