package policy

import (
	"net/http"
	"strings"
)

// staticFiles are kinds of static files: how their paths end, and what media types
// they may have. One with a final / or - stands for all that begin so. Some
// servers do not know a type and say that it is bytes, which no browser shows as
// a page.
//
// Paths that end in .html, .txt, .json or .xml are not in it: what applications
// make ends so as well, and no type contradicts it for sure.
var staticFiles = []struct{ ends, types string }{
	{"css", "text/css"},
	{"js mjs", "text/javascript application/javascript application/x-javascript application/ecmascript text/ecmascript"},
	{"map", "application/json text/plain" + orBytes},
	{"wasm", "application/wasm" + orBytes},
	{"pdf", "application/pdf application/x-pdf" + orBytes},
	{"png jpg jpeg gif webp avif jxl bmp ico svg svgz tif tiff", "image/" + orBytes},
	{"mp4 m4v m4a webm mov ogg ogv oga mp3 aac wav flac opus", "video/ audio/ application/ogg application/mp4" + orBytes},
	{"woff woff2 ttf otf eot", "font/ application/font- application/x-font- application/vnd.ms-fontobject" + orBytes},
	{"zip gz tgz bz2 xz zst 7z rar", "application/zip application/gzip application/zstd application/vnd.rar application/x-" + orBytes},
}

const orBytes = " application/octet-stream binary/octet-stream"

// staticTypes are the media types of static files by the end of their path.
var staticTypes = func() map[string][]string {
	t := make(map[string][]string)
	for _, f := range staticFiles {
		for end := range strings.FieldsSeq(f.ends) {
			t[end] = strings.Fields(f.types)
		}
	}
	return t
}()

// Contradicts reports whether a decoded path ends like that of a static file
// while the Content-Type says that it is something else, or says nothing: a page
// of one user may stand behind it, at a URL that was made to look static.
func Contradicts(path, contentType string) bool {
	types, static := staticTypes[extension(path)]
	if !static {
		return false
	}
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(trim(kind))
	for _, t := range types {
		if kind == t || (strings.HasSuffix(t, "/") || strings.HasSuffix(t, "-")) && strings.HasPrefix(kind, t) {
			return false
		}
	}
	return true
}

// extension returns what follows the last dot of the last segment, in small
// letters; empty without.
func extension(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return ""
	}
	return strings.ToLower(name[dot+1:])
}

// Static reports whether a decoded path ends like that of a static file.
func Static(path string) bool { return staticTypes[extension(path)] != nil }

// typeGate applies the guard. What has no content has no type either.
func typeGate(rq *Request, rs *Response, r *Rules) Reason {
	if !r.TypeGuard || rs.Status == http.StatusNoContent {
		return ReasonNone
	}
	lines := values(rs.Fields, "Content-Type")
	for _, line := range lines { // a browser may take any of several
		if Contradicts(rq.Path, line) {
			return TypeMismatch
		}
	}
	if len(lines) == 0 && Contradicts(rq.Path, "") { // a browser would guess
		return TypeMismatch
	}
	return ReasonNone
}
