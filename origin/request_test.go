package origin

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRequestHeads shows what is sent, line by line.
func TestRequestHeads(t *testing.T) {
	content := io.NopCloser(strings.NewReader("content"))
	for _, tc := range []struct {
		name string
		r    http.Request
		url  string
		want string
	}{
		{"the least", http.Request{}, "/", "GET / HTTP/1.1|Host: origin.test"},
		{"no path", http.Request{}, "", "GET / HTTP/1.1|Host: origin.test"},
		{"query", http.Request{}, "/a?b=c&d", "GET /a?b=c&d HTTP/1.1|Host: origin.test"},
		{"empty query", http.Request{}, "/a?", "GET /a? HTTP/1.1|Host: origin.test"},
		{"as it was escaped", http.Request{}, "/a%2Fb%20c", "GET /a%2Fb%20c HTTP/1.1|Host: origin.test"},
		{"asterisk", http.Request{Method: "OPTIONS", URL: &url.URL{Scheme: "http", Host: "origin.test", Opaque: "*"}}, "", "OPTIONS * HTTP/1.1|Host: origin.test"},
		{"host", http.Request{Host: "www.example.com:8080"}, "/", "GET / HTTP/1.1|Host: www.example.com:8080"},
		{"zone", http.Request{Host: "[fe80::1%eth0]:80"}, "/", "GET / HTTP/1.1|Host: [fe80::1]:80"},
		{"sorted, all lines, nothing of its own", http.Request{Header: http.Header{
			"Via": {"1.1 a", "1.1 b"}, "Accept": {"*/*"}, "x-lower": {"kept"}, "User-Agent": nil, "Empty": {""},
		}}, "/", "GET / HTTP/1.1|Host: origin.test|Accept: */*|Empty: |Via: 1.1 a|Via: 1.1 b|x-lower: kept"},
		{"framing is not the header's", http.Request{Header: http.Header{
			"Host": {"other"}, "Content-Length": {"7"}, "Transfer-Encoding": {"chunked"}, "Trailer": {"A"},
		}}, "/", "GET / HTTP/1.1|Host: origin.test"},
		{"close", http.Request{Close: true}, "/", "GET / HTTP/1.1|Host: origin.test|Connection: close"},
		{"close once", http.Request{Close: true, Header: http.Header{"Connection": {"close"}}}, "/", "GET / HTTP/1.1|Host: origin.test|Connection: close"},
		{"upgrade", http.Request{Header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}}, "/",
			"GET / HTTP/1.1|Host: origin.test|Connection: Upgrade|Upgrade: websocket"},
		{"POST of nothing", http.Request{Method: "POST"}, "/", "POST / HTTP/1.1|Host: origin.test|Content-Length: 0"},
		{"PUT of nothing", http.Request{Method: "PUT", Body: http.NoBody}, "/", "PUT / HTTP/1.1|Host: origin.test|Content-Length: 0"},
		{"DELETE of nothing", http.Request{Method: "DELETE"}, "/", "DELETE / HTTP/1.1|Host: origin.test"},
		{"content", http.Request{Method: "POST", Body: content, ContentLength: 7}, "/", "POST / HTTP/1.1|Host: origin.test|Content-Length: 7"},
		{"content of unknown length", http.Request{Method: "POST", Body: content, ContentLength: -1}, "/", "POST / HTTP/1.1|Host: origin.test|Transfer-Encoding: chunked"},
		{"trailer", http.Request{Method: "POST", Body: content, ContentLength: -1, Trailer: http.Header{"X-Sum": nil, "Etag": nil}}, "/",
			"POST / HTTP/1.1|Host: origin.test|Transfer-Encoding: chunked|Trailer: Etag, X-Sum"},
		{"no trailer without chunks", http.Request{Method: "POST", Body: content, ContentLength: 7, Trailer: http.Header{"X-Sum": nil}}, "/",
			"POST / HTTP/1.1|Host: origin.test|Content-Length: 7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.r.URL == nil {
				var err error
				tc.r.URL, err = url.Parse("http://origin.test" + tc.url)
				require.NoError(t, err)
			}
			var o outline
			require.NoError(t, o.write(&tc.r))
			assert.Equal(t, strings.ReplaceAll(tc.want, "|", "\r\n")+"\r\n\r\n", string(o.text))
		})
	}
}

// Nothing leaves that could be taken for more than it is.
func TestRequestsRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		why    string
	}{
		{"LF in a value", func(r *http.Request) { r.Header["A"] = []string{"b\nC: d"} }, "request field A: control character"},
		{"CR in a value", func(r *http.Request) { r.Header["A"] = []string{"b\rC: d"} }, "request field A: control character"},
		{"NUL in a value", func(r *http.Request) { r.Header["A"] = []string{"ok", "b\x00"} }, "request field A: control character"},
		{"LF in a name", func(r *http.Request) { r.Header["A\nB"] = []string{"c"} }, "invalid name"},
		{"space in a name", func(r *http.Request) { r.Header["A "] = []string{"c"} }, "invalid name"},
		{"no name", func(r *http.Request) { r.Header[""] = []string{"c"} }, "invalid name"},
		{"LF in the method", func(r *http.Request) { r.Method = "GET / HTTP/1.1\nA: b" }, "request method"},
		{"CONNECT", func(r *http.Request) { r.Method = "CONNECT" }, "request method"},
		{"space in the query", func(r *http.Request) { r.URL.RawQuery = "a HTTP/1.1" }, "request target"},
		{"LF in the query", func(r *http.Request) { r.URL.RawQuery = "a\nA: b" }, "request target"},
		{"LF in Host", func(r *http.Request) { r.Host = "a\nA: b" }, "request Host"},
		{"path in Host", func(r *http.Request) { r.Host = "a/b" }, "request Host"},
		{"letters beyond ASCII in Host", func(r *http.Request) { r.Host = "b\u00fccher.example" }, "request Host"},
		{"a trailer that frames", func(r *http.Request) {
			r.Body, r.ContentLength, r.Trailer = io.NopCloser(strings.NewReader("x")), -1, http.Header{"Content-Length": nil}
		}, "request trailer field"},
		{"a length of nothing", func(r *http.Request) { r.ContentLength = 5 }, "Content-Length and no content"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, o := overTCP(t, Options{}, always(ok))
			r := s.request("GET", "")
			tc.change(r)
			_, err := o.RoundTrip(r)
			require.Error(t, err)
			assert.Contains(t, err.Error(), tc.why)
			assert.Equal(t, 0, s.connections())
		})
	}
}

func TestHostsOfOrigins(t *testing.T) {
	_, err := New("http://b\u00fccher.example", Options{})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "with a name in ASCII (xn--...)")
	assert.Equal(t, "xn--bcher-kva.example:80", open(t, "http://xn--bcher-kva.example", Options{}).target)
}
