package origin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// outline is memory to write the head of a request in.
type outline struct {
	text  []byte
	names []string
}

// mostOutline bounds what of it is kept for the next request.
const mostOutline = 64 << 10

var outlines = sync.Pool{New: func() any { return new(outline) }}

func (o *outline) free() {
	if cap(o.text) > mostOutline {
		return
	}
	clear(o.names)
	o.text, o.names = o.text[:0], o.names[:0]
	outlines.Put(o)
}

// write writes the head of a request: Host, the fields that frame it, and all
// others sorted by name. It refuses what would end a line before its time.
func (o *outline) write(r *http.Request) error {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	if method == http.MethodConnect || !httpguts.ValidHeaderFieldName(method) {
		return fmt.Errorf("request method %q cannot be sent", method)
	}
	target := len(method) + 1
	o.text = appendTarget(append(append(o.text, method...), ' '), r.URL)
	for _, c := range o.text[target:] {
		if c <= ' ' || c == 0x7f {
			return fmt.Errorf("request target %.60q: contains a space or a control character", o.text[target:])
		}
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
		if strings.HasPrefix(host, "/") { // a socket's path is no name
			host = "localhost"
		}
	}
	if host = withoutZone(host); !validHost(host) {
		return fmt.Errorf("request Host %.60q is invalid", host)
	}
	o.text = append(append(append(o.text, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)
	if err := o.frame(r, method); err != nil {
		return err
	}
	for name := range r.Header {
		o.names = append(o.names, name)
	}
	slices.Sort(o.names)
	if err := o.fields(o.names, r.Header, framed); err != nil {
		return err
	}
	o.text = append(o.text, "\r\n"...)
	return nil
}

// framed reports whether a field is written from the request itself.
func framed(name string) bool {
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	return false
}

// fields writes field lines, but for those of names to skip.
func (o *outline) fields(names []string, h http.Header, skip func(string) bool) error {
	for _, name := range names {
		if skip(name) {
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("request field %.60q: invalid name", name)
		}
		for _, value := range h[name] {
			if !isText(value) {
				return fmt.Errorf("request field %s: control character in its value %.60q", name, value)
			}
			o.text = append(append(append(append(o.text, name...), ": "...), value...), "\r\n"...)
		}
	}
	return nil
}

// frame writes the fields about connection and content (RFC 9112, 6).
func (o *outline) frame(r *http.Request, method string) error {
	if r.Close && !httpguts.HeaderValuesContainsToken(r.Header["Connection"], "close") {
		o.text = append(o.text, "Connection: close\r\n"...)
	}
	switch {
	case !hasContent(r):
		if r.ContentLength > 0 {
			return errors.New("request with a Content-Length and no content")
		}
		// RFC 9110, 8.6: methods for which content would be expected.
		if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
			o.text = append(o.text, "Content-Length: 0\r\n"...)
		}
		return nil
	case r.ContentLength > 0:
		o.text = append(strconv.AppendInt(append(o.text, "Content-Length: "...), r.ContentLength, 10), "\r\n"...)
		return nil
	}
	o.text = append(o.text, "Transfer-Encoding: chunked\r\n"...)
	if len(r.Trailer) == 0 {
		return nil
	}
	names, err := trailerNames(r)
	if err != nil {
		return err
	}
	o.text = append(append(append(o.text, "Trailer: "...), strings.Join(names, ", ")...), "\r\n"...)
	return nil
}

// trailerNames returns the names of a request's trailer fields, sorted.
func trailerNames(r *http.Request) ([]string, error) {
	var names []string
	for name := range r.Trailer {
		if !httpguts.ValidHeaderFieldName(name) || framed(name) {
			return nil, fmt.Errorf("request trailer field %.60q is not allowed", name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// hasContent reports whether a request has content; if its length is not
// positive it is not known.
func hasContent(r *http.Request) bool { return r.Body != nil && r.Body != http.NoBody }

// appendTarget writes the path and query of a URL, or the asterisk.
func appendTarget(b []byte, u *url.URL) []byte {
	switch path := u.EscapedPath(); {
	case u.Opaque != "":
		b = append(b, u.Opaque...)
	case path == "":
		b = append(b, '/')
	default:
		b = append(b, path...)
	}
	if u.ForceQuery || u.RawQuery != "" {
		b = append(append(b, '?'), u.RawQuery...)
	}
	return b
}

// withoutZone takes the zone off an IPv6 address: it means something to this
// machine only (RFC 6874, 1).
func withoutZone(host string) string {
	if !strings.HasPrefix(host, "[") {
		return host
	}
	end := strings.LastIndexByte(host, ']')
	if zone := strings.IndexByte(host, '%'); zone > 0 && zone < end {
		return host[:zone] + host[end:]
	}
	return host
}

// validHost reports whether a Host field may say so (RFC 3986, 3.2.2).
func validHost(host string) bool {
	for i := range len(host) {
		if !hostBytes[host[i]] {
			return false
		}
	}
	return host != ""
}

var hostBytes = bytesOf("-._~!$&'()*+,;=:[]%")
