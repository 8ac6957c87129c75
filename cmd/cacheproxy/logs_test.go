package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recentRequests are those that a fake proxy keeps, newest first.
type recentRequests struct {
	mu   sync.Mutex
	all  []map[string]any
	next int
	err  error
	asks []url.Values
}

func (r *recentRequests) add(fields map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	one := map[string]any{
		"id": fmt.Sprintf("%012d", r.next), "time": time.Date(2026, 1, 2, 3, 4, 5, r.next*1e6, time.Local), "method": "GET",
		"host": "shop.example", "uri": "/" + strconv.Itoa(r.next), "status": 200, "action": "serve", "reason": "fresh",
		"bytes": 1234, "duration_ms": 0.05,
	}
	for name, value := range fields {
		one[name] = value
	}
	r.all = slices.Insert(r.all, 0, one)
}

func (r *recentRequests) get(_ context.Context, query url.Values, v any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asks = append(r.asks, query)
	if r.err != nil {
		return r.err
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		return err
	}
	fit := slices.DeleteFunc(slices.Clone(r.all), func(one map[string]any) bool {
		return query.Get("reason") != "" && one["reason"] != query.Get("reason") && one["refused"] != query.Get("reason")
	})
	text, err := json.Marshal(map[string]any{"requests": fit[:min(limit, len(fit))]})
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

func (r *recentRequests) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *recentRequests) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all, r.next = nil, 0
}

func TestLogsLine(t *testing.T) {
	for _, tc := range []struct {
		fields map[string]any
		want   string
	}{
		{nil, "03:04:05.001 200 serve       fresh                    0.05 ms    1.2 KiB GET shop.example/1"},
		{
			map[string]any{"action": "fetch", "reason": "uri-miss", "refused": "set-cookie", "origin_ms": 12.3, "target": "10.0.0.1:80", "duration_ms": 15.0},
			"03:04:05.001 200 fetch       uri-miss                   15 ms    1.2 KiB GET shop.example/1 refused=set-cookie origin=12ms target=10.0.0.1:80",
		},
		{
			map[string]any{"status": 502, "action": "fail", "reason": "origin-invalid", "error": "http_protocol_error", "aborted": true, "collapsed": true, "bytes": 0},
			"03:04:05.001 502 fail        origin-invalid           0.05 ms        0 B GET shop.example/1 error=http_protocol_error collapsed aborted",
		},
		{map[string]any{"uri": hostile, "host": "a\x1b[1m", "method": "G\rT", "reason": "\x9b", "target": "\n", "error": "\a", "action": "\b"}, ""},
	} {
		var r recentRequests
		r.add(tc.fields)
		var out bytes.Buffer
		l := logs{get: r.get, out: &out, count: 20}
		require.NoError(t, l.run(t.Context()))
		line, rest, _ := strings.Cut(out.String(), "\n")
		assert.Empty(t, rest, "one line")
		if tc.want == "" {
			assertInert(t, line)
		} else {
			assert.Equal(t, tc.want, line)
		}
		l.colours, l.last = true, ""
		out.Reset()
		require.NoError(t, l.run(t.Context()))
		for _, colour := range []string{red, green, yellow, dim, normal} {
			line = strings.ReplaceAll(out.String(), colour, "")
			out.Reset()
			out.WriteString(line)
		}
		assertInert(t, strings.TrimSuffix(line, "\n"))
	}
}

func TestLogsJSON(t *testing.T) {
	var r recentRequests
	r.add(map[string]any{"uri": hostile, "what-is-new": []int{1, 2}})
	var out bytes.Buffer
	l := logs{get: r.get, out: &out, count: 20, json: true}
	require.NoError(t, l.run(t.Context()))
	assertInert(t, strings.TrimSuffix(out.String(), "\n"))
	var back map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	assert.Equal(t, strings.ToValidUTF8(hostile, "\ufffd"), back["uri"])
	assert.Equal(t, []any{1.0, 2.0}, back["what-is-new"], "what this version does not know")
}

func TestLogsFilter(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var r recentRequests
		r.add(map[string]any{"status": 404, "host": "Shop.example:8080", "uri": "/a.css"})
		r.add(map[string]any{"status": 500, "action": "fail", "reason": "origin-invalid"})
		r.add(map[string]any{"status": 503, "refused": "no-store", "uri": "/b.css?x"})
		r.add(map[string]any{"host": "other.example", "uri": "/b.css"})
		var answer map[string]any
		assert.NoError(t, r.get(q.Context(), q.URL.Query(), &answer))
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(answer))
	}))
	defer s.Close()
	for args, want := range map[string]string{
		"":                             "404 500 503 200",
		"-n 2":                         "503 200",
		"-n 0":                         "",
		"--status 404":                 "404",
		"--status 5xx":                 "500 503",
		"--status 404,501-599":         "404 503",
		"--action fail":                "500",
		"--reason origin-invalid":      "500",
		"--reason no-store":            "503",
		"--host SHOP.EXAMPLE":          "404 500 503",
		"--url *.css":                  "404 200",
		"--url shop.example/b*":        "503",
		"--url *.css* --status 5xx":    "503",
		"--status 2xx --action fail":   "",
		"--host other.example -n 1":    "200",
		"--lines 1 --status 400-499":   "404",
		"--status 5xx --lines 1":       "503",
		"--host shop.example --url no": "",
	} {
		t.Run(args, func(t *testing.T) {
			code, stdout, stderr := command(t.Context(), nil, append([]string{"logs", "--admin", s.Listener.Addr().String()}, strings.Fields(args)...)...)
			require.Zero(t, code, stderr)
			var got []string
			for row := range strings.Lines(stdout) {
				got = append(got, strings.Fields(row)[1])
			}
			assert.Equal(t, want, strings.Join(got, " "))
		})
	}
}

func TestLogsRefusesWhatItCannotDo(t *testing.T) {
	for args, want := range map[string]string{
		"--status 5x":      `--status: "5x" is not understood; write 404, 5xx or 500-599`,
		"--status 500-400": "is not understood",
		"--status -1":      "is not understood",
		"--status 55xx":    "is not understood",
		"--status 5xx-6xx": "is not understood",
		"--status 200,":    "is not understood",
		"--action hit":     `--action: "hit" is not one of pass, serve, serve-stale, validate, fetch, fail`,
		"--reason because": `--reason: "because" is no reason; docs/reasons.md lists them`,
		"-n 1001":          "-n: 1001 is out of range; use 0 to 1000",
		"extra":            `unknown command "extra"`,
	} {
		code, stdout, stderr := command(t.Context(), nil, append([]string{"logs"}, strings.Fields(args)...)...)
		assert.Equal(t, exitUsage, code, args)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, want)
	}
}

// following runs logs -f in a bubble; the result is the targets that were shown.
func following(t *testing.T, r *recentRequests, filter logFilter, play func()) (shown, notes string) {
	synctest.Test(t, func(t *testing.T) {
		var out, said bytes.Buffer
		l := logs{get: r.get, out: &out, notes: &said, follow: true, count: 2, filter: filter}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.run(ctx) }()
		synctest.Wait()
		play()
		cancel()
		require.NoError(t, <-done)
		var targets []string
		for row := range strings.Lines(out.String()) {
			targets = append(targets, strings.TrimPrefix(row[strings.Index(row, "shop.example")+len("shop.example/"):], "/"))
		}
		shown, notes = strings.ReplaceAll(strings.Join(targets, " "), "\n", ""), said.String()
	})
	return shown, notes
}

// second lets a look at the proxy pass.
func second() { time.Sleep(followTime); synctest.Wait() }

func TestLogsFollows(t *testing.T) {
	var r recentRequests
	for range 3 {
		r.add(nil)
	}
	shown, notes := following(t, &r, logFilter{}, func() {
		second()
		r.add(nil)
		r.add(nil)
		second()
		r.fail(errors.New("no answer"))
		second()
		second()
		r.fail(nil)
		r.add(nil)
		second()
		second()
	})
	assert.Equal(t, "2 3 4 5 6", shown)
	assert.Equal(t, "cacheproxy: logs: no answer; trying on\n", notes)
}

// Of a busy second nothing is left out that the proxy has kept.
func TestLogsAsksForAllWhenFewDoNotReach(t *testing.T) {
	var r recentRequests
	r.add(nil)
	shown, _ := following(t, &r, logFilter{}, func() {
		for range 600 {
			r.add(nil)
		}
		second()
		r.add(nil)
		second()
	})
	assert.Len(t, strings.Fields(shown), 602)
	var limits []string
	for _, q := range r.asks {
		limits = append(limits, q.Get("limit"))
	}
	assert.Equal(t, []string{"1000", "250", "1000", "250"}, limits)
}

// A proxy that was started anew counts from one again.
func TestLogsFollowsARestart(t *testing.T) {
	var r recentRequests
	for range 5 {
		r.add(nil)
	}
	shown, _ := following(t, &r, logFilter{}, func() {
		second()
		r.restart()
		second()
		r.add(map[string]any{"uri": "/anew"})
		second()
		r.add(map[string]any{"uri": "/more"})
		second()
	})
	assert.Equal(t, "4 5 anew more", shown)
}

func TestLogsEndsWhenTheProxyDoesNotOfferIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recentRequests
		var out bytes.Buffer
		l := logs{get: r.get, out: &out, notes: &out, follow: true}
		done := make(chan error, 1)
		go func() { done <- l.run(t.Context()) }()
		synctest.Wait()
		r.fail(errNotOffered)
		second()
		require.ErrorIs(t, <-done, errNotOffered)
	})
}
