package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declarations are the names that the files of this package declare ("Judge",
// "Stored.Select") and the strings in each function, rows of tables among them.
type declarations struct {
	names   map[string]bool
	strings map[string]map[string]bool
}

func parsePackage(t *testing.T) declarations {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	d := declarations{names: map[string]bool{}, strings: map[string]map[string]bool{}}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				full := receiver(fn) + fn.Name.Name
				d.names[full] = true
				d.strings[full] = literals(fn)
			}
		}
	}
	return d
}

// receiver returns the type of a method and a dot.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	kind := fn.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	return kind.(*ast.Ident).Name + "."
}

func literals(n ast.Node) map[string]bool {
	all := map[string]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				all[s] = true
			}
		}
		return true
	})
	return all
}

// docs/rfc9111.md names only what exists, and every clause that has a test.
func TestConformanceDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/rfc9111.md")
	require.NoError(t, err)
	d := parsePackage(t)

	clauses := map[string]bool{}
	named := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|") // the first and the last are empty
		if len(cells) != 6 {
			continue
		}
		clauses[strings.TrimSpace(cells[1])] = true
		for _, m := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(cells[3]+cells[4], -1) {
			named++
			name, ours := strings.CutPrefix(m[1], "policy.")
			test, row, hasRow := strings.Cut(name, "/")
			switch {
			case ours:
				assert.True(t, d.names[name], "no function %s", m[1])
			case hasRow && isTest(test):
				assert.True(t, d.strings[test][row], "%s has no row %q", test, row)
			case isTest(test):
				assert.True(t, d.names[test], "no test %s", test)
			}
		}
	}
	assert.Greater(t, named, 100, "the tables were not found")

	section := regexp.MustCompile(`^([1-7](\.\d+)*) `)
	for test, rows := range d.strings {
		for row := range rows {
			if m := section.FindStringSubmatch(row); m != nil && isTest(test) {
				assert.True(t, clauses[m[1]], "%s has a row %q, and the document does not mention %s", test, row, m[1])
			}
		}
	}
	for _, clause := range strings.Fields("3 3.1 3.2 3.3 3.4 3.5 4 4.1 4.2 4.2.1 4.2.2 4.2.3 4.2.4 4.3.1 4.3.2 4.3.3 4.3.4 4.3.5 4.4 5.1 5.2 5.2.1 5.2.2.1 5.2.3 5.3 5.4 5.5") {
		assert.True(t, clauses[clause], "the document does not mention %s", clause)
	}
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")
}
