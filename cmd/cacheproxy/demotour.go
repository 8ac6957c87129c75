package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ask is a request of the tour, and what is promised of its answer. A test
// holds the promises.
type ask struct {
	wait   time.Duration // before it
	method string        // empty for GET
	path   string
	field  string // a header field, "Name: value"
	binary bool   // the content is nothing for a terminal
	status int    // 0: the answer is not looked at
	cache  string // Cache-Status without the cache's name; N is a number that depends on the moment
}

// stop is a step of the tour.
type stop struct {
	title  string
	atOnce bool // all requests at the same time; the answers come in any order
	asks   []ask
}

var tour = []stop{
	{title: "The first request goes to the origin, the second is a hit", asks: []ask{
		{path: "/", status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored"},
		{path: "/", status: 200, cache: "hit; ttl=N"},
	}},
	{title: "Just after its lifetime (10 s) a page is served stale once more, and refreshed in the background", asks: []ask{
		{path: "/"},
		{wait: 11 * time.Second, path: "/", status: 200, cache: "hit; ttl=-N; detail=stale-while-revalidate"},
		{wait: time.Second, path: "/", status: 200, cache: "hit; ttl=N"},
	}},
	{title: "A client may insist; the origin answers 304, so that no content travels", asks: []ask{
		{path: "/", field: "Cache-Control: no-cache", status: 200, cache: "fwd=request; fwd-status=304; ttl=N; stored; detail=request-no-cache"},
	}},
	{title: "A successful POST makes what is stored for its URL invalid", asks: []ask{
		{path: "/", method: http.MethodPost, status: 204, cache: "fwd=method; fwd-status=204"},
		{path: "/", status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored"},
	}},
	{title: "HEAD and conditions are answered from a stored GET; immutable withstands a reload", asks: []ask{
		{path: "/image.png", binary: true, status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored"},
		{path: "/image.png", method: http.MethodHead, status: 200, cache: "hit; ttl=N"},
		{path: "/image.png", field: "If-Modified-Since: " + demoModified, status: 304, cache: "hit; ttl=N"},
		{wait: time.Second, path: "/image.png", field: "Cache-Control: max-age=0", binary: true, status: 200, cache: "hit; ttl=N; detail=immutable"},
	}},
	{title: "Vary: each language has an answer of its own", asks: []ask{
		{path: "/api/time", field: "Accept-Language: en", status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored"},
		{path: "/api/time", field: "Accept-Language: en", status: 200, cache: "hit; ttl=N"},
		{path: "/api/time", field: "Accept-Language: de", status: 200, cache: "fwd=vary-miss; fwd-status=200; ttl=N; stored"},
	}},
	{title: "Three clients at once for something slow (2 s): the origin is asked once", atOnce: true, asks: []ask{
		{path: "/slow", status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored"},
		{path: "/slow", status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored; collapsed"},
		{path: "/slow", status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored; collapsed"},
	}},
	{title: "What is private is never stored: each request has its own secret", asks: []ask{
		{path: "/api/me", status: 200, cache: "fwd=uri-miss; fwd-status=200; detail=private"},
		{path: "/api/me", status: 200, cache: "fwd=uri-miss; fwd-status=200; detail=private"},
	}},
	{title: "A 404 may be stored; a 500 never is, whatever it says", asks: []ask{
		{path: "/missing", status: 404, cache: "fwd=uri-miss; fwd-status=404; ttl=N; stored"},
		{path: "/missing", status: 404, cache: "hit; ttl=N"},
		{path: "/fail", status: 500, cache: "fwd=uri-miss; fwd-status=500; detail=status-never"},
		{path: "/fail", status: 500, cache: "fwd=uri-miss; fwd-status=500; detail=status-never"},
	}},
	{title: "The origin fails at every second request; clients see the last good answer", asks: []ask{
		{path: "/flaky", status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored"},
		{wait: 2 * time.Second, path: "/flaky", status: 200, cache: "fwd=stale; fwd-status=500; ttl=-N; detail=stale-if-error"},
	}},
	{title: "Sixteen bytes out of 8 MiB, from the cache", asks: []ask{
		{path: "/big", binary: true, status: 200, cache: "fwd=uri-miss; fwd-status=200; ttl=N; stored"},
		{path: "/big", field: "Range: bytes=1000-1015", status: 206, cache: "hit; ttl=N"},
	}},
}

// curl is the command line of a request.
func (a *ask) curl(base string) string {
	line := "curl -si"
	switch {
	case a.status == 0:
		line = "curl -so /dev/null"
	case a.method == http.MethodHead:
		line = "curl -sI"
	case a.binary:
		line = "curl -so /dev/null -D -"
	}
	if a.method == http.MethodPost {
		line += " -X POST"
	}
	if a.field != "" {
		line += " -H '" + a.field + "'"
	}
	line += " " + base + a.path
	if a.wait > 0 {
		return fmt.Sprintf("sleep %d; %s", a.wait/time.Second, line)
	}
	return line
}

// commands are the lines to type for a step.
func (s *stop) commands(base string) []string {
	lines := make([]string, len(s.asks))
	for i := range s.asks {
		lines[i] = s.asks[i].curl(base)
	}
	if s.atOnce {
		return []string{"(" + strings.Join(lines, " & ") + " & wait)"}
	}
	return lines
}

// printTour prints what to try, and what one sees.
func printTour(w io.Writer, base, admin string) {
	fmt.Fprintf(w, `cacheproxy demo: a built-in origin with the cache before it, on %s

Paste each step into another terminal, as a whole. Below it stand the status and
the Cache-Status that the answers show, one line each. N is a number: the seconds
until the stored answer is stale, or, with a minus, since it is. X-Origin-Request
counts what reaches the origin: the same number again means it was not asked.
The tour begins with an empty cache; a second time round there are more hits.
`, base)
	for i, s := range tour {
		fmt.Fprintf(w, "\n%2d. %s\n", i+1, s.title)
		for _, line := range s.commands(base) {
			fmt.Fprintf(w, "    %s\n", line)
		}
		for _, a := range s.asks {
			if a.status != 0 {
				fmt.Fprintf(w, "      -> %d  cacheproxy; %s\n", a.status, a.cache)
			}
		}
	}
	fmt.Fprintf(w, `
%2d. What the operator sees: the page %s/ui/ in a browser, and figures
    curl -s %[2]s/metrics | grep ^cacheproxy_requests_total

To put it before your own server:  cacheproxy --origin http://127.0.0.1:3000
Ctrl-C ends the demo.
`, len(tour)+1, admin)
}
