package policy

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestContradicts(t *testing.T) {
	for _, c := range []struct {
		path, contentType string
		want              bool
	}{
		{"/a.css", "text/css", false},
		{"/a.css", "text/css; charset=utf-8", false},
		{"/a.css", " Text/CSS ", false},
		{"/a.css", "text/html", true},
		{"/a.css", "text/html; x=text/css", true},
		{"/a.css", "text/cssx", true},
		{"/a.css", "text/", true},
		{"/a.css", "", true},
		{"/a.css", "application/octet-stream", true},
		{"/account/x.CSS", "text/html", true},
		{"/account;x.css", "text/html", true},
		{"/.css", "text/html", true},
		{"/a.b.js", "text/html", true},
		{"/a.js", "application/json", true},
		{"/a.mjs", "application/javascript", false},
		{"/a.js.map", "application/json", false},
		{"/a.jpg", "image/webp", false},
		{"/a.jpg", "application/octet-stream", false},
		{"/a.jpg", "application/json", true},
		{"/a.svg", "image/svg+xml", false},
		{"/a.svg", "text/html", true},
		{"/a.woff", "application/font-woff", false},
		{"/a.woff2", "font/woff2", false},
		{"/a.woff2", "fontx/woff2", true},
		{"/a.mp4", "audio/mp4", false},
		{"/a.pdf", "application/pdf", false},
		{"/a.pdf", "text/html", true},
		{"/a.zip", "application/x-zip-compressed", false},
		{"/a.zip", "application/json", true},

		{"/", "text/html", false},
		{"", "text/html", false},
		{"/a", "", false},
		{"/css", "text/html", false},
		{"/a.css/", "text/html", false},
		{"/a.css/b", "text/html", false},
		{"/a.css;b", "text/html", false},
		{"/a.", "text/html", false},
		{"/a.html", "application/json", false},
		{"/a.json", "text/html", false},
		{"/a.txt", "text/html", false},
		{"/a.xml", "text/html", false},
		{"/a.unknown", "text/html", false},
	} {
		assert.Equal(t, c.want, Contradicts(c.path, c.contentType), "%s as %q", c.path, c.contentType)
	}
}

func TestTypeGuard(t *testing.T) {
	rules := DefaultRules()
	rules.TypeGuard = true
	now := time.Unix(1e9, 0)
	for _, c := range []struct {
		name   string
		path   string
		status int
		types  []string
		off    bool
		want   Reason
	}{
		{"what it should be", "/a.css", 200, []string{"text/css"}, false, ReasonNone},
		{"a page", "/a.css", 200, []string{"text/html"}, false, TypeMismatch},
		{"a page, and the guard is off", "/a.css", 200, []string{"text/html"}, true, ReasonNone},
		{"no type", "/a.css", 200, nil, false, TypeMismatch},
		{"no type, and no static file", "/a", 200, nil, false, ReasonNone},
		{"two types, one of them wrong", "/a.css", 200, []string{"text/css", "text/html"}, false, TypeMismatch},
		{"a page that says there is no such file", "/a.css", 404, []string{"text/html"}, false, TypeMismatch},
		{"no content", "/a.css", 204, nil, false, ReasonNone},
		{"the path is not known", "", 200, []string{"text/html"}, false, ReasonNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rules
			r.TypeGuard = !c.off
			rq := NewRequest(http.MethodGet, http.Header{})
			rq.Path = c.path
			h := http.Header{"Cache-Control": {"max-age=60"}, "Content-Type": c.types}
			stored, why := Admit(rq, &Response{Status: c.status, Fields: h}, Times{now, now}, &r)
			assert.Equal(t, c.want, why)
			assert.Equal(t, c.want == ReasonNone, stored != nil)
		})
	}
}
