package simulate

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/bench/trace"
)

func get(host, target string, size int64) trace.Request {
	return trace.Request{Method: "GET", Host: host, Target: target, Status: 200, Size: size}
}

func with(r trace.Request, change func(*trace.Request)) trace.Request {
	change(&r)
	return r
}

func status(status int, r trace.Request) trace.Request {
	return with(r, func(r *trace.Request) { r.Status = status })
}

func method(name string, r trace.Request) trace.Request {
	return with(r, func(r *trace.Request) { r.Method = name })
}

func sequence(t *testing.T, requests ...trace.Request) *Sequence {
	t.Helper()
	b := NewBuilder()
	for _, r := range requests {
		require.NoError(t, b.Add(r))
	}
	return b.Sequence()
}

// objects are the places of the objects that are asked for, in order.
func (s *Sequence) objects() (list []int) {
	for _, a := range s.Accesses {
		list = append(list, int(a.Object))
	}
	return list
}

func TestObjects(t *testing.T) {
	a := get("x", "/a", 5)
	for _, tc := range []struct {
		name     string
		requests []trace.Request
		want     []int
		sizes    []int64
	}{
		{"the same URL", []trace.Request{a, a, get("x", "/b", 6), a}, []int{0, 0, 1, 0}, []int64{5, 6}},
		{"other hosts, targets and queries", []trace.Request{a, get("y", "/a", 5), get("x", "/a?", 5), get("x", "/A", 5)}, []int{0, 1, 2, 3}, []int64{5, 5, 5, 5}},
		{"spellings of a host", []trace.Request{a, get("X", "/a", 5), get("x.", "/a", 5), get("x:80", "/a", 5), get("x:81", "/a", 5)}, []int{0, 0, 0, 0, 1}, []int64{5, 5}},
		{"a new size is a new version", []trace.Request{a, get("x", "/a", 6), a}, []int{0, 1, 0}, []int64{5, 6}},
		{"HEAD, 206 and 304 show no size", []trace.Request{a, method("HEAD", get("x", "/a", 0)), status(206, get("x", "/a", 1)), status(304, get("x", "/a", 0))}, []int{0, 0, 0, 0}, []int64{5}},
		{"they are for the latest version", []trace.Request{a, get("x", "/a", 6), status(304, get("x", "/a", 0)), a, status(304, get("x", "/a", 0))}, []int{0, 1, 1, 0, 0}, []int64{5, 6}},
		{"or for the first that comes", []trace.Request{status(304, get("x", "/a", 0)), status(206, get("x", "/a", 2)), a, get("x", "/a", 6)}, []int{0, 0, 0, 1}, []int64{5, 6}},
		{"or have the size of the largest part", []trace.Request{status(206, get("x", "/a", 2)), status(206, get("x", "/a", 3)), status(304, get("x", "/b", 0))}, []int{0, 0, 1}, []int64{3, 0}},
		{"of a trace", []trace.Request{{Method: "GET", Target: "/o/1-5", Size: 5}, {Method: "GET", Target: "/o/2-5", Size: 5}, {Method: "GET", Target: "/o/1-5", Size: 5}}, []int{0, 1, 0}, []int64{5, 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sequence(t, tc.requests...)
			assert.Equal(t, tc.want, s.objects())
			var sizes []int64
			for _, o := range s.Objects {
				sizes = append(sizes, o.Size)
			}
			assert.Equal(t, tc.sizes, sizes)
		})
	}
}

func TestWhatCounts(t *testing.T) {
	for _, code := range []int{0, 200, 203, 204, 206, 300, 301, 304, 404, 410} {
		assert.Len(t, sequence(t, status(code, get("x", "/", 5))).Accesses, 1, code)
	}
	for _, code := range []int{100, 201, 302, 303, 307, 308, 400, 401, 403, 405, 412, 416, 429, 499, 500, 502, 503, 504, 999} {
		s := sequence(t, status(code, get("x", "/", 5)))
		assert.Empty(t, s.Accesses, code)
		assert.Equal(t, Left{Status: 1, Bytes: 5}, s.Left, code)
	}
	s := sequence(t, method("POST", get("x", "/", 5)), method("PURGE", status(404, get("x", "/", 1))),
		with(get("x", "/", 7), func(r *trace.Request) { r.Private = true }), get("x", "/", 9))
	assert.Equal(t, Left{Method: 2, Private: 1, Bytes: 13}, s.Left)
	assert.Equal(t, int64(3), s.Left.Requests())
	assert.Len(t, s.Accesses, 1)
}

func TestSums(t *testing.T) {
	s := sequence(t, get("example.com", "/a", 5), get("example.com", "/b", 0), get("example.com", "/a", 5))
	assert.Equal(t, int64(5), s.Footprint())
	assert.Equal(t, 1, s.OnceOnly())
	assert.Equal(t, []int64{5, 1}, s.Sizes(), "nothing costs nothing")
	key := int64(len("example.com/a"))
	assert.Equal(t, []int64{5 + key + 100, key + 100}, s.Costs(100))
}

// broken gives one request and then an error.
type broken struct{ given bool }

func (b *broken) Next() (trace.Request, error) {
	if b.given {
		return trace.Request{}, errors.New("disk on fire")
	}
	b.given = true
	return get("x", "/", 5), nil
}

func TestRead(t *testing.T) {
	b := NewBuilder()
	for range 2 { // one log after the other
		r, err := trace.NewReader("t", strings.NewReader("1 5\n2 6\n1 5\n"))
		require.NoError(t, err)
		require.NoError(t, b.Read(r, nil))
	}
	assert.ErrorContains(t, b.Read(&broken{}, nil), "disk on fire")
	assert.Equal(t, []int{0, 1, 0, 0, 1, 0, 2}, b.Sequence().objects())

	calls := 0
	require.NoError(t, NewBuilder().Read(&repeated{left: 200_000}, func(n int) {
		calls++
		assert.Equal(t, calls<<16, n)
	}))
	assert.Equal(t, 200_000>>16, calls)
}

type repeated struct{ left int }

func (r *repeated) Next() (trace.Request, error) {
	if r.left == 0 {
		return trace.Request{}, io.EOF
	}
	r.left--
	return get("x", "/", 5), nil
}
