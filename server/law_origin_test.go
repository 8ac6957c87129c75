package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// lawOrigin is an origin without a network: what it answers depends on the
// request alone, and on whether the store is being warmed. It notes what it was
// asked.
type lawOrigin struct {
	mu      sync.Mutex
	warming bool
	asked   []string
}

func (o *lawOrigin) URL() *url.URL { return &url.URL{Scheme: "http", Host: "origin.test"} }

// take returns what was asked since it was called last.
func (o *lawOrigin) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	asked := o.asked
	o.asked = nil
	return asked
}

func (o *lawOrigin) warm(on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.warming = on
}

var errDown = errors.New("the origin is down")

// RoundTrip answers a request.
func (o *lawOrigin) RoundTrip(r *http.Request) (*http.Response, error) {
	var content []byte
	var broke error
	if r.Body != nil {
		content, broke = io.ReadAll(r.Body)
	}
	o.mu.Lock()
	warming := o.warming
	o.asked = append(o.asked, describe(r, content, broke))
	o.mu.Unlock()
	if broke != nil {
		return nil, broke
	}
	page, known := pages[r.URL.Path]
	if !known {
		page = pages["/fresh"]
	}
	a := page(r, content)
	if a.downLater && !warming {
		return nil, errDown
	}
	if a.early {
		trace := httptrace.ContextClientTrace(r.Context())
		err := trace.Got1xxResponse(http.StatusEarlyHints, textproto.MIMEHeader{"Link": {"</a.css>; rel=preload"}})
		if err != nil {
			return nil, err
		}
	}
	return a.response(r), nil
}

// describe writes down what reached the origin.
func describe(r *http.Request, content []byte, broke error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s host=%s length=%d close=%t\n", r.Method, r.URL, r.Host, r.ContentLength, r.Close)
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, line := range r.Header[name] {
			if name == "X-Request-Id" {
				line = withoutID(line)
			}
			fmt.Fprintf(&b, "%s: %q\n", name, line)
		}
	}
	fmt.Fprintf(&b, "content %q trailer %v", content, r.Trailer)
	if broke != nil {
		fmt.Fprintf(&b, " broken: %v", broke)
	}
	return b.String()
}

// page makes the answer for a path.
type page func(r *http.Request, content []byte) *scriptedAnswer

type scriptedAnswer struct {
	status    int
	fields    []string // name, value, name, value
	body      []byte
	unknown   bool // the length is not told
	cut       bool // the body breaks off
	trailer   http.Header
	early     bool // 103 comes before
	downLater bool // only answers while the store is being warmed
	upgrade   bool
}

const (
	aDay     = "max-age=86400000"
	modified = "Mon, 01 Jan 2024 10:00:00 GMT"
)

func (a *scriptedAnswer) response(r *http.Request) *http.Response {
	resp := &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Request: r, ContentLength: int64(len(a.body)), Trailer: a.trailer,
	}
	for i := 0; i < len(a.fields); i += 2 {
		resp.Header.Add(a.fields[i], a.fields[i+1])
	}
	if a.status == http.StatusOK && answersCondition(r, resp.Header) {
		resp.StatusCode, a.body, a.unknown = http.StatusNotModified, nil, false
		resp.ContentLength = 0
	}
	if a.unknown {
		resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
	} else if resp.StatusCode != http.StatusNotModified && resp.StatusCode != http.StatusNoContent {
		resp.Header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	var body io.Reader = bytes.NewReader(a.body)
	switch {
	case a.upgrade:
		resp.Body = newEcho()
		return resp
	case r.Method == http.MethodHead:
		body = strings.NewReader("")
	case a.cut:
		body = io.MultiReader(bytes.NewReader(a.body[:len(a.body)/2]), brokenReader{})
	}
	resp.Body = io.NopCloser(body)
	return resp
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// answersCondition reports whether the condition of a request holds.
func answersCondition(r *http.Request, h http.Header) bool {
	if lines := r.Header["If-None-Match"]; len(lines) > 0 {
		return h.Get("Etag") != "" && strings.Contains(strings.Join(lines, ","), h.Get("Etag"))
	}
	return r.Header.Get("If-Modified-Since") == modified && h.Get("Last-Modified") == modified
}

// text is content of a length that tells pages apart.
func content(of string, length int) []byte {
	return bytes.Repeat([]byte(of+"|"), length/(len(of)+1)+1)[:length]
}

// always answers every request alike.
func always(status, length int, of string, fields ...string) page {
	body := content(of, length)
	return func(*http.Request, []byte) *scriptedAnswer {
		return &scriptedAnswer{status: status, fields: fields, body: body}
	}
}

// with changes the answer of a page.
func with(p page, change func(*scriptedAnswer)) page {
	return func(r *http.Request, content []byte) *scriptedAnswer {
		a := p(r, content)
		change(a)
		return a
	}
}

// varying answers by the value of one field.
func varying(name string, fields ...string) page {
	return func(r *http.Request, _ []byte) *scriptedAnswer {
		value := strings.Join(r.Header[name], ",")
		fields := slices.Concat(fields, []string{
			"Vary", name, "Cache-Control", aDay, "Content-Type", "text/plain", "Etag", `"v` + strconv.Itoa(len(value)) + `"`,
		})
		return &scriptedAnswer{status: 200, fields: fields, body: content("for "+value, 200)}
	}
}

func encoded(r *http.Request, _ []byte) *scriptedAnswer {
	fields := []string{"Vary", "Accept-Encoding", "Cache-Control", aDay, "Content-Type", "text/css"}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		fields = append(fields, "Content-Encoding", "gzip", "Etag", `"packed"`)
		return &scriptedAnswer{status: 200, fields: fields, body: content("packed", 300)}
	}
	return &scriptedAnswer{status: 200, fields: append(fields, "Etag", `"flat"`), body: content("flat", 900)}
}

// posted answers with what was sent.
func posted(r *http.Request, content []byte) *scriptedAnswer {
	return &scriptedAnswer{status: 200, fields: []string{
		"Content-Type", "text/plain", "Location", "/fresh", "Content-Location", "/posted", "Cache-Control", "max-age=86400000",
	}, body: append([]byte(r.Method+" "), content...)}
}

// whoami says who asked.
func whoami(r *http.Request, _ []byte) *scriptedAnswer {
	return &scriptedAnswer{status: 200, fields: []string{"Cache-Control", "no-store"}, body: []byte(r.Header.Get("X-Me"))}
}

var fresh = always(200, 1024, "fresh", "Cache-Control", aDay, "Etag", `"f"`, "Last-Modified", modified, "Content-Type", "text/plain")

// pages are the answers by path; what is not here is like /fresh.
var pages = map[string]page{
	"/fresh":   fresh,
	"/gz":      encoded,
	"/lang":    varying("Accept-Language", "Content-Language", "en"),
	"/cookie":  varying("Cookie"),
	"/agent":   varying("User-Agent"),
	"/control": varying("Cache-Control"),
	"/pragma":  varying("Pragma"),
	"/hosts":   varying("Host"),
	"/any":     varying("*"),
	"/missing": always(404, 40, "missing", "Cache-Control", aDay, "Content-Type", "text/plain"),
	"/moved":   always(301, 0, "", "Location", "/fresh", "Cache-Control", aDay),
	"/gone":    always(410, 20, "gone", "Cache-Control", aDay),
	"/error":   always(500, 30, "error"),
	"/odd299":  always(299, 12, "odd", "Cache-Control", "no-cache"),
	"/nostore": always(200, 50, "nostore", "Cache-Control", "no-store", "Content-Type", "text/plain"),
	"/private": always(200, 50, "private", "Cache-Control", "private, "+aDay),
	"/nocache": always(200, 50, "nocache", "Cache-Control", "no-cache", "Etag", `"n"`),
	"/check":   always(200, 60, "check", "Cache-Control", "max-age=0", "Etag", `"c"`, "Last-Modified", modified),
	"/must":    always(200, 60, "must", "Cache-Control", "max-age=5, must-revalidate", "Age", "60", "Etag", `"m"`),
	"/old":     always(200, 60, "old", "Cache-Control", "max-age=50", "Age", "500", "Last-Modified", modified),
	"/forever": always(200, 60, "forever", "Cache-Control", aDay+", immutable", "Age", "500", "Etag", `W/"i"`),
	"/swr":     always(200, 70, "swr", "Cache-Control", "max-age=50, stale-while-revalidate=99999999", "Age", "500"),
	"/sie": with(always(200, 70, "sie", "Cache-Control", "max-age=50, stale-if-error=99999999", "Age", "500", "Etag", `"s"`),
		func(a *scriptedAnswer) { a.downLater = true }),
	"/down":    with(fresh, func(a *scriptedAnswer) { a.downLater = true }),
	"/large":   always(200, 100<<10, "large", "Cache-Control", aDay, "Etag", `"l"`, "Content-Type", "text/plain"),
	"/middle":  always(200, 2049, "middle", "Cache-Control", aDay),
	"/full":    always(200, 16<<10, "full", "Cache-Control", aDay),
	"/empty":   always(200, 0, "", "Cache-Control", aDay, "Content-Type", "text/plain"),
	"/none":    always(204, 0, "", "Cache-Control", aDay, "Content-Type", "text/plain", "Etag", `"0"`),
	"/none0":   always(204, 0, "", "Cache-Control", "no-store", "Content-Length", "0", "X-Kept", "yes"),
	"/chunked": with(always(200, 5000, "chunked", "Cache-Control", aDay), func(a *scriptedAnswer) { a.unknown = true }),
	"/short":   with(always(200, 100, "short", "Cache-Control", "no-store"), func(a *scriptedAnswer) { a.unknown = true }),
	"/nothing": with(always(200, 0, "", "Cache-Control", "no-store"), func(a *scriptedAnswer) { a.unknown = true }),
	"/trailers": with(always(200, 300, "trailers", "Cache-Control", "no-store"), func(a *scriptedAnswer) {
		a.unknown, a.trailer = true, http.Header{"X-Sum": {"1", "2"}, "A-Last": {""}}
	}),
	"/broken":  with(always(200, 4000, "broken", "Cache-Control", aDay), func(a *scriptedAnswer) { a.cut = true }),
	"/breaks":  with(always(200, 4000, "breaks"), func(a *scriptedAnswer) { a.cut, a.unknown = true, true }),
	"/early":   with(fresh, func(a *scriptedAnswer) { a.early = true }),
	"/cookies": always(200, 10, "cookies", "Cache-Control", aDay, "Set-Cookie", "a=1", "Set-Cookie", "b=2"),
	"/odd": always(200, 80, "odd", "Cache-Control", aDay, "Via", "1.0 first", "Via", "1.1 second, 1.1 third", "Cache-Status", "up; hit",
		"X-Request-Id", "origins-own", "X-Cache-Status", "MISS", "Age", "7", "X-Empty", "", "X-Text", "caf\xc3\xa9 \xe9\xff",
		"X-Empty", "", "Zz", "last", "A", "first", "x_under-score", "1", "Connection", "X-Hop", "X-Hop", "hop", "Keep-Alive", "5",
		"Server", "odd/1.0", "Content-Type", "text/html", "Content-Language", "en"),
	"/posted":  posted,
	"/whoami":  whoami,
	"/hidden":  always(200, 10, "hidden", "Cache-Control", aDay+`, private="X-Mine"`, "X-Mine", "secret"),
	"/unasked": always(304, 0, "", "Content-Length", "10", "Content-Type", "text/plain", "Etag", `"u"`),
	"/switch": func(*http.Request, []byte) *scriptedAnswer {
		return &scriptedAnswer{status: 101, fields: []string{"Connection", "Upgrade", "Upgrade", "echo"}, upgrade: true}
	},
}

// echo is the other protocol: it sends back what it gets.
type echo struct {
	*io.PipeReader
	w *io.PipeWriter
}

func newEcho() echo {
	r, w := io.Pipe()
	return echo{r, w}
}

func (e echo) Write(p []byte) (int, error) { return e.w.Write(p) }

// CloseWrite ends what comes back, too.
func (e echo) CloseWrite() error { return e.w.Close() }

func (e echo) Close() error {
	e.w.Close()
	return e.PipeReader.Close()
}
