package policy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// RFC 9111, 4.3.2 and RFC 9110, 13.
func TestNotModified(t *testing.T) {
	const both = `ETag: "a" | Last-Modified: {-60s}`
	for _, tc := range []struct {
		name     string
		status   int
		response string
		request  string
		want     bool
	}{
		{"4.3.2 no condition", 200, both, "", false},
		{"9110 13.1.2 the same tag", 200, both, `If-None-Match: "a"`, true},
		{"9110 13.1.2 another tag", 200, both, `If-None-Match: "b"`, false},
		{"9110 13.1.2 one of a list", 200, both, `If-None-Match: "b", "a"`, true},
		{"9110 13.1.2 one of several lines", 200, both, `If-None-Match: "b" | If-None-Match: "a"`, true},
		{"9110 13.1.2 none of a list", 200, both, `If-None-Match: "b", "c"`, false},
		{"9110 13.1.2 star", 200, both, `If-None-Match: *`, true},
		{"9110 13.1.2 star without a tag", 200, "Last-Modified: {-60s}", `If-None-Match: *`, true},
		{"9110 13.1.2 a quoted star is a tag", 200, both, `If-None-Match: "*"`, false},
		{"9110 13.1.2 a tag with a comma", 200, `ETag: "a,b"`, `If-None-Match: "x", "a,b"`, true},
		{"9110 13.1.2 a tag, and none is stored", 200, "Last-Modified: {-60s}", `If-None-Match: "a"`, false},
		{"9110 13.1.2 half a tag, and none is stored", 200, "Last-Modified: {-60s}", `If-None-Match: W/`, false},
		{"9110 13.1.2 a tag that is not quoted", 200, both, `If-None-Match: a`, false},
		{"9110 13.1.2 an empty tag", 200, `ETag: ""`, `If-None-Match: ""`, true},
		{"9110 13.1.2 an empty field", 200, both, `If-None-Match: `, false},
		{"9110 8.8.3.2 weak against strong", 200, both, `If-None-Match: W/"a"`, true},
		{"9110 8.8.3.2 strong against weak", 200, `ETag: W/"a"`, `If-None-Match: "a"`, true},
		{"9110 8.8.3.2 weak against weak", 200, `ETag: W/"a"`, `If-None-Match: W/"a"`, true},
		{"9110 8.8.3.2 tags have case", 200, both, `If-None-Match: "A"`, false},

		{"9110 13.1.3 the same date", 200, both, "If-Modified-Since: {-60s}", true},
		{"9110 13.1.3 a later date", 200, both, "If-Modified-Since: {-59s}", true},
		{"9110 13.1.3 an earlier date", 200, both, "If-Modified-Since: {-61s}", false},
		{"9110 13.1.3 no date", 200, both, "If-Modified-Since: yesterday", false},
		{"9110 13.1.3 two dates", 200, both, "If-Modified-Since: {0s} | If-Modified-Since: {0s}", false},
		{"4.3.2 without Last-Modified, Date counts", 200, `ETag: "a" | Date: {-10s}`, "If-Modified-Since: {-10s}", true},
		{"4.3.2 without Last-Modified, before Date", 200, `ETag: "a" | Date: {-10s}`, "If-Modified-Since: {-11s}", false},
		{"4.3.2 without either, the receipt counts", 200, `ETag: "a"`, "If-Modified-Since: {-1s}", false},
		{"9110 13.2.2 If-None-Match makes If-Modified-Since void", 200, both, `If-None-Match: "b" | If-Modified-Since: {0s}`, false},
		{"9110 13.2.2 the other way round", 200, both, `If-None-Match: "a" | If-Modified-Since: {-90s}`, true},
		{"9110 13.2.2 even an empty one", 200, both, `If-None-Match: | If-Modified-Since: {0s}`, false},

		{"9110 13.2.1 not for a redirect", 301, both, `If-None-Match: "a"`, false},
		{"9110 13.2.1 not for an error", 404, both, `If-None-Match: *`, false},
		{"9110 13.2.1 any success", 203, both, `If-None-Match: "a"`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stored(t, tc.status, "Cache-Control: max-age=60 | "+tc.response)
			assert.Equal(t, tc.want, NotModified(request("GET", tc.request), s))
			assert.Equal(t, tc.want, NotModified(request("HEAD", tc.request), s))
		})
	}
}

// RFC 9110, 8.8.3.2, table 3.
func TestEntityTagComparison(t *testing.T) {
	for _, tc := range []struct {
		a, b         string
		strong, weak bool
	}{
		{`W/"1"`, `W/"1"`, false, true},
		{`W/"1"`, `W/"2"`, false, false},
		{`W/"1"`, `"1"`, false, true},
		{`"1"`, `"1"`, true, true},
		{"", "", false, false},
		{"", `"1"`, false, false},
		{"", `W/`, false, false},
	} {
		t.Run("9110 8.8.3.2 "+tc.a+" "+tc.b, func(t *testing.T) {
			assert.Equal(t, tc.strong, strongEqual(tc.a, tc.b))
			assert.Equal(t, tc.strong, strongEqual(tc.b, tc.a))
			assert.Equal(t, tc.weak, weakEqual(tc.a, tc.b))
			assert.Equal(t, tc.weak, weakEqual(tc.b, tc.a))
		})
	}
}

func TestDescribe(t *testing.T) {
	s := Describe(200, fields(`ETag: "a" | Last-Modified: {-60s} | Date: {0s}`))
	assert.True(t, NotModified(request("GET", `If-None-Match: "a"`), s), "RFC 9110, 13.2: conditions hold for what is not stored too")
	got, list := s.Select(request("GET", `Range: bytes=1-2 | If-Range: "a"`), 10)
	assert.Equal(t, Parts, got)
	assert.Equal(t, "1-2", parts(list))
	assert.False(t, Describe(200, fields("ETag: a | Last-Modified: x")).Validator())
}
