package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/origin"
)

// script is what an origin does, again and again, and what comes of it.
type script struct {
	name   string
	answer string // as world has it; "refuse" takes no connection
	row    func(method string) want
}

// want is what a request meets. The backoffs are taken at their longest.
type want struct {
	spacing []time.Duration // between tries
	then    string          // what the client gets
	held    time.Duration   // the target is left alone for so long
}

const refuse = "refuse"

func once(then string) want { return want{then: then} }

// idempotentOnly is the whole row for GET and PUT, and one try for POST.
func idempotentOnly(w want) func(string) want {
	return func(method string) want {
		if method == http.MethodPost {
			return want{then: w.then}
		}
		return w
	}
}

func everyMethod(w want) func(string) want { return func(string) want { return w } }

const ms = time.Millisecond

var (
	backoffs = []time.Duration{100 * ms, 200 * ms}
	atOnce   = []time.Duration{0, 0}
	second2  = []time.Duration{time.Second, time.Second}
)

// date is an HTTP-date so long after the start of a bubble.
func date(after time.Duration) string {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(after).Format(http.TimeFormat)
}

// scripts are the rows of docs/retries.md.
var scripts = []script{
	{"408", status(408), idempotentOnly(want{spacing: atOnce, then: "408"})},
	{"429 with `Retry-After: 1`", status(429, "Retry-After", "1"), func(m string) want {
		if m == http.MethodPost {
			return want{then: "429", held: time.Second}
		}
		return want{spacing: second2, then: "429", held: time.Second}
	}},
	{"429 with `Retry-After: 60`", status(429, "Retry-After", "60"), everyMethod(want{then: "429", held: time.Minute})},
	{"429", status(429), idempotentOnly(want{spacing: backoffs, then: "429"})},
	{"503 with `Retry-After: 1`", status(503, "Retry-After", "1"), func(m string) want {
		if m == http.MethodPost {
			return want{then: "503", held: time.Second}
		}
		return want{spacing: second2, then: "503", held: time.Second}
	}},
	{"503 with `Retry-After: 60`", status(503, "Retry-After", "60"), everyMethod(want{then: "503", held: time.Minute})},
	{"503 with `Retry-After` as a date 2 s ahead", status(503, "Date", date(0), "Retry-After", date(2*time.Second)), func(m string) want {
		if m == http.MethodPost {
			return want{then: "503", held: 2 * time.Second}
		}
		return want{spacing: []time.Duration{2 * time.Second}, then: "503", held: 2 * time.Second}
	}},
	{"503 with `Retry-After` as a date 1 min ahead", status(503, "Date", date(0), "Retry-After", date(time.Minute)), everyMethod(want{then: "503", held: time.Minute})},
	{"503", status(503), idempotentOnly(want{spacing: backoffs, then: "503"})},
	{"502", status(502), idempotentOnly(want{spacing: backoffs, then: "502"})},
	{"504", status(504), idempotentOnly(want{spacing: backoffs, then: "504"})},
	{"connection refused", refuse, everyMethod(want{spacing: backoffs, then: "connection_refused"})},
	{"connection lost before the answer", "", idempotentOnly(want{spacing: backoffs, then: "connection_terminated"})},
	{"no answer in time", silence, everyMethod(once("http_response_timeout"))},
	{"an answer that is not HTTP", "SSH-2.0-OpenSSH\r\n", everyMethod(once("http_protocol_error"))},
	{"400", status(400), everyMethod(once("400"))},
	{"401", status(401), everyMethod(once("401"))},
	{"403", status(403), everyMethod(once("403"))},
	{"404", status(404), everyMethod(once("404"))},
	{"405", status(405), everyMethod(once("405"))},
	{"500", status(500), everyMethod(once("500"))},
}

// methods are those that each script is played for, with content.
var methods = []struct{ name, content string }{
	{http.MethodGet, ""}, {http.MethodPut, "content"}, {http.MethodPost, "content"},
}

// An origin that never changes its mind sees exactly the tries of the table, at
// exactly the times, and the client gets what is there at the end.
func TestTable(t *testing.T) {
	for _, s := range scripts {
		for _, m := range methods {
			t.Run(s.name+"/"+m.name, func(t *testing.T) {
				bubble(t, func(w *world) { w.play(s, m.name, m.content) })
			})
		}
	}
}

func (w *world) play(s script, method, content string) {
	want := s.row(method)
	u := w.upstream(Options{}, "a")
	u.jitter = func(n int64) int64 { return n - 1 }
	w.host("a.test", always(s.answer))
	if s.answer == refuse {
		w.refuse("a.test", refused)
	}
	g := w.send(u, w.request(u, method, "/x", content))
	assert.Equal(w, want.then, g.text())

	tries := w.asked()
	if s.answer == refuse { // nobody has seen the tries but who connects
		assert.Equal(w, len(want.spacing)+1, w.dials("a.test"))
		assert.Equal(w, sum(want.spacing), g.took)
	} else if assert.Len(w, tries, len(want.spacing)+1) {
		at := time.Duration(0)
		for i, a := range tries {
			if i > 0 {
				at += want.spacing[i-1]
			}
			assert.Equal(w, at, a.at, "try %d", i+1)
			assert.Equal(w, content, a.content, "try %d", i+1)
		}
	}
	w.hold(u, want.held)
	w.idle(u)
}

// hold checks that the target is left alone for so long, and not longer.
func (w *world) hold(u *Upstream, d time.Duration) {
	w.host("a.test", always(ok))
	w.refuse("a.test", nil)
	if d > 0 {
		assert.Equal(w, Held, condition(u, 0))
		for _, method := range []string{"GET", "POST"} {
			g := w.send(u, w.request(u, method, "/", ""))
			require.Equal(w, origin.Unavailable, g.failure())
			assert.Equal(w, d, g.err.RetryAfter)
			assert.Zero(w, g.took)
		}
		time.Sleep(d)
	}
	assert.Equal(w, 200, w.get(u).status)
	assert.Equal(w, Up, condition(u, 0))
}

func (g got) text() string {
	if g.err != nil {
		return g.err.Failure.String()
	}
	return fmt.Sprint(g.status)
}

func sum(list []time.Duration) (total time.Duration) {
	for _, d := range list {
		total += d
	}
	return total
}

// tries words how often and when a request is sent.
func (w want) tries() string {
	if len(w.spacing) == 0 {
		return "1"
	}
	var gaps []string
	for _, d := range w.spacing {
		switch {
		case d == 0:
			gaps = append(gaps, "at once")
		case d < time.Second:
			gaps = append(gaps, fmt.Sprintf("after up to %d ms", d/ms))
		default:
			gaps = append(gaps, "after "+words(d))
		}
	}
	return fmt.Sprintf("%d: %s", len(gaps)+1, strings.Join(gaps, ", "))
}
