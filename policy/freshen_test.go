package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// RFC 9111, 4.3.1.
func TestConditions(t *testing.T) {
	get := func(h string) *Stored { return stored(t, 200, "Cache-Control: max-age=60 | "+h) }
	coded := func(asked, tag string) *Stored {
		s, _ := Admit(request("GET", "Accept-Encoding: "+asked), response(200, `Cache-Control: max-age=60 | Vary: Accept-Encoding | ETag: "`+tag+`"`), Times{t0, t0}, plain())
		return s
	}
	head := get(`ETag: "h"`)
	head.Method = "HEAD"
	part := stored(t, 206, `Cache-Control: max-age=60 | ETag: "p" | Content-Range: bytes 0-9/20`)
	for _, tc := range []struct {
		name, method, header string
		stored               []*Stored
		index                int
		noneMatch, since     string
	}{
		{"4.3.1 a tag", "GET", "", []*Stored{get(`ETag: "a"`)}, 0, `"a"`, ""},
		{"4.3.1 a weak tag", "GET", "", []*Stored{get(`ETag: W/"a"`)}, 0, `W/"a"`, ""},
		{"4.3.1 a date", "GET", "", []*Stored{get("Last-Modified: {-60s}")}, 0, "", date(-time.Minute)},
		{"4.3.1 both", "GET", "", []*Stored{get(`ETag: "a" | Last-Modified: {-60s}`)}, 0, `"a"`, date(-time.Minute)},
		{"4.3.1 nothing", "GET", "", []*Stored{get("")}, 0, "", ""},
		{"4.3.1 nothing is stored", "GET", "", nil, -1, "", ""},
		{"4.3.1 the tags of all variants, the selected one first", "GET", "", []*Stored{get(`ETag: "a"`), get(`ETag: "b"`), get("")}, 1, `"b", "a"`, ""},
		{"4.3.1 every tag once", "GET", "", []*Stored{get(`ETag: "a"`), get(`ETag: "a"`)}, 0, `"a"`, ""},
		{"4.3.1 the tags of variants that do not match", "GET", "", []*Stored{get(`ETag: "a" | Last-Modified: {-60s}`)}, -1, `"a"`, ""},
		{"4.3.1 only the date of the selected one", "GET", "", []*Stored{get("Last-Modified: {-60s}"), get("Last-Modified: {-30s}")}, 1, "", date(-30 * time.Second)},
		{"4.3.1 the tag of another coding is not sent", "GET", "Accept-Encoding: br", []*Stored{coded("gzip", "g"), coded("br", "b"), coded("BR;q=1", "B")}, -1, `"b", "B"`, ""},
		{"4.3.1 a HEAD cannot be confirmed for a GET", "GET", "", []*Stored{head}, -1, "", ""},
		{"4.3.1 a HEAD can for a HEAD", "HEAD", "", []*Stored{head}, 0, `"h"`, ""},
		{"4.3.1 a part cannot for all of it", "GET", "", []*Stored{part}, 0, "", ""},
		{"4.3.1 a part can for a range within", "GET", "Range: bytes=1-2", []*Stored{part}, 0, `"p"`, ""},
		{"4.3.1 a part cannot for a HEAD", "HEAD", "", []*Stored{part}, -1, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noneMatch, since := Conditions(request(tc.method, tc.header), tc.stored, tc.index)
			assert.Equal(t, tc.noneMatch, noneMatch)
			assert.Equal(t, tc.since, since)
		})
	}
}

// RFC 9111, 4.3.4.
func TestFreshen(t *testing.T) {
	get := func(h string) *Stored { return stored(t, 200, "Cache-Control: max-age=60 | "+h) }
	head := get(`ETag: "a"`)
	head.Method = "HEAD"
	for _, tc := range []struct {
		name   string
		stored []*Stored
		index  int
		header string
		want   []int
	}{
		{"4.3.4 a strong tag", []*Stored{get(`ETag: "a"`)}, 0, `ETag: "a"`, []int{0}},
		{"4.3.4 a strong tag, all that have it", []*Stored{get(`ETag: "a"`), get(`ETag: "b"`), get(`ETag: "a"`)}, 1, `ETag: "a"`, []int{0, 2}},
		{"4.3.4 a strong tag that is not stored", []*Stored{get(`ETag: "a"`)}, 0, `ETag: "b"`, nil},
		{"4.3.4 a strong tag that confirms the weak one asked about", []*Stored{get(`ETag: W/"a"`), get(`ETag: W/"a"`)}, 1, `ETag: "a"`, []int{1}},
		{"4.3.4 a strong tag and a weak one, and none was selected", []*Stored{get(`ETag: W/"a"`)}, -1, `ETag: "a"`, nil},
		{"4.3.4 a strong tag and another weak one", []*Stored{get(`ETag: W/"b"`)}, 0, `ETag: "a"`, nil},
		{"4.3.4 a strong tag, and only a date is stored", []*Stored{get(`Last-Modified: {-60s}`)}, 0, `ETag: "a" | Last-Modified: {-60s}`, nil},
		{"4.3.4 a weak tag", []*Stored{get(`ETag: W/"a"`)}, 0, `ETag: W/"a"`, []int{0}},
		{"4.3.4 a weak tag, the newest that has it", []*Stored{get(`ETag: W/"a" | Date: {-9s}`), get(`ETag: W/"a" | Date: {-1s}`)}, 0, `ETag: W/"a"`, []int{1}},
		{"4.3.4 a weak tag that is not stored", []*Stored{get(`ETag: W/"a"`)}, 0, `ETag: W/"b"`, nil},
		{"4.3.4 a date", []*Stored{get("Last-Modified: {-60s}")}, 0, "Last-Modified: {-60s}", []int{0}},
		{"4.3.4 a date, the newest that has it", []*Stored{get("Last-Modified: {-60s}"), get("Last-Modified: {-60s} | Date: {-1s}")}, 0, "Last-Modified: {-60s}", []int{0}},
		{"4.3.4 a date that is not stored", []*Stored{get("Last-Modified: {-60s}")}, 0, "Last-Modified: {-50s}", nil},
		{"4.3.4 a date, and only a tag is stored", []*Stored{get(`ETag: "a"`)}, 0, "Last-Modified: {-60s}", []int{0}},
		{"4.3.4 no validator, the one that was asked about", []*Stored{get(`ETag: "a"`)}, 0, "", []int{0}},
		{"4.3.4 no validator, and nothing that has one is stored", []*Stored{get("")}, 0, "", []int{0}},
		{"4.3.4 no validator, and several tags were sent", []*Stored{get(`ETag: "a"`), get(`ETag: "b"`)}, 0, "", nil},
		{"4.3.4 no validator, and the same tag twice", []*Stored{get(`ETag: "a"`), get(`ETag: "a"`)}, 1, "", []int{1}},
		{"4.3.4 no validator, and none was selected", []*Stored{get(`ETag: "a"`)}, -1, "", nil},
		{"4.3.4 a malformed tag is none", []*Stored{get(`ETag: "a"`)}, 0, "ETag: a", []int{0}},
		{"4.3.4 a HEAD is not confirmed by a GET", []*Stored{head}, -1, `ETag: "a"`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, Freshen(request("GET", ""), tc.stored, tc.index, fields(tc.header)))
		})
	}
}

// RFC 9111, 4.3.5. The stored GET has 10 bytes.
func TestHead(t *testing.T) {
	const both = `ETag: "a" | Last-Modified: {-60s}`
	for _, tc := range []struct {
		name     string
		stored   *Stored
		request  string
		status   int
		response string
		want     HeadEffect
	}{
		{"4.3.5 equal validators", stored(t, 200, both), "", 200, both, HeadUpdates},
		{"4.3.5 without validators", stored(t, 200, both), "", 200, "", HeadUpdates},
		{"4.3.5 another tag", stored(t, 200, both), "", 200, `ETag: "b"`, HeadOutdates},
		{"4.3.5 another date", stored(t, 200, both), "", 200, "Last-Modified: {-50s}", HeadOutdates},
		{"4.3.5 no date", stored(t, 200, both), "", 200, "Last-Modified: x", HeadOutdates},
		{"4.3.5 a tag, and none is stored", stored(t, 200, "Last-Modified: {-60s}"), "", 200, `ETag: "a"`, HeadOutdates},
		{"4.3.5 the same length", stored(t, 200, both), "", 200, "Content-Length: 10", HeadUpdates},
		{"4.3.5 another length", stored(t, 200, both), "", 200, "Content-Length: 11", HeadOutdates},
		{"4.3.5 another length although the tag is the same", stored(t, 200, both), "", 200, both + " | Content-Length: 11", HeadOutdates},
		{"4.3.5 gone", stored(t, 200, both), "", 410, "", HeadOutdates},
		{"4.3.5 an answer that says nothing of a GET", stored(t, 200, both), "", 405, "", HeadNone},
		{"4.3.5 back again", stored(t, 404, both), "", 200, "", HeadOutdates},
		{"4.3.5 a request that selects another variant", stored(t, 200, both+" | Vary: Foo"), "Foo: 1", 200, both, HeadNone},
		{"4.3.5 a part", stored(t, 206, both+" | Content-Range: bytes 0-9/10"), "", 200, both, HeadNone},
		{"4.3.5 what is stored is a HEAD", &Stored{Method: "HEAD", Status: 200}, "", 200, both, HeadNone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, Head(request("HEAD", tc.request), tc.stored, 10, response(tc.status, tc.response)))
		})
	}
}
