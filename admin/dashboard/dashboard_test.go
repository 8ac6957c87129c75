package dashboard

import (
	"io/fs"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(files, "static/"+name)
	require.NoError(t, err)
	return string(data)
}

// ours are the files that are not vendored.
func ours(t *testing.T) (names []string) {
	all, err := fs.ReadDir(files, "static")
	require.NoError(t, err)
	for _, f := range all {
		if !f.IsDir() {
			names = append(names, f.Name())
		}
	}
	require.Contains(t, names, "app.js")
	return names
}

func TestServed(t *testing.T) {
	for name, want := range map[string]string{
		"": "text/html", "app.js": "text/javascript", "style.css": "text/css", "icon.svg": "image/svg+xml",
		"uplot/uPlot.iife.min.js": "text/javascript", "uplot/LICENSE": "text/plain",
	} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest("GET", "/"+name, nil))
		assert.Equal(t, 200, w.Code, name)
		assert.Contains(t, w.Header().Get("Content-Type"), want, name)
		assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'self'", name)
		assert.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe", name)
		assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), name)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest("GET", "/nothing.js", nil))
	assert.Equal(t, 404, w.Code)
}

var (
	asHTML  = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc|setHTML|\beval\(|new Function|javascript:`)
	inline  = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|<style|\sstyle=|\son[a-z]+=`)
	outside = regexp.MustCompile(`(?:src|href)="(?:https?:)?//|url\(|@import|(?:fetch|import)\(["']https?:`)
	loads   = regexp.MustCompile(`(?:src|href)="([^"#/][^"]*)"|from "\./([^"]+)"`)
	byID    = regexp.MustCompile(`byId\("([^"]+)"\)`)
)

// URLs and header fields are text of strangers, and the policy of the page would
// not let its own inline scripts and styles work.
func TestTextStaysText(t *testing.T) {
	for _, name := range ours(t) {
		text := read(t, name)
		if path.Ext(name) == ".js" {
			assert.Empty(t, asHTML.FindString(text), "%s makes HTML of text", name)
		}
		if path.Ext(name) == ".html" {
			assert.Empty(t, inline.FindString(text), "%s has inline code", name)
		}
		assert.Empty(t, outside.FindString(text), "%s loads something from elsewhere", name)
	}
}

// What a file loads and which elements it looks for is there.
func TestNothingIsMissing(t *testing.T) {
	page := read(t, "index.html")
	for _, name := range ours(t) {
		text := read(t, name)
		for _, m := range loads.FindAllStringSubmatch(text, -1) {
			_, err := fs.Stat(files, "static/"+m[1]+m[2])
			assert.NoError(t, err, name)
		}
		for _, m := range byID.FindAllStringSubmatch(text, -1) {
			assert.Contains(t, page, `id="`+m[1]+`"`, name)
		}
		if path.Ext(name) == ".js" && name != "app.js" && name != "theme.js" {
			used := false
			for _, other := range ours(t) {
				used = used || strings.Contains(read(t, other), `from "./`+name+`"`)
			}
			assert.True(t, used, "%s is loaded by nothing", name)
		}
	}
}
