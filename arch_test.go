package cacheproxy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "cacheproxy"

// rule says what the non-test files of one top-level directory may use.
type rule struct {
	imports   []string            // our packages it may import; "*" for all but internal, which is for tests
	forbidden []string            // other packages it must not import; "net/*" is everything below net
	only      map[string][]string // package -> the only identifiers of it that may be used
	never     map[string][]string // package -> identifiers of it that must not be used
	pure      bool                // no go statement
}

// rules is the picture in ARCHITECTURE.md as a table. A new top-level directory needs a row.
var rules = map[string]rule{
	"policy": {
		forbidden: []string{
			"bufio", "context", "io", "io/*", "log", "log/*", "math/rand", "math/rand/*", "net", "net/http/*", "net/rpc",
			"net/smtp", "os", "os/*", "runtime", "syscall", "unsafe",
		},
		only: map[string][]string{
			"net/http": {"Header", "ParseTime", "TimeFormat", "Status*", "Method*", "CanonicalHeaderKey"},
		},
		never: map[string][]string{
			"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
			"fmt":  {"Print", "Printf", "Println", "Fprint*", "Scan*"},
		},
		pure: true,
	},
	"cache":      {forbidden: []string{"net/http", "net/http/*"}},
	"config":     {},
	"certs":      {},
	"origin":     {imports: []string{"certs"}},
	"memory":     {},
	"purge":      {imports: []string{"policy"}},
	"snapshot":   {},
	"revalidate": {imports: []string{"policy", "cache", "origin", "purge", "snapshot"}},
	"lint":       {imports: []string{"policy"}},
	"proxy":      {imports: []string{"revalidate", "policy", "cache", "purge", "lint"}},
	"explain":    {imports: []string{"proxy", "revalidate", "policy", "cache"}},
	"server":     {imports: []string{"proxy", "policy", "certs"}},
	"admin":      {imports: []string{"proxy", "cache", "purge", "snapshot", "explain"}},
	"insight":    {imports: []string{"proxy", "policy", "cache"}},
	"warm":       {imports: []string{"bench"}},
	"telemetry":  {imports: []string{"proxy", "policy", "revalidate"}},
	"bench":      {imports: []string{"*"}},
	"internal":   {imports: []string{"*"}},
	"cmd":        {imports: []string{"*"}},
	".":          {},
}

func TestImportRules(t *testing.T) {
	files := sources(t)
	require.Contains(t, files, "doc.go")
	for name, src := range files {
		for _, v := range violations(name, src) {
			t.Error(v)
		}
	}
}

// sources reads all non-test Go files of the module. Other modules below it are not ours to judge.
func sources(t *testing.T) map[string]string {
	files := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" ||
				d.Name() == "node_modules" || isModule(name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(name)
		files[filepath.ToSlash(name)] = string(src)
		return err
	})
	require.NoError(t, err)
	return files
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// violations judges one file by the row of its top-level directory.
func violations(name, src string) []string {
	top, _, found := strings.Cut(name, "/")
	if !found {
		top = "."
	}
	r, ok := rules[top]
	if !ok {
		return []string{fmt.Sprintf("%s: directory %s has no row in the import rules; add one on purpose", name, top)}
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	report := func(pos token.Pos, format string, args ...any) {
		out = append(out, fmt.Sprintf("%s: %s", fset.Position(pos), fmt.Sprintf(format, args...)))
	}
	checkImports(file, top, r, report)
	checkUses(file, top, r, report)
	return out
}

type reporter func(pos token.Pos, format string, args ...any)

func checkImports(file *ast.File, top string, r rule, report reporter) {
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		ours, isOurs := strings.CutPrefix(imported, module+"/")
		switch {
		case isOurs && !mayImport(r, top, ours):
			report(spec.Pos(), "%s must not import %s", top, ours)
		case !isOurs && slices.ContainsFunc(r.forbidden, func(p string) bool { return matches(p, imported) }):
			report(spec.Pos(), "%s must not import %s", top, imported)
		case spec.Name != nil && spec.Name.Name == "." && (r.only[imported] != nil || r.never[imported] != nil):
			report(spec.Pos(), "%s must not dot-import %s", top, imported)
		}
	}
}

func mayImport(r rule, top, ours string) bool {
	other, _, _ := strings.Cut(ours, "/")
	if other == top || slices.Contains(r.imports, other) {
		return true
	}
	return other != "internal" && slices.Contains(r.imports, "*")
}

func checkUses(file *ast.File, top string, r rule, report reporter) {
	names := map[string]string{}
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		names[path.Base(imported)] = imported
		if spec.Name != nil {
			delete(names, path.Base(imported))
			names[spec.Name.Name] = imported
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if stmt, ok := n.(*ast.GoStmt); ok && r.pure {
			report(stmt.Pos(), "%s must not start goroutines", top)
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		pkg := names[x.Name]
		is := func(pattern string) bool { return matches(pattern, sel.Sel.Name) }
		if only := r.only[pkg]; only != nil && !slices.ContainsFunc(only, is) {
			report(sel.Pos(), "%s may use of %s only %s, not %s", top, pkg, strings.Join(only, ", "), sel.Sel.Name)
		}
		if slices.ContainsFunc(r.never[pkg], is) {
			report(sel.Pos(), "%s must not use %s.%s", top, pkg, sel.Sel.Name)
		}
		return true
	})
}

// matches reports whether name is pattern, or begins with it when it ends in a star.
func matches(pattern, name string) bool {
	prefix, star := strings.CutSuffix(pattern, "*")
	return pattern == name || star && strings.HasPrefix(name, prefix)
}

func TestViolations(t *testing.T) {
	for _, tc := range []struct {
		name, file, src string
		want            string // part of the only violation; empty for none
	}{
		{"policy alone", "policy/a.go", `import ("strings"; "time"; "net/http"); var _ = http.StatusText; func f(h http.Header, t time.Time) {}`, ""},
		{"policy imports ours", "policy/a.go", `import "cacheproxy/cache"`, "policy must not import cache"},
		{"policy does I/O", "policy/a.go", `import "os"`, "policy must not import os"},
		{"policy does I/O below", "policy/a.go", `import "os/exec"`, "policy must not import os/exec"},
		{"policy logs", "policy/a.go", `import "log/slog"`, "policy must not import log/slog"},
		{"policy opens sockets", "policy/a.go", `import "net"`, "policy must not import net"},
		{"policy parses URLs", "policy/a.go", `import "net/url"`, ""},
		{"policy reads the clock", "policy/a.go", `import "time"; var t = time.Now()`, "policy must not use time.Now"},
		{"policy reads the clock by another name", "policy/a.go", `import clock "time"; var t = clock.Since`, "policy must not use time.Since"},
		{"policy hides the clock", "policy/a.go", `import . "time"; var t = Now()`, "policy must not dot-import time"},
		{"policy serves", "policy/a.go", `import "net/http"; func f(r *http.Request) {}`, "policy may use of net/http only"},
		{"policy prints", "policy/a.go", `import "fmt"; func f() { fmt.Println() }`, "policy must not use fmt.Println"},
		{"policy starts goroutines", "policy/a.go", `func f() { go f() }`, "policy must not start goroutines"},
		{"cache knows HTTP", "cache/a.go", `import "net/http"`, "cache must not import net/http"},
		{"cache reads the clock", "cache/a.go", `import "time"; var t = time.Now()`, ""},
		{"cache judges", "cache/a.go", `import "cacheproxy/policy"`, "cache must not import policy"},
		{"config knows others", "config/a.go", `import "cacheproxy/proxy"`, "config must not import proxy"},
		{"origin knows others", "origin/a.go", `import "cacheproxy/config"`, "origin must not import config"},
		{"revalidate looks down", "revalidate/a.go", `import ("cacheproxy/policy"; "cacheproxy/cache"; "cacheproxy/origin")`, ""},
		{"revalidate looks up", "revalidate/a.go", `import "cacheproxy/proxy"`, "revalidate must not import proxy"},
		{"proxy looks down", "proxy/a.go", `import ("cacheproxy/revalidate"; "cacheproxy/policy"; "cacheproxy/cache")`, ""},
		{"proxy reads config", "proxy/a.go", `import "cacheproxy/config"`, "proxy must not import config"},
		{"proxy knows admin", "proxy/a.go", `import "cacheproxy/admin"`, "proxy must not import admin"},
		{"server looks down", "server/a.go", `import "cacheproxy/proxy"`, ""},
		{"server skips a floor", "server/a.go", `import "cacheproxy/cache"`, "server must not import cache"},
		{"admin asks", "admin/a.go", `import ("cacheproxy/proxy"; "cacheproxy/cache")`, ""},
		{"admin judges", "admin/a.go", `import "cacheproxy/policy"`, "admin must not import policy"},
		{"a package below counts as its parent", "proxy/log/a.go", `import "cacheproxy/admin"`, "proxy must not import admin"},
		{"its own packages are free", "proxy/a.go", `import "cacheproxy/proxy/log"`, ""},
		{"test support in the product", "proxy/a.go", `import "cacheproxy/internal/proxytest"`, "proxy must not import internal/proxytest"},
		{"cmd knows all", "cmd/cacheproxy/a.go", `import ("cacheproxy/config"; "cacheproxy/admin"; "os")`, ""},
		{"cmd is no test", "cmd/cacheproxy/a.go", `import "cacheproxy/internal/proxytest"`, "cmd must not import internal/proxytest"},
		{"a directory without a row", "utils/a.go", ``, "utils has no row"},
		{"a file that does not parse", "proxy/a.go", `func`, "proxy/a.go:1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := violations(tc.file, "package p; "+tc.src)
			if tc.want == "" {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Contains(t, got[0], tc.want)
		})
	}
}
