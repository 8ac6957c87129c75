package policy

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// held makes a stored 206 with the given parts.
func held(t *testing.T, length int64, list ...ByteRange) *Stored {
	t.Helper()
	s := stored(t, 206, `Cache-Control: max-age=60 | ETag: "a" | Content-Range: bytes 0-0/1`)
	s.Partial = &Partial{Held: list, Length: length}
	return s
}

// RFC 9110, 14.4.
func TestParseContentRange(t *testing.T) {
	for _, tc := range []struct {
		name   string
		lines  []string
		want   ByteRange
		length int64
		ok     bool
	}{
		{"9110 14.4 complete", []string{"bytes 0-9/20"}, ByteRange{0, 9}, 20, true},
		{"9110 14.4 the length is not known", []string{"bytes 5-9/*"}, ByteRange{5, 9}, -1, true},
		{"9110 14.4 to the end", []string{"bytes 5-9/10"}, ByteRange{5, 9}, 10, true},
		{"9110 14.4 beyond the length", []string{"bytes 5-10/10"}, ByteRange{}, 0, false},
		{"9110 14.4 last before first", []string{"bytes 5-4/10"}, ByteRange{}, 0, false},
		{"9110 14.4 unsatisfied", []string{"bytes */10"}, ByteRange{}, 0, false},
		{"9110 14.4 another unit", []string{"lines 0-9/20"}, ByteRange{}, 0, false},
		{"9110 14.4 an equals sign", []string{"bytes=0-9/20"}, ByteRange{}, 0, false},
		{"9110 14.4 no length", []string{"bytes 0-9"}, ByteRange{}, 0, false},
		{"9110 14.4 an empty length", []string{"bytes 0-9/"}, ByteRange{}, 0, false},
		{"9110 14.4 no first", []string{"bytes -9/20"}, ByteRange{}, 0, false},
		{"9110 14.4 no last", []string{"bytes 5-/20"}, ByteRange{}, 0, false},
		{"9110 14.4 negative", []string{"bytes 0-9/-20"}, ByteRange{}, 0, false},
		{"9110 14.4 letters", []string{"bytes a-b/c"}, ByteRange{}, 0, false},
		{"9110 14.4 a last that overflows", []string{"bytes 0-99999999999999999999/*"}, ByteRange{}, 0, false},
		{"9110 14.4 a length that overflows", []string{"bytes 0-9/99999999999999999999"}, ByteRange{}, 0, false},
		{"9110 14.4 absent", nil, ByteRange{}, 0, false},
		{"9110 14.4 twice", []string{"bytes 0-9/20", "bytes 0-9/20"}, ByteRange{}, 0, false},
		{"9110 14.4 empty", []string{""}, ByteRange{}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, length, ok := parseContentRange(tc.lines)
			require.Equal(t, tc.ok, ok)
			if ok {
				assert.Equal(t, tc.want, b)
				assert.Equal(t, tc.length, length)
			}
		})
	}
}

// A Content-Range that contradicts its content.
func TestReceived(t *testing.T) {
	for _, tc := range []struct {
		name   string
		part   ByteRange
		length int64
		asked  string
		bytes  int64
		want   string
		total  int64
		ok     bool
	}{
		{"3.3 as it says", ByteRange{5, 9}, 20, "5-9", 5, "5-9", 20, true},
		{"3.3 more than it says", ByteRange{5, 9}, 20, "5-9", 6, "", 0, false},
		{"3.3 nothing", ByteRange{5, 9}, 20, "5-9", 0, "", 0, false},
		{"3.3 less, in the middle", ByteRange{5, 9}, 20, "5-9", 3, "", 0, false},
		{"3.3 less, to the end", ByteRange{15, 19}, 20, "15-", 3, "", 0, false},
		{"3.3 the last bytes were asked for and came: the end was earlier", ByteRange{15, 19}, 20, "-3", 3, "15-17", 18, true},
		{"3.3 fewer than the last bytes that were asked for", ByteRange{15, 19}, 20, "-4", 3, "", 0, false},
		{"3.3 the last bytes, but not to the end", ByteRange{5, 9}, 20, "-3", 3, "", 0, false},
		{"3.3 the last bytes, the length is not known", ByteRange{5, 9}, -1, "-3", 3, "", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			of := "*"
			if tc.length >= 0 {
				of = strconv.FormatInt(tc.length, 10)
			}
			p, ok := newPartial(request("GET", "Range: bytes="+tc.asked),
				fields(fmt.Sprintf("Content-Range: bytes %d-%d/%s", tc.part.First, tc.part.Last, of)))
			require.True(t, ok)
			got, ok := p.Received(tc.bytes)
			require.Equal(t, tc.ok, ok)
			if ok {
				assert.Equal(t, tc.want, parts(got.Held))
				assert.Equal(t, tc.total, got.Length)
			}
		})
	}
}

// RFC 9111, 3.3: what a partial response answers.
func TestSelectPartial(t *testing.T) {
	for _, tc := range []struct {
		name   string
		length int64
		header string
		want   Selection
		parts  string
	}{
		{"3.3 no Range", 20, "", NotHeld, ""},
		{"3.3 within one part", 20, "Range: bytes=1-3", Parts, "1-3"},
		{"3.3 in two parts", 20, "Range: bytes=1-3,10-11", Parts, "1-3 10-11"},
		{"3.3 beyond a part", 20, "Range: bytes=1-5", NotHeld, ""},
		{"3.3 across a gap", 20, "Range: bytes=3-11", NotHeld, ""},
		{"3.3 one of two", 20, "Range: bytes=1-3,5-6", NotHeld, ""},
		{"3.3 the end is held", 20, "Range: bytes=15-", Parts, "15-19"},
		{"3.3 a suffix is held", 20, "Range: bytes=-3", Parts, "17-19"},
		{"3.3 a suffix is not held", 20, "Range: bytes=-11", NotHeld, ""},
		{"3.3 last beyond the end", 20, "Range: bytes=15-99", Parts, "15-19"},
		{"9110 15.5.17 unsatisfiable", 20, "Range: bytes=20-", Unsatisfiable, ""},
		{"9110 14.2 an invalid Range", 20, "Range: bytes=3-1", NotHeld, ""},
		{"9110 13.1.5 If-Range that applies", 20, `Range: bytes=1-3 | If-Range: "a"`, Parts, "1-3"},
		{"9110 13.1.5 If-Range that does not", 20, `Range: bytes=1-3 | If-Range: "b"`, NotHeld, ""},
		{"3.3 the length is not known, within", -1, "Range: bytes=1-3", Parts, "1-3"},
		{"3.3 the length is not known, open", -1, "Range: bytes=15-", NotHeld, ""},
		{"3.3 the length is not known, a suffix", -1, "Range: bytes=-3", NotHeld, ""},
		{"3.3 the length is not known, far away", -1, "Range: bytes=99999999999999999999-99999999999999999999", NotHeld, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := held(t, tc.length, ByteRange{0, 4}, ByteRange{10, 19})
			got, list := s.Select(request("GET", tc.header), s.Partial.Length)
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.parts, parts(list))
		})
	}
}

// RFC 9111, 3.4: the gap to ask the origin for.
func TestMissing(t *testing.T) {
	for _, tc := range []struct {
		name   string
		length int64
		held   []ByteRange
		header string
		want   string // as a Range field; empty: ask for all
	}{
		{"3.4 the end", 20, []ByteRange{{0, 9}}, "", "bytes=10-"},
		{"3.4 the beginning", 20, []ByteRange{{10, 19}}, "", "bytes=0-9"},
		{"3.4 between two parts", 20, []ByteRange{{0, 4}, {10, 19}}, "", "bytes=5-9"},
		{"3.4 around a part", 20, []ByteRange{{5, 9}}, "", ""},
		{"3.4 two gaps", 20, []ByteRange{{0, 4}, {10, 14}}, "", ""},
		{"3.4 the length is not known", -1, []ByteRange{{0, 4}}, "", "bytes=5-"},
		{"3.4 neither length nor beginning are known", -1, []ByteRange{{5, 9}}, "", ""},
		{"3.4 of a range, the end", 20, []ByteRange{{0, 9}}, "Range: bytes=5-14", "bytes=10-14"},
		{"3.4 of a range, the beginning", 20, []ByteRange{{10, 19}}, "Range: bytes=5-14", "bytes=5-9"},
		{"3.4 of a range, nothing of it is held", 20, []ByteRange{{0, 4}}, "Range: bytes=10-14", "bytes=10-14"},
		{"3.4 of a range, held in the middle", 20, []ByteRange{{7, 8}}, "Range: bytes=5-14", ""},
		{"3.4 of a suffix", 20, []ByteRange{{0, 16}}, "Range: bytes=-5", "bytes=17-"},
		{"3.4 of several ranges", 20, []ByteRange{{0, 4}}, "Range: bytes=0-9,12-14", ""},
		{"3.4 of a range, the length is not known", -1, []ByteRange{{0, 4}}, "Range: bytes=0-9", ""},
		{"9110 14.2 of an invalid range, all is wanted", 20, []ByteRange{{0, 9}}, "Range: bytes=4-3", "bytes=10-"},
		{"9110 13.1.5 of a range that If-Range makes void, all is wanted", 20, []ByteRange{{5, 19}}, `Range: bytes=0-9 | If-Range: "b"`, "bytes=0-4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := held(t, tc.length, tc.held...)
			d := Judge(request("GET", tc.header), []*Stored{s}, t0)
			require.Equal(t, PartialMiss, d.Reason)
			if tc.want == "" {
				assert.Nil(t, d.Missing)
				return
			}
			require.NotNil(t, d.Missing)
			assert.Equal(t, tc.want, d.Missing.Request(tc.length))
		})
	}
}

// RFC 9111, 3.4.
func TestJoin(t *testing.T) {
	for _, tc := range []struct {
		name    string
		a, b    Partial
		want    string
		length  int64
		whole   bool
		refused bool
	}{
		{"3.4 adjacent", Partial{Held: []ByteRange{{0, 4}}, Length: 20}, Partial{Held: []ByteRange{{5, 9}}, Length: 20}, "0-9", 20, false, false},
		{"3.4 the later first", Partial{Held: []ByteRange{{5, 9}}, Length: 20}, Partial{Held: []ByteRange{{0, 4}}, Length: 20}, "0-9", 20, false, false},
		{"3.4 overlapping", Partial{Held: []ByteRange{{0, 6}}, Length: 20}, Partial{Held: []ByteRange{{4, 9}}, Length: 20}, "0-9", 20, false, false},
		{"3.4 one within the other", Partial{Held: []ByteRange{{0, 9}}, Length: 20}, Partial{Held: []ByteRange{{4, 5}}, Length: 20}, "0-9", 20, false, false},
		{"3.4 apart", Partial{Held: []ByteRange{{0, 4}}, Length: 20}, Partial{Held: []ByteRange{{6, 9}}, Length: 20}, "0-4 6-9", 20, false, false},
		{"3.4 a gap is closed", Partial{Held: []ByteRange{{0, 4}, {10, 19}}, Length: 20}, Partial{Held: []ByteRange{{5, 9}}, Length: 20}, "0-19", 20, true, false},
		{"3.4 the other knows the length", Partial{Held: []ByteRange{{0, 4}}, Length: -1}, Partial{Held: []ByteRange{{5, 9}}, Length: 10}, "0-9", 10, true, false},
		{"3.4 neither knows the length", Partial{Held: []ByteRange{{0, 4}}, Length: -1}, Partial{Held: []ByteRange{{5, 9}}, Length: -1}, "0-9", -1, false, false},
		{"3.4 different lengths", Partial{Held: []ByteRange{{0, 4}}, Length: 20}, Partial{Held: []ByteRange{{5, 9}}, Length: 21}, "", 0, false, true},
		{"3.4 more is held than the other's length", Partial{Held: []ByteRange{{0, 14}}, Length: -1}, Partial{Held: []ByteRange{{5, 9}}, Length: 10}, "", 0, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := parts(tc.a.Held) + "+" + parts(tc.b.Held)
			got, ok := tc.a.Join(&tc.b)
			require.Equal(t, !tc.refused, ok)
			assert.Equal(t, before, parts(tc.a.Held)+"+"+parts(tc.b.Held), "the arguments are left alone")
			if ok {
				assert.Equal(t, tc.want, parts(got.Held))
				assert.Equal(t, tc.length, got.Length)
				assert.Equal(t, tc.whole, got.Whole())
			}
		})
	}
}

// RFC 9111, 3.4 and RFC 9110, 8.8.1 and 8.8.2.2.
func TestCombinable(t *testing.T) {
	for _, tc := range []struct {
		name, a, b string
		want       bool
	}{
		{"3.4 equal strong tags", `ETag: "a"`, `ETag: "a"`, true},
		{"3.4 different tags", `ETag: "a"`, `ETag: "b"`, false},
		{"3.4 equal weak tags", `ETag: W/"a"`, `ETag: W/"a"`, false},
		{"3.4 a weak and a strong tag", `ETag: W/"a"`, `ETag: "a"`, false},
		{"3.4 one tag", `ETag: "a" | Last-Modified: {-60s}`, `Last-Modified: {-60s}`, false},
		{"3.4 neither validator", ``, ``, false},
		{"9110 8.8.2.2 equal dates that are strong", `Last-Modified: {-60s}`, `Last-Modified: {-60s}`, true},
		{"9110 8.8.2.2 different dates", `Last-Modified: {-60s}`, `Last-Modified: {-61s}`, false},
		{"9110 8.8.2.2 a date that is weak", `Last-Modified: {-60s} | Date: {-60s}`, `Last-Modified: {-60s}`, false},
		{"9110 8.8.2.2 a date a second before Date", `Last-Modified: {-1s}`, `Last-Modified: {-1s}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := stored(t, 200, "Cache-Control: max-age=60 | "+tc.a), stored(t, 200, "Cache-Control: max-age=60 | "+tc.b)
			assert.Equal(t, tc.want, Combinable(a, b))
			assert.Equal(t, tc.want, Combinable(b, a))
		})
	}
}

func TestIfRangeFor(t *testing.T) {
	for _, tc := range []struct{ name, header, want string }{
		{"9110 13.1.5 a strong tag", `ETag: "a" | Last-Modified: {-60s}`, `"a"`},
		{"9110 13.1.5 a weak tag", `ETag: W/"a" | Last-Modified: {-60s}`, ""},
		{"9110 13.1.5 a strong date", "Last-Modified: {-60s}", date(-time.Minute)},
		{"9110 13.1.5 a weak date", "Last-Modified: {0s}", ""},
		{"9110 13.1.5 nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, stored(t, 200, "Cache-Control: max-age=60 | "+tc.header).IfRangeFor())
		})
	}
}

func TestContentLength(t *testing.T) {
	for header, want := range map[string]int64{
		"Content-Length: 5": 5, "Content-Length: 0": 0,
		"": -1, "Content-Length: ": -1, "Content-Length: -1": -1, "Content-Length: 5, 5": -1, "Content-Length: x": -1,
		"Content-Length: 99999999999999999999": -1,
	} {
		assert.Equal(t, want, contentLength(fields(header)), "%q", header)
	}
}
