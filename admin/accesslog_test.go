package admin

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// sink is an output that may be read while it is written.
type sink struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

func (s *sink) lines() int { return strings.Count(s.String(), "\n") }

func newLog(t *testing.T, o LogOptions) *Log {
	t.Helper()
	l, err := NewLog(o)
	require.NoError(t, err)
	return l
}

// logged is what a log in mode full makes of outcomes.
func logged(t *testing.T, format string, outcomes ...*proxy.Outcome) string {
	t.Helper()
	var out sink
	l := newLog(t, LogOptions{Mode: "full", Format: format, Output: &out})
	for _, o := range outcomes {
		l.Observe(o)
	}
	require.NoError(t, l.Close())
	assert.Zero(t, l.Dropped())
	return out.String()
}

// ofEachKind are outcomes that differ in what the formats show.
func ofEachKind() []*proxy.Outcome {
	return []*proxy.Outcome{
		hit(),
		miss(),
		with(miss(), func(o *proxy.Outcome) {
			o.Stored, o.Refused, o.Collapsed, o.Remote, o.Proto = false, policy.SetCookie, true, "[2001:db8::1]:443", "HTTP/2.0"
		}),
		with(hit(), func(o *proxy.Outcome) {
			o.Action, o.Reason, o.Status, o.Aborted = policy.Fail, policy.ClientGone, proxy.StatusClientGone, true
			o.Bytes, o.FromCache, o.Route, o.Referer, o.UserAgent = 0, 0, "", "", ""
		}),
		with(hit(), func(o *proxy.Outcome) {
			o.URI, o.UserAgent, o.Referer = "/\x01\"\\\u00e9", "a\r\nb\t\x7f\xff", "\" 200 0 \"-\" \"-\"\n127.0.0.1 - -"
		}),
	}
}

func TestFormats(t *testing.T) {
	for _, format := range []string{"json", "combined"} {
		t.Run(format, func(t *testing.T) {
			got := logged(t, format, ofEachKind()...)
			file := filepath.Join("testdata", format+".log")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

func TestJSONKeys(t *testing.T) {
	line := logged(t, "json", with(miss(), func(o *proxy.Outcome) { o.Target, o.Error = "10.0.0.1:80", "http_response_incomplete" }))
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(line), &got))
	assert.Equal(t, map[string]any{
		"time": "2024-02-29T12:14:15.16Z", "method": "GET", "host": "example.com", "uri": "/a?b=c",
		"status": 200., "status_from": "origin", "bytes": 1024., "duration_ms": 80., "origin_ms": 60.,
		"action": "fetch", "reason": "uri-miss", "refused": "", "cache": "MISS", "collapsed": false, "aborted": false,
		"route": "site", "target": "10.0.0.1:80", "error": "http_response_incomplete", "remote": "192.0.2.7:41000", "request_id": "4bf92f35",
		"user_agent": "curl/8.5.0", "referer": "https://example.com/",
	}, got)
}

// What a client sends must not end a line or a field, whatever the bytes.
func TestNoInjection(t *testing.T) {
	var every strings.Builder
	for c := range 256 {
		every.WriteByte(byte(c))
	}
	bad := every.String() + "\u2028\u202e" + `"}` + "\n{\"status\":200}\n"
	for _, format := range []string{"json", "combined"} {
		t.Run(format, func(t *testing.T) {
			line := logged(t, format, with(hit(), func(o *proxy.Outcome) {
				o.Method, o.Host, o.URI, o.Proto, o.Remote = bad, bad, bad, bad, bad
				o.RequestID, o.Referer, o.UserAgent, o.Route = bad, bad, bad, bad
				o.Target, o.Error = bad, bad
			}))
			assert.Equal(t, 1, strings.Count(line, "\n"))
			for _, c := range strings.TrimSuffix(line, "\n") {
				assert.True(t, c >= ' ' && c != 0x7f || format == "json" && c == 0x7f, "control character %q", c)
			}
			if format == "json" {
				assert.True(t, json.Valid([]byte(line)))
				return
			}
			assert.Equal(t, 8, strings.Count(line, `"`), "only the quotes of the four fields")
			assert.True(t, strings.HasSuffix(line, " \"serve/fresh\"\n"), line)
		})
	}
}

func TestLogOptions(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    LogOptions
		want string // part of the error; empty for none
	}{
		{"full", LogOptions{Mode: "full", Format: "json", Output: io.Discard}, ""},
		{"sampled", LogOptions{Mode: "sampled", Format: "combined", Sample: 1, Output: io.Discard}, ""},
		{"off needs nothing", LogOptions{Mode: "off"}, ""},
		{"mode", LogOptions{Mode: "some", Format: "json", Output: io.Discard}, `mode "some": give off, sampled or full`},
		{"no mode", LogOptions{Format: "json", Output: io.Discard}, `mode ""`},
		{"format", LogOptions{Mode: "full", Format: "xml", Output: io.Discard}, `format "xml": give json or combined`},
		{"sample", LogOptions{Mode: "sampled", Format: "json", Output: io.Discard}, "sample is 0"},
		{"negative sample", LogOptions{Mode: "sampled", Format: "json", Sample: -5, Output: io.Discard}, "sample is -5"},
		{"no output", LogOptions{Mode: "full", Format: "json"}, "no output"},
		{"lines", LogOptions{Mode: "full", Format: "json", Output: io.Discard, Lines: -1}, "lines is -1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := NewLog(tc.o)
			if tc.want == "" {
				require.NoError(t, err)
				assert.NoError(t, l.Close())
				return
			}
			assert.ErrorContains(t, err, "access log: ")
			assert.ErrorContains(t, err, tc.want)
			assert.Nil(t, l)
		})
	}
}

func TestOffCostsNothing(t *testing.T) {
	l := newLog(t, LogOptions{Mode: "off"})
	require.Nil(t, l)
	o := hit()
	assert.Zero(t, testing.AllocsPerRun(100, func() { l.Observe(o) }))
	assert.Zero(t, l.Dropped())
	assert.NoError(t, l.Close())
}

func TestSampled(t *testing.T) {
	var out sink
	l := newLog(t, LogOptions{Mode: "sampled", Format: "combined", Sample: 10, Output: &out})
	status := func(s int) *proxy.Outcome { return with(miss(), func(o *proxy.Outcome) { o.Status = s }) }
	for range 100 {
		l.Observe(status(200))
	}
	for range 9 { // of the 101st to the 109th request only the first is due
		l.Observe(status(404))
	}
	for _, s := range []int{500, 502, 504, 504} { // the first of them is not due, nor are the others
		l.Observe(status(s))
	}
	l.Observe(with(miss(), func(o *proxy.Outcome) { o.Status, o.Aborted = 206, true }))
	require.NoError(t, l.Close())
	got := map[string]int{}
	for line := range strings.Lines(out.String()) {
		got[strings.Fields(line)[8]]++
	}
	assert.Equal(t, map[string]int{"200": 10, "404": 1, "500": 1, "502": 1, "504": 2, "206": 1}, got)
}

func TestSampleOfOneIsFull(t *testing.T) {
	var out sink
	l := newLog(t, LogOptions{Mode: "sampled", Format: "json", Sample: 1, Output: &out})
	for range 7 {
		l.Observe(hit())
	}
	require.NoError(t, l.Close())
	assert.Equal(t, 7, out.lines())
}

func TestNotDueCostsNoAllocation(t *testing.T) {
	l := newLog(t, LogOptions{Mode: "sampled", Format: "json", Sample: 1 << 30, Output: io.Discard})
	defer l.Close()
	o := hit()
	l.Observe(o)
	assert.Zero(t, testing.AllocsPerRun(100, func() { l.Observe(o) }))
}

func TestTheOutcomeIsNotKept(t *testing.T) {
	for _, format := range []string{"json", "combined"} {
		var out sink
		l := newLog(t, LogOptions{Mode: "full", Format: format, Output: &out})
		o := hit()
		l.Observe(o)
		*o = proxy.Outcome{URI: "/of-another-request"}
		require.NoError(t, l.Close())
		assert.Contains(t, out.String(), "/a?b=c")
		assert.NotContains(t, out.String(), "/of-another-request")
	}
}

func BenchmarkLog(b *testing.B) {
	for _, format := range []string{"json", "combined"} {
		b.Run(format, func(b *testing.B) {
			l, err := NewLog(LogOptions{Mode: "full", Format: format, Output: io.Discard})
			require.NoError(b, err)
			defer l.Close()
			o := hit()
			b.ReportAllocs()
			for b.Loop() {
				l.Observe(o)
			}
		})
	}
}
