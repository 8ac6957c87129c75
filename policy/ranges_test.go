package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parts writes byte ranges as "0-4 7-9".
func parts(list []ByteRange) string {
	var b []string
	for _, p := range list {
		b = append(b, fmt.Sprintf("%d-%d", p.First, p.Last))
	}
	return strings.Join(b, " ")
}

// RFC 9110, 14.1.1, 14.1.2 and 14.2, on a representation of 10 bytes.
func TestSelect(t *testing.T) {
	for _, tc := range []struct {
		name, field string
		want        Selection
		parts       string
	}{
		{"9110 14.2 no Range", "", Whole, ""},
		{"9110 14.1.2 first and last", "bytes=0-4", Parts, "0-4"},
		{"9110 14.1.2 one byte", "bytes=9-9", Parts, "9-9"},
		{"9110 14.1.2 all of it", "bytes=0-9", Parts, "0-9"},
		{"9110 14.1.2 open", "bytes=3-", Parts, "3-9"},
		{"9110 14.1.2 suffix", "bytes=-3", Parts, "7-9"},
		{"9110 14.1.2 a suffix longer than the representation", "bytes=-30", Parts, "0-9"},
		{"9110 14.1.2 last beyond the end", "bytes=5-30", Parts, "5-9"},
		{"9110 14.1.2 first beyond the end", "bytes=10-", Unsatisfiable, ""},
		{"9110 14.1.2 a suffix of 0", "bytes=-0", Unsatisfiable, ""},
		{"9110 14.1.2 some beyond the end", "bytes=10-20,0-1,-0", Parts, "0-1"},
		{"9110 14.1.2 all beyond the end", "bytes=10-20,30-", Unsatisfiable, ""},
		{"9110 14.1.2 an overflow", "bytes=5-99999999999999999999999", Parts, "5-9"},
		{"9110 14.1.2 a suffix that overflows", "bytes=-99999999999999999999999", Parts, "0-9"},
		{"9110 14.1.2 first overflows", "bytes=99999999999999999999999-", Unsatisfiable, ""},
		{"9110 14.1.1 several", "bytes=0-1,4-5,-2", Parts, "0-1 4-5 8-9"},
		{"9110 15.3.7.2 the client's order stays", "bytes=8-9,0-1", Parts, "8-9 0-1"},
		{"9110 15.3.7.2 overlapping are joined", "bytes=0-4,3-6", Parts, "0-6"},
		{"9110 15.3.7.2 one that bridges two", "bytes=0-3,6-9,2-7", Parts, "0-9"},
		{"9110 15.3.7.2 equal ones", "bytes=1-2,1-2,1-2", Parts, "1-2"},
		{"9110 15.3.7.2 adjacent ones stay", "bytes=0-1,2-3", Parts, "0-1 2-3"},
		{"9110 14.1 the unit has no case", "BYTES=0-1", Parts, "0-1"},
		{"9110 14.1.1 white space and empty members", "bytes= 0-1 ,, 4-5,", Parts, "0-1 4-5"},
		{"9110 14.2 another unit", "lines=0-1", Whole, ""},
		{"9110 14.2 no unit", "0-1", Whole, ""},
		{"9110 14.2 no ranges", "bytes=", Whole, ""},
		{"9110 14.2 only commas", "bytes=,,", Whole, ""},
		{"9110 14.1.1 last before first", "bytes=4-3", Whole, ""},
		{"9110 14.1.1 one invalid among valid ones", "bytes=0-1,4-3", Whole, ""},
		{"9110 14.1.1 a dash alone", "bytes=-", Whole, ""},
		{"9110 14.1.1 no dash", "bytes=5", Whole, ""},
		{"9110 14.1.1 negative", "bytes=-1-3", Whole, ""},
		{"9110 14.1.1 letters", "bytes=a-b", Whole, ""},
		{"9110 14.1.1 hexadecimal", "bytes=0x0-0x1", Whole, ""},
		{"9110 14.1.1 a sign", "bytes=+1-3", Whole, ""},
		{"9110 14.1.1 a space within", "bytes=0 - 1", Whole, ""},
		{"9110 14.2 as many as are answered", "bytes=" + strings.Repeat("0-0,", MaxRanges), Parts, "0-0"},
		{"9110 14.2 more than are answered", "bytes=" + strings.Repeat("0-0,", MaxRanges+1), Whole, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stored(t, 200, "Cache-Control: max-age=60")
			got, list := s.Select(request("GET", "Range: "+tc.field), 10)
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.parts, parts(list))
		})
	}
}

func TestSelectElsewhere(t *testing.T) {
	ok := stored(t, 200, "Cache-Control: max-age=60")
	gone := stored(t, 410, "Cache-Control: max-age=60")
	got, _ := ok.Select(request("HEAD", "Range: bytes=0-1"), 10)
	assert.Equal(t, Whole, got, "RFC 9110, 14.2: only for GET")
	got, _ = gone.Select(request("GET", "Range: bytes=0-1"), 10)
	assert.Equal(t, Whole, got, "RFC 9110, 14.2: only where the answer would be a 200")
	for _, field := range []string{"bytes=-5", "bytes=0-", "bytes=0-5"} {
		got, list := ok.Select(request("GET", "Range: "+field), 0)
		assert.Equal(t, Whole, got, "RFC 9110, 14.1.2: no Content-Range can name a part of nothing: %s", field)
		assert.Empty(t, list)
	}
}

// RFC 9110, 13.1.5. The stored response has the entity tag "a" and was last
// modified a minute before its Date.
func TestIfRange(t *testing.T) {
	for _, tc := range []struct {
		name, header, ifRange string
		applies               bool
	}{
		{"9110 13.1.5 absent", `ETag: "a"`, "", true},
		{"9110 13.1.5 the same strong tag", `ETag: "a"`, `"a"`, true},
		{"9110 13.1.5 another tag", `ETag: "a"`, `"b"`, false},
		{"9110 13.1.5 the same weak tag", `ETag: W/"a"`, `W/"a"`, false},
		{"9110 13.1.5 a weak tag of a strong one", `ETag: "a"`, `W/"a"`, false},
		{"9110 13.1.5 a tag, and none is stored", ``, `"a"`, false},
		{"9110 13.1.5 the same date", "Last-Modified: {-60s}", "{-60s}", true},
		{"9110 13.1.5 an earlier date", "Last-Modified: {-60s}", "{-61s}", false},
		{"9110 13.1.5 a later date", "Last-Modified: {-60s}", "{-59s}", false},
		{"9110 13.1.5 a date that is weak", "Last-Modified: {0s}", "{0s}", false},
		{"9110 13.1.5 a date, and none is stored", `ETag: "a"`, "{0s}", false},
		{"9110 13.1.5 neither a tag nor a date", `ETag: "a"`, "a", false},
		{"9110 13.1.5 a list", `ETag: "a"`, `"a", "b"`, false},
		{"9110 13.1.5 a star", `ETag: "a"`, `*`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stored(t, 200, "Cache-Control: max-age=60 | "+tc.header)
			rq := request("GET", "Range: bytes=0-1")
			if tc.ifRange != "" {
				rq = request("GET", "Range: bytes=0-1 | If-Range: "+tc.ifRange)
			}
			want := Whole
			if tc.applies {
				want = Parts
			}
			got, _ := s.Select(rq, 10)
			assert.Equal(t, want, got)
		})
	}
}

func TestByteRangeFields(t *testing.T) {
	for _, tc := range []struct {
		name            string
		part            ByteRange
		length          int64
		asked, answered string
	}{
		{"9110 14.4 in the middle", ByteRange{2, 5}, 10, "bytes=2-5", "bytes 2-5/10"},
		{"9110 14.4 to the end", ByteRange{2, 9}, 10, "bytes=2-", "bytes 2-9/10"},
		{"9110 14.4 the length is not known", ByteRange{2, 5}, -1, "bytes=2-5", "bytes 2-5/*"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.asked, tc.part.Request(tc.length))
			assert.Equal(t, tc.answered, tc.part.ContentRange(tc.length))
			b, length, ok := parseContentRange([]string{tc.answered})
			require.True(t, ok)
			assert.Equal(t, tc.part, b)
			assert.Equal(t, tc.length, length)
		})
	}
	assert.Equal(t, "bytes=5-", ByteRange{5, -1}.Request(-1), "an end that is not known is not named")
	assert.EqualValues(t, 4, ByteRange{2, 5}.Len())
}
