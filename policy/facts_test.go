package policy

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// t0 is the moment at which test responses are sent and received.
var t0 = time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)

// date formats a moment relative to t0 for a header field.
func date(offset time.Duration) string { return t0.Add(offset).Format(http.TimeFormat) }

// fields reads header fields written as "Name: value | Name: value".
// {+10s} in a value stands for the date ten seconds after t0.
func fields(s string) http.Header {
	h := http.Header{}
	for line := range strings.SplitSeq(s, " | ") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			h.Add(name, expandDates(strings.TrimPrefix(value, " ")))
		}
	}
	return h
}

func expandDates(s string) string {
	before, rest, ok := strings.Cut(s, "{")
	if !ok {
		return s
	}
	offset, after, _ := strings.Cut(rest, "}")
	d, err := time.ParseDuration(offset)
	if err != nil {
		panic("a test row with a wrong offset: " + s)
	}
	return before + date(d) + expandDates(after)
}

func request(method, header string) *Request { return NewRequest(method, fields(header)) }

func response(status int, header string) *Response {
	return &Response{Status: status, Fields: fields(header)}
}

// plain are rules without any choice of an operator: no grace, every status.
func plain() *Rules {
	r := RFC9111Rules()
	r.GraceError = 0
	return &r
}

// stored admits the answer to a plain GET, sent and received at t0.
func stored(t *testing.T, status int, header string) *Stored {
	t.Helper()
	s, why := Admit(request("GET", ""), response(status, header), Times{t0, t0}, plain())
	require.NotNil(t, s, "refused: %s", why)
	return s
}

func TestNewRequest(t *testing.T) {
	r := request("GET", "Range: bytes=0-1 | Authorization: Basic x | Cache-Control: no-cache")
	assert.Equal(t, "bytes=0-1", r.Range)
	assert.True(t, r.Authorized)
	assert.True(t, r.Directives.NoCache)
	assert.Empty(t, request("HEAD", "Range: bytes=0-1").Range, "RFC 9110, 14.2: Range is for GET")
	assert.Empty(t, request("POST", "Range: bytes=0-1").Range, "RFC 9110, 14.2: Range is for GET")
}

func TestKeepFor(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name, header string
		want         time.Duration
	}{
		{"4.2 freshness", "Cache-Control: max-age=60", time.Minute},
		{"4.2.3 the age it came with counts", "Cache-Control: max-age=60 | Age: 20", 40 * time.Second},
		{"4.3 a validator is of use for longer", `Cache-Control: max-age=60 | ETag: "a"`, time.Minute + day},
		{"5861 3 and 4 the longer window", "Cache-Control: max-age=60, stale-while-revalidate=30, stale-if-error=90", 150 * time.Second},
		{"4.2 older than its lifetime", "Cache-Control: max-age=60 | Age: 100", time.Second},
		{"1.2.2 the greatest values do not overflow", "Cache-Control: max-age=99999999999, stale-if-error=99999999999", 2 * forever},
		{"5.3 Expires in the year 9999 does not overflow", "Expires: Fri, 31 Dec 9999 23:59:59 GMT", forever},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, stored(t, 200, tc.header).KeepFor())
		})
	}
}

func TestAgeIsBounded(t *testing.T) {
	s := stored(t, 200, `Date: Tue, 02 Jan 0001 00:00:00 GMT | Cache-Control: max-age=60 | ETag: "a"`)
	assert.Equal(t, forever, s.InitialAge, "4.2.3 a Date of long ago is old, and does not overflow")
	assert.Equal(t, forever+time.Hour, s.Age(t0.Add(time.Hour)))
	s.InitialAge = 0
	assert.Zero(t, s.Age(t0.Add(-time.Hour)), "a clock that was set back does not make a negative age")
}

func TestFieldTime(t *testing.T) {
	when := time.Date(1994, time.November, 6, 8, 49, 37, 0, time.UTC)
	for _, tc := range []struct {
		name, header string
		present, ok  bool
	}{
		{"9110 5.6.7 IMF-fixdate", "Date: Sun, 06 Nov 1994 08:49:37 GMT", true, true},
		{"9110 5.6.7 rfc850-date", "Date: Sunday, 06-Nov-94 08:49:37 GMT", true, true},
		{"9110 5.6.7 asctime-date", "Date: Sun Nov  6 08:49:37 1994", true, true},
		{"repeated and equal", "Date: Sun, 06 Nov 1994 08:49:37 GMT | Date: Sun, 06 Nov 1994 08:49:37 GMT", true, true},
		{"repeated and different", "Date: Sun, 06 Nov 1994 08:49:37 GMT | Date: Sun, 06 Nov 1994 08:49:38 GMT", true, false},
		{"another zone", "Date: Sun, 06 Nov 1994 08:49:37 EST", true, false},
		{"a number", "Date: 0", true, false},
		{"empty", "Date: ", true, false},
		{"absent", "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, present, ok := fieldTime(fields(tc.header), "Date")
			assert.Equal(t, tc.present, present)
			assert.Equal(t, tc.ok, ok)
			if ok {
				assert.True(t, got.Equal(when), got)
			}
		})
	}
}

func TestDeltaSeconds(t *testing.T) {
	for _, tc := range []struct {
		s    string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"60", 60, true}, {"0060", 60, true},
		{"2147483648", 1 << 31, true}, {"2147483649", 1 << 31, true},
		{"99999999999999999999999999", 1 << 31, true},
		{"", 0, false}, {"-1", 0, false}, {"+1", 0, false}, {"1.5", 0, false}, {"1e3", 0, false},
		{" 1", 0, false}, {"0x10", 0, false}, {"99999999999999999999x", 0, false}, {"'60'", 0, false}, {"٣", 0, false},
	} {
		t.Run("1.2.2 "+tc.s, func(t *testing.T) {
			got, ok := deltaSeconds(tc.s)
			assert.Equal(t, tc.ok, ok)
			if ok {
				assert.Equal(t, tc.want, got)
			}
		})
	}
	assert.Less(t, 4*(float64(forever)/float64(math.MaxInt64)), 1.0, "sums of a few bounds must not overflow")
}
