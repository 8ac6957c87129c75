package workload

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/testorigin"
	"cacheproxy/bench/trace"
)

// lines are what a trace holds.
type lines []trace.Request

func (l *lines) Next() (trace.Request, error) {
	if len(*l) == 0 {
		return trace.Request{}, io.EOF
	}
	r := (*l)[0]
	*l = (*l)[1:]
	return r, nil
}

func get(target string, status int, size int64) trace.Request {
	return trace.Request{Method: "GET", Target: target, Status: status, Size: size}
}

// replay is the workload of some lines.
func replay(t *testing.T, loop bool, l ...trace.Request) *Trace {
	in := lines(l)
	out, err := FromTrace(&in, loop)
	require.NoError(t, err)
	return out
}

func all(w *Trace) (out []Request) {
	for {
		r, more := w.Next()
		if !more {
			return out
		}
		out = append(out, r)
	}
}

func TestFromTraceOfIDs(t *testing.T) {
	in, err := trace.NewReader("test", strings.NewReader("7 100\n8 20\n7 100\n"))
	require.NoError(t, err)
	w, err := FromTrace(in, false)
	require.NoError(t, err)
	seven := Request{Method: "GET", Target: "/o/7-100", Size: 100, Object: testorigin.Identify("", "/o/7-100", "")}
	eight := Request{Method: "GET", Target: "/o/8-20", Size: 20, Object: testorigin.Identify("", "/o/8-20", "")}
	assert.Equal(t, 3, w.Len())
	assert.Equal(t, 2, w.Objects())
	assert.Equal(t, int64(120), w.Footprint())
	assert.Equal(t, []Request{seven, eight, seven}, all(w))
	_, more := w.Next()
	assert.False(t, more, "it has ended for good")
}

func TestFromTraceLoops(t *testing.T) {
	w := replay(t, true, get("/a", 200, 1), get("/b", 200, 2))
	var seen []string
	for range 5 {
		r, more := w.Next()
		require.True(t, more)
		seen = append(seen, r.Target)
	}
	assert.Equal(t, []string{"/a", "/b", "/a", "/b", "/a"}, seen)
}

func TestFromTraceTellsTheOrigin(t *testing.T) {
	a := trace.Request{Method: "GET", Host: "a.example", Target: "/x?q=1", Status: 200, Size: 5}
	b, private := a, a
	b.Host = "b.example"
	private.Target, private.Private = "/me", true
	head := a
	head.Method, head.Size = "HEAD", 0
	rs := all(replay(t, false, a, b, private, head))
	require.Len(t, rs, 4)
	assert.Equal(t, Request{
		Method: "GET", Host: "a.example", Target: "/x?q=1", Size: 5,
		Header: []Field{{"Bench-Size", "5"}, {"Bench-Host", "a.example"}},
		Object: testorigin.Identify("a.example", "/x?q=1", ""),
	}, rs[0])
	assert.NotEqual(t, rs[0].Object, rs[1].Object, "the same target of another host is another object")
	assert.Equal(t, []Field{{"Bench-Size", "5"}, {"Bench-Host", "a.example"}, {"Bench-Private", "1"}}, rs[2].Header)
	assert.Equal(t, "HEAD", rs[3].Method)
	assert.Equal(t, rs[0].Object, rs[3].Object)
	assert.Equal(t, int64(5), rs[3].Size)
}

func TestPlainTraceTellsNothing(t *testing.T) {
	line := trace.Request{Method: "GET", Host: "a.example", Target: "/me", Status: 200, Size: 5, Private: true}
	told, plain := replay(t, false, line), replay(t, false, line)
	plain.Plain()
	want := all(told)
	require.NotEmpty(t, want[0].Header)
	want[0].Header = nil
	assert.Equal(t, want, all(plain), "nothing else changes")
}

func TestFromTraceSizes(t *testing.T) {
	head := trace.Request{Method: "HEAD", Target: "/a", Status: 200}
	for _, tc := range []struct {
		name string
		in   []trace.Request
		want int64
	}{
		{"an answer", []trace.Request{get("/a", 200, 7)}, 7},
		{"a trace without status", []trace.Request{get("/a", 0, 7)}, 7},
		{"the client had it first", []trace.Request{get("/a", 304, 0), head, get("/a", 200, 7)}, 7},
		{"the client had it later", []trace.Request{get("/a", 200, 7), head, get("/a", 304, 0)}, 7},
		{"it grew", []trace.Request{get("/a", 200, 7), get("/a", 200, 9), get("/a", 200, 8)}, 9},
		{"parts and the whole", []trace.Request{get("/a", 206, 900), get("/a", 200, 7), get("/a", 206, 900)}, 7},
		{"parts only", []trace.Request{get("/a", 206, 3), get("/a", 206, 9), get("/a", 206, 4)}, 9},
		{"nothing known", []trace.Request{get("/a", 304, 0)}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, r := range all(replay(t, false, tc.in...)) {
				assert.Equal(t, tc.want, r.Size)
			}
		})
	}
}

func TestFromTraceLeavesOut(t *testing.T) {
	for name, out := range map[string]trace.Request{
		"POST":                   {Method: "POST", Target: "/a", Status: 200},
		"DELETE":                 {Method: "DELETE", Target: "/a"},
		"an error of the client": get("/a", 403, 1),
		"an error of the server": get("/a", 502, 1),
		"a dot segment":          get("/a/../b", 200, 1),
		"an encoded one":         get("/a/%2e%2e/b", 200, 1),
		"an empty segment":       get("/a//b", 200, 1),
		"no valid encoding":      get("/a%zz", 200, 1),
		"a bar":                  get("/a|b", 200, 1),
		"no path":                get("*", 200, 1),
		"a host":                 get("//host/a", 200, 1),
	} {
		t.Run(name, func(t *testing.T) {
			w := replay(t, false, get("/fine", 200, 1), out)
			assert.Equal(t, 1, w.Len())
			assert.Equal(t, 1, w.LeftOut())
		})
	}
	kept := replay(t, false, get("/a", 404, 1), get("/b", 410, 1), get("/c", 301, 1), get("/d%20e?x=%2F", 200, 1), get("/.well-known/f/", 200, 1), get("/", 200, 1))
	assert.Equal(t, 6, kept.Len())
	assert.Zero(t, kept.LeftOut())
}

type broken struct{}

func (broken) Next() (trace.Request, error) { return trace.Request{}, errors.New("disk is gone") }

func TestFromTraceRefuses(t *testing.T) {
	_, err := FromTrace(&lines{{Method: "POST", Target: "/a"}}, false)
	assert.EqualError(t, err, "workload: the trace has no request that can be sent again (1 left out)")
	_, err = FromTrace(broken{}, false)
	assert.EqualError(t, err, "workload: disk is gone")
}
