package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/vt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeInsight answers as the admin listener of a proxy does.
func fakeInsight(t *testing.T, rounds *atomic.Int64) *adminClient {
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
	mux.HandleFunc("/api/overview", func(w http.ResponseWriter, _ *http.Request) {
		rounds.Add(1)
		reply(w, `{"uptime_s": 11520, "offers": ["upstreams"],
			"now": {"serve": 1100, "serve-stale": 3, "validate": 20.4, "fetch": 90, "pass": 20, "fail": 0.5, "hit_ratio": 0.942,
				"2xx": 1200, "3xx": 7, "4xx": 3, "5xx": 0.5, "store_entries": 12345, "store_bytes": 125829120, "store_limit": 268435456,
				"store_evicted": 17, "origin_p50": null},
			"windows": {"5m": {"hit_ratio": 0.93, "byte_hit_ratio": 0.881}, "1h": {"hit_ratio": null},
				"total": {"saved_requests": 1234567, "saved_origin_s": 11520.5}},
			"latency": {"hit": {"p50": 0.05, "p99": 2.31}, "miss": {"p50": 12, "p99": 1800}, "origin": {}},
			"levels": {"client": {"availability": 0.99987, "budget_left": -0.25, "alert": "page"}, "client_errors": {"spike": true}}}`)
	})
	mux.HandleFunc("/api/top", func(w http.ResponseWriter, r *http.Request) {
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		assert.NoError(t, err)
		var urls []string
		for i := range min(limit, 50) {
			name, _ := json.Marshal(fmt.Sprintf("%s.example/%d", r.URL.Query().Get("by"), i))
			if i == 1 {
				name, _ = json.Marshal("evil.example" + hostile)
			}
			urls = append(urls, fmt.Sprintf(`{"url": %s, "requests": %d, "misses": 3, "bytes": 1234567, "origin_ms": 42.4,
				"reasons": [{"reason": "uri-miss", "count": 2}, {"reason": "no-store", "count": 1}]}`, name, 1000-i))
		}
		reply(w, `{"since": "2026-01-02T03:04:05Z", "urls": [`+strings.Join(urls, ",")+`]}`)
	})
	mux.HandleFunc("/api/upstreams", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, `{"targets": [
			{"url": "http://10.0.0.1:3000", "state": "up", "up": true, "in_flight": 3, "limit": 100, "requests": 12345, "retries": 2},
			{"url": "http://10.0.0.2:3000", "state": "open", "up": false, "limit": 100, "queued": 1, "requests": 99, "ejections": 4}]}`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return &adminClient{addr: s.Listener.Addr().String(), http: s.Client()}
}

func TestTopOnce(t *testing.T) {
	c := fakeInsight(t, new(atomic.Int64))
	code, stdout, stderr := command(t.Context(), nil, "top", "--admin", c.addr, "--once", "--by", "misses", "-n", "2")
	require.Zero(t, code, stderr)
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Local().Format("15:04")
	want := `cacheproxy ` + c.addr + `  up 3h12m
requests  1234/s  serve 1100  serve-stale 3  fetch 90  validate 20  pass 20  fail 0.5
hit ratio 94.2%  5m 93.0%  1h -  bytes 5m 88.1%  saved 1.2M, 3h12m of origin
latency   hit 0.05 ms / 2.3 ms  miss 12 ms / 1.8 s  origin - / -  (p50 / p99)
answers/s 2xx 1200  3xx 7  4xx 3  5xx 0.5  page  4xx spike  available 99.987%  budget -25.0%
store     12.3k objects  120.0 MiB of 256.0 MiB  46.9%  evicted 17
origin    open      http://10.0.0.2:3000  busy 0/100  requests 99  queued 1  ejections 4
origin    up        http://10.0.0.1:3000  busy 3/100  requests 12.3k  retries 2

URLs by misses  since ` + since + `
REQUESTS   MISSES     BYTES   ORIGIN  WHY MISSED                  URL
    1000        3   1.2 MiB    42 ms  uri-miss +1                 misses.example/0
     999        3   1.2 MiB    42 ms  uri-miss +1                 evil.example` + inert(strings.ToValidUTF8(hostile, "\ufffd")) + "\n"
	assert.Equal(t, want, stdout)
	assertInert(t, strings.ReplaceAll(stdout, "\n", ""))
}

func TestTopRefusesWhatItCannotDo(t *testing.T) {
	for want, args := range map[string][]string{
		`--by: "hits" is not one of requests, misses, bytes, origin_time`: {"--by", "hits"},
		"--interval: 1ms is out of range; use 100ms to 1h":                {"--interval", "1ms"},
		"-n: 0 is out of range":                                           {"-n", "0"},
		`unknown command "x"`:                                             {"x"},
	} {
		code, stdout, stderr := command(t.Context(), nil, append([]string{"top"}, args...)...)
		assert.Equal(t, exitUsage, code)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, want)
	}
	code, _, stderr := command(t.Context(), nil, "top", "--admin", "127.0.0.1:1")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "top: no answer from 127.0.0.1:1")
}

// Every screen fits its terminal, whatever its size, and shows the keys.
func TestTopFits(t *testing.T) {
	f, err := gather(t.Context(), fakeInsight(t, new(atomic.Int64)), 0, 50)
	require.NoError(t, err)
	for range 9 {
		f.targets = append(f.targets, f.targets[1])
	}
	for _, width := range []int{20, 40, 80, 200} {
		for _, height := range []int{1, 5, 24, 60} {
			for _, help := range []bool{false, true} {
				v := view{addr: "127.0.0.1:8081", every: time.Second, width: width, height: height, help: help}
				all := v.lines(f)
				assert.LessOrEqual(t, len(all), height)
				if !help {
					assert.Contains(t, all[len(all)-1].String(), "q quit")
				}
			}
		}
	}
	v := view{width: 80, height: 24}
	all := v.lines(f)
	urls := 0
	for _, l := range all {
		if strings.Contains(l.String(), ".example/") {
			urls++
		}
	}
	assert.Equal(t, 24-6-mostOrigins-3-1, urls, "what is left beside the summary, origins, heads and keys")
	for _, l := range helpLines() {
		assert.LessOrEqual(t, utf8.RuneCountInString(l.String()), 80)
	}
	assert.LessOrEqual(t, len(helpLines()), 24)
	for _, l := range append([]line{v.head(), v.rankingLine(f), v.footer(f)[0]}, all[:3]...) {
		assert.LessOrEqual(t, utf8.RuneCountInString(l.String()), 90, l.String())
	}
	v.failed = errors.New("no answer\x1b[2J")
	assert.Contains(t, v.footer(f)[0].String(), `no answer\x1b[2J`)
}

// terminal is an emulated one, with top running in it.
type terminal struct {
	t    *testing.T
	vt   vt.MockTerm
	done chan error
}

func openTop(t *testing.T, width, height int, every time.Duration, rounds *atomic.Int64) *terminal {
	t.Setenv("LC_ALL", "C.UTF-8")
	c := fakeInsight(t, rounds)
	first, err := gather(t.Context(), c, 0, 50)
	require.NoError(t, err)
	term := &terminal{t: t, vt: vt.NewMockTerm(vt.MockOptSize{X: vt.Col(width), Y: vt.Row(height)}), done: make(chan error, 1)}
	screen, err := tcell.NewTerminfoScreenFromTty(term.vt)
	require.NoError(t, err)
	m := &monitor{
		screen: screen, shown: first, view: view{addr: "proxy", every: every},
		gather: func(ctx context.Context, ranking, urls int) (*figures, error) { return gather(ctx, c, ranking, urls) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { term.done <- m.run(ctx) }()
	return term
}

// text is the screen.
func (term *terminal) text() string {
	var b strings.Builder
	size, err := term.vt.WindowSize()
	require.NoError(term.t, err)
	for y := range size.Height {
		row := ""
		for x := range size.Width {
			c := term.vt.GetCell(vt.Coord{X: vt.Col(x), Y: vt.Row(y)}).C
			if c == "" {
				c = " "
			}
			row += c
		}
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	return b.String()
}

// shows waits until the screen holds a text, or not any more.
func (term *terminal) shows(want string, is bool) {
	term.t.Helper()
	require.Eventually(term.t, func() bool { return strings.Contains(term.text(), want) == is }, 10*time.Second, 5*time.Millisecond, want)
}

func (term *terminal) keys(s string) { term.vt.SendRaw([]byte(s)) }

func (term *terminal) ends() {
	term.t.Helper()
	select {
	case err := <-term.done:
		require.NoError(term.t, err)
	case <-time.After(10 * time.Second):
		term.t.Fatal("top does not end")
	}
}

func TestTopOnATerminal(t *testing.T) {
	var rounds atomic.Int64
	term := openTop(t, 80, 24, time.Hour, &rounds)
	term.shows("requests.example/0", true)
	term.shows("q quit", true)
	for _, text := range []string{"up 3h12m", "requests  1234/s", "hit ratio 94.2%", "store     12.3k objects", `evil.example/\x1b`, "10.0.0.2"} {
		term.shows(text, true)
	}
	t.Log("\n" + term.text())
	assert.NotContains(t, term.vt.GetTitle(), "owned")

	for _, i := range []int{1, 2, 3, 0} {
		term.keys(strconv.Itoa(i + 1))
		term.shows(rankings[i].name+".example/0", true)
	}
	term.keys("s")
	term.shows("misses.example/0", true)
	term.keys("\t")
	term.shows("bytes.example/0", true)

	term.keys("h")
	term.shows("rank URLs by", true)
	term.keys("?")
	term.shows("bytes.example/0", true)

	term.keys("p")
	term.shows("PAUSED", true)
	term.keys(" ")
	term.shows("PAUSED", false)
	term.keys("-")
	term.shows("every 1m0s", true)

	term.vt.SetSize(vt.Coord{X: 120, Y: 40})
	term.shows("bytes.example/20", true)
	term.vt.SetSize(vt.Coord{X: 40, Y: 12})
	term.shows("bytes.example/5", false)
	term.shows("q quit", true)
	term.keys("q")
	term.ends()
}

func TestTopShowsNewFiguresUnlessPaused(t *testing.T) {
	var rounds atomic.Int64
	term := openTop(t, 80, 24, 20*time.Millisecond, &rounds)
	require.Eventually(t, func() bool { return rounds.Load() >= 5 }, 10*time.Second, time.Millisecond)
	term.keys("p")
	term.shows("PAUSED", true)
	var before int64
	require.Eventually(t, func() bool { // what was on its way arrives
		last := before
		before = rounds.Load()
		return last == before
	}, 10*time.Second, 200*time.Millisecond)
	term.keys("p")
	require.Eventually(t, func() bool { return rounds.Load() > before+3 }, 10*time.Second, time.Millisecond)
	term.keys("\x03")
	term.ends()
}

func TestUnits(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", 0.25: "0.2", 3: "3", 9.97: "10", 999: "999", 9999: "9999", 9999.7: "10.0k", 12345: "12.3k", 999_960: "1.0M", 1e12: "1.0T", -1: "-",
	} {
		assert.Equal(t, want, amount(n), n)
	}
	for n, want := range map[float64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 1048575: "1.0 MiB", 5e12: "4.5 TiB"} {
		assert.Equal(t, want, binary(n), n)
	}
	for ms, want := range map[float64]string{0: "0", 0.051: "0.051 ms", 9.94: "9.9 ms", 12.4: "12 ms", 999.6: "1.0 s", 61_000: "1m1s", 90_000_000: "1d1h"} {
		assert.Equal(t, want, millis(&ms), ms)
	}
	almost, all := 0.999999, 1.0
	assert.Equal(t, "99.999%", exact(&almost))
	assert.Equal(t, "100%", exact(&all))
	assert.Equal(t, "-", exact(nil))
	assert.Equal(t, "abc~", cut("abcdef", 4))
	assert.Equal(t, "äöü", cut("äöü", 3))
}
