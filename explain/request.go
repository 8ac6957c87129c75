package explain

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Request is what is to be explained.
type Request struct {
	URL     string            `json:"url"`     // absolute: http or https, with a host
	Method  string            `json:"method"`  // GET (default), HEAD or OPTIONS
	Headers map[string]string `json:"headers"` // Host among them replaces that of the URL
	Twice   bool              `json:"twice"`   // ask again, to see whether the second one is a hit
}

// Invalid is the error of a request that cannot be made: what is at fault, and what
// to do.
type Invalid struct{ Text string }

func (e *Invalid) Error() string { return e.Text }

func invalid(format string, args ...any) error { return &Invalid{fmt.Sprintf(format, args...)} }

// Bounds of a request.
const (
	mostURL     = 16 << 10
	mostHeaders = 128
)

var methods = []string{http.MethodGet, http.MethodHead, http.MethodOptions}

// framing are fields that a request without content does not have.
var framing = []string{"Content-Length", "Transfer-Encoding", "Upgrade", "Expect", "Trailer", "Connection"}

// build makes the request as a server would have read it.
func (q *Request) build(ctx context.Context) (*http.Request, error) {
	method := strings.ToUpper(q.Method)
	if method == "" {
		method = http.MethodGet
	}
	if !slices.Contains(methods, method) {
		return nil, invalid("method: %q may change things at the origin; use GET, HEAD or OPTIONS", q.Method)
	}
	if len(q.URL) > mostURL {
		return nil, invalid("url: it is longer than %d bytes; use a shorter one", mostURL)
	}
	u, err := url.Parse(q.URL)
	switch {
	case q.URL == "":
		return nil, invalid("url: it is missing; give an absolute URL such as https://www.example.com/a")
	case err != nil:
		return nil, invalid("url: %q is no URL; give one such as https://www.example.com/a", q.URL)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil:
		return nil, invalid("url: %q is not an absolute URL of http or https without a user; give one such as https://www.example.com/a", q.URL)
	}
	h, host, err := q.header(u.Host)
	if err != nil {
		return nil, err
	}
	r := (&http.Request{
		Method: method, Host: host, Header: h, Body: http.NoBody, RemoteAddr: "127.0.0.1:0",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RequestURI: u.RequestURI(),
		URL: &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery},
	}).WithContext(ctx)
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	if u.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	return r, nil
}

func (q *Request) header(host string) (http.Header, string, error) {
	if len(q.Headers) > mostHeaders {
		return nil, "", invalid("headers: there are more than %d; leave some out", mostHeaders)
	}
	h := make(http.Header, len(q.Headers))
	for name, value := range q.Headers {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return nil, "", invalid("headers: %q is not the name of a field; use letters, digits and dashes", name)
		case !httpguts.ValidHeaderFieldValue(value):
			return nil, "", invalid("headers: the value of %s has bytes that no field may have; leave them out", name)
		case slices.Contains(framing, canonical):
			return nil, "", invalid("headers: %s is about connections and content, which this request does not have; leave it out", name)
		case canonical == "Host":
			host = value
		default:
			h[canonical] = []string{value}
		}
	}
	return h, host, nil
}
