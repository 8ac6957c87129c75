package policy

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RFC 9111, 3: condition by condition.
func TestAdmit(t *testing.T) {
	const fresh = "Cache-Control: max-age=60"
	for _, tc := range []struct {
		name     string
		method   string
		request  string
		status   int
		response string
		want     Reason
	}{
		{"3 GET", "GET", "", 200, fresh, ReasonNone},
		{"3 HEAD", "HEAD", "", 200, fresh, ReasonNone},
		{"3 PUT", "PUT", "", 200, fresh, MethodNotStored},
		{"3 DELETE", "DELETE", "", 200, fresh, MethodNotStored},
		{"3 OPTIONS", "OPTIONS", "", 200, fresh, MethodNotStored},
		{"3 TRACE", "TRACE", "", 200, fresh, MethodNotStored},
		{"3 QUERY", "QUERY", "", 200, fresh, MethodNotStored},
		{"3 an interim status", "GET", "", 103, fresh, StatusNever},
		{"3 a 304 is no response of its own", "GET", "", 304, fresh, StatusNever},

		{"5.2.2.5 no-store", "GET", "", 200, "Cache-Control: no-store", NoStore},
		{"5.2.2.5 no-store beside a lifetime", "GET", "", 200, "Cache-Control: max-age=60, no-store", NoStore},
		{"5.2.2.5 no-store on another line", "GET", "", 200, "Cache-Control: max-age=60 | Cache-Control: NO-STORE", NoStore},
		{"5.2.2.5 no-store with an argument", "GET", "", 200, "Cache-Control: max-age=60, no-store=0", NoStore},
		{"5.2.2.5 no-store after a missing comma", "GET", "", 200, "Cache-Control: max-age=60 no-store", NoStore},
		{"5.2.2.5 no-store after an unclosed quote", "GET", "", 200, `Cache-Control: max-age=60, foo="bar, no-store`, NoStore},
		{"5.2.2.5 no-store in a quoted string is none", "GET", "", 200, `Cache-Control: max-age=60, foo="no-store"`, ReasonNone},
		{"5.2.2.5 a longer name is another directive", "GET", "", 200, "Cache-Control: max-age=60, no-stores", ReasonNone},
		{"5.2.1.5 no-store in the request", "GET", "Cache-Control: no-store", 200, fresh, RequestNoStore},

		{"5.2.2.7 private", "GET", "", 200, "Cache-Control: max-age=60, private", Private},
		{"5.2.2.7 private beside public", "GET", "", 200, "Cache-Control: max-age=60, public, private", Private},
		{"5.2.2.7 private with rubbish", "GET", "", 200, "Cache-Control: max-age=60, private;x", Private},
		{"5.2.2.7 private with an empty list is unqualified", "GET", "", 200, `Cache-Control: max-age=60, private=""`, Private},
		{"5.2.2.7 private with a list of no field names is unqualified", "GET", "", 200, `Cache-Control: max-age=60, private="a b"`, Private},
		{"5.2.2.7 qualified private", "GET", "", 200, `Cache-Control: max-age=60, private="Foo"`, ReasonNone},
		{"5.2.2.7 qualified and unqualified private", "GET", "", 200, `Cache-Control: max-age=60, private="Foo", private`, Private},
		{"5.2.2.4 no-cache with a validator", "GET", "", 200, `Cache-Control: no-cache | ETag: "a"`, ReasonNone},
		{"5.2.2.4 no-cache without a validator or lifetime", "GET", "", 200, "Cache-Control: no-cache", NoFreshness},

		{"5.2.2.3 must-understand makes no-store void", "GET", "", 200, "Cache-Control: max-age=60, no-store, must-understand", ReasonNone},
		{"5.2.2.3 must-understand with an argument does not", "GET", "", 200, "Cache-Control: max-age=60, no-store, must-understand=0", NoStore},
		{"5.2.2.3 a status that is not known", "GET", "", 299, "Cache-Control: max-age=60, must-understand", NotUnderstood},
		{"5.2.2.3 no-store and a status that is not known", "GET", "", 599, "Cache-Control: max-age=60, must-understand, no-store", NotUnderstood},
		{"5.2.2.3 a known status is no obstacle", "GET", "", 404, "Cache-Control: max-age=60, must-understand", ReasonNone},
		{"3 without must-understand any status", "GET", "", 599, fresh, ReasonNone},

		{"3 Expires", "GET", "", 200, "Expires: {60s}", ReasonNone},
		{"3 s-maxage", "GET", "", 200, "Cache-Control: s-maxage=60", ReasonNone},
		{"3 public and a status without heuristics", "GET", "", 303, "Cache-Control: public | Last-Modified: {-60s}", ReasonNone},
		{"3 a status without heuristics", "GET", "", 303, "Last-Modified: {-60s}", StatusNeedsExplicit},
		{"3 an invalid lifetime is none", "GET", "", 303, `Cache-Control: max-age=x | ETag: "a"`, StatusNeedsExplicit},
		{"3 a heuristically cacheable status", "GET", "", 501, "Last-Modified: {-60s}", ReasonNone},
		{"3 neither lifetime nor validator", "GET", "", 200, "Content-Type: text/plain", NoFreshness},
		{"3 a validator alone", "GET", "", 200, `ETag: "a"`, ReasonNone},
		{"3 a weak validator alone", "GET", "", 200, `ETag: W/"a"`, ReasonNone},
		{"3 a malformed validator alone", "GET", "", 200, `ETag: a`, NoFreshness},
		{"3 stale at once, with a window", "GET", "", 200, "Cache-Control: max-age=0, stale-while-revalidate=9", ReasonNone},
		{"3 stale at once, with a window that is forbidden", "GET", "", 200, "Cache-Control: max-age=0, must-revalidate, stale-while-revalidate=9", NoFreshness},

		{"4.1 Vary: star", "GET", "", 200, fresh + " | Vary: *", VaryStar},
		{"4.1 Vary: star in a list", "GET", "", 200, fresh + " | Vary: Foo, *, Bar", VaryStar},
		{"4.1 Vary: star on another line", "GET", "", 200, fresh + " | Vary: Foo | Vary: *", VaryStar},
		{"4.1 Vary with something that is no name", "GET", "", 200, fresh + " | Vary: Foo Bar", VaryStar},
		{"4.1 Vary with an empty member", "GET", "", 200, fresh + " | Vary: ,Foo,", ReasonNone},

		{"3.3 a part", "GET", "", 206, fresh + " | Content-Range: bytes 0-9/20", ReasonNone},
		{"3.3 a part that does not say which", "GET", "", 206, fresh, PartialUnusable},
		{"3.3 a part that says it twice", "GET", "", 206, fresh + " | Content-Range: bytes 0-9/20 | Content-Range: bytes 0-9/20", PartialUnusable},
		{"3.3 several parts", "GET", "", 206, fresh + " | Content-Type: multipart/byteranges; boundary=x", PartialUnusable},
		{"3.3 several parts with the field of one", "GET", "", 206, fresh + " | Content-Type: Multipart/ByteRanges; boundary=x | Content-Range: bytes 0-9/20", PartialUnusable},
		{"3.3 a part as the answer to a HEAD", "HEAD", "", 206, fresh + " | Content-Range: bytes 0-9/20", PartialUnusable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, why := Admit(request(tc.method, tc.request), response(tc.status, tc.response), Times{t0, t0}, plain())
			assert.Equal(t, tc.want, why, "reason %s", why)
			assert.Equal(t, tc.want == ReasonNone, s != nil)
		})
	}
}

// RFC 9110, 9.3.3.
func TestAdmitPost(t *testing.T) {
	for _, tc := range []struct {
		name     string
		response string
		locates  bool
		status   int
		want     Reason
	}{
		{"9110 9.3.3 explicit freshness and Content-Location", "Cache-Control: max-age=60", true, 200, ReasonNone},
		{"9110 9.3.3 Expires is explicit", "Expires: {60s}", true, 200, ReasonNone},
		{"9110 9.3.3 without Content-Location", "Cache-Control: max-age=60", false, 200, ContentLocation},
		{"9110 9.3.3 without explicit freshness", "Cache-Control: public | Last-Modified: {-60s}", true, 200, ContentLocation},
		{"9110 9.3.3 an invalid lifetime is none", `Cache-Control: max-age=x | ETag: "a"`, true, 200, ContentLocation},
		{"9213 2.2 Expires does not count beside a targeted field", "CDN-Cache-Control: public | Expires: {60s} | Last-Modified: {-60s}", true, 200, ContentLocation},
		{"9110 9.3.3 not a success", "Cache-Control: max-age=60", true, 301, ContentLocation},
		{"9110 9.3.3 a part", "Cache-Control: max-age=60 | Content-Range: bytes 0-9/20", true, 206, PartialUnusable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rs := response(tc.status, tc.response)
			rs.LocatesTarget = tc.locates
			s, why := Admit(request("POST", ""), rs, Times{t0, t0}, plain())
			require.Equal(t, tc.want, why, "reason %s", why)
			if s != nil {
				d := Judge(request("GET", ""), []*Stored{s}, t0)
				assert.Equal(t, Serve, d.Action, "it answers a GET")
			}
		})
	}
}

// RFC 9111, 3.5.
func TestAdmitAuthorization(t *testing.T) {
	for _, tc := range []struct {
		name, request, response string
		want                    Reason
	}{
		{"3.5 no permission", "Authorization: Basic x", "Cache-Control: max-age=60", Authorization},
		{"3.5 credentials that are empty", "Authorization: ", "Cache-Control: max-age=60", Authorization},
		{"3.5 without credentials", "", "Cache-Control: max-age=60", ReasonNone},
		{"3.5 a cookie is no credential", "Cookie: a=b", "Cache-Control: max-age=60", ReasonNone},
		{"3.5 public", "Authorization: Basic x", "Cache-Control: max-age=60, public", ReasonNone},
		{"3.5 must-revalidate", "Authorization: Basic x", "Cache-Control: max-age=60, must-revalidate", ReasonNone},
		{"3.5 s-maxage", "Authorization: Basic x", "Cache-Control: s-maxage=60", ReasonNone},
		{"3.5 s-maxage=0", "Authorization: Basic x", `Cache-Control: s-maxage=0 | ETag: "a"`, ReasonNone},
		{"3.5 proxy-revalidate is no permission", "Authorization: Basic x", "Cache-Control: max-age=60, proxy-revalidate", Authorization},
		{"3.5 Expires is no permission", "Authorization: Basic x", "Expires: {60s}", Authorization},
		{"3.5 public with an argument is no permission", "Authorization: Basic x", "Cache-Control: max-age=60, public=1", Authorization},
		{"3.5 must-revalidate with an argument is no permission", "Authorization: Basic x", "Cache-Control: max-age=60, must-revalidate=1", Authorization},
		{"3.5 s-maxage that is no number is no permission", "Authorization: Basic x", `Cache-Control: s-maxage=x | ETag: "a"`, Authorization},
		{"3.5 private beside a permission", "Authorization: Basic x", "Cache-Control: public, private, max-age=60", Private},
		{"9213 2.1 a permission in a targeted field", "Authorization: Basic x", "CDN-Cache-Control: max-age=60, public", ReasonNone},
		{"9213 2.2 a permission beside a targeted field", "Authorization: Basic x", "CDN-Cache-Control: max-age=60 | Cache-Control: public", Authorization},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, why := Admit(request("GET", tc.request), response(200, tc.response), Times{t0, t0}, plain())
			assert.Equal(t, tc.want, why, "reason %s", why)
		})
	}
}

// Every status in both profiles: with explicit freshness, as public, with what
// heuristics need, and with a validator alone.
func TestAdmitStatus(t *testing.T) {
	set := func(statuses ...int) map[int]bool {
		m := map[int]bool{}
		for _, s := range statuses {
			m[s] = true
		}
		return m
	}
	everyFinal := map[int]bool{}
	for s := 200; s < 600; s++ {
		everyFinal[s] = true
	}
	for _, s := range []int{226, 304, 412, 416, 428, 429, 431, 511} {
		delete(everyFinal, s)
	}
	for _, profile := range []struct {
		name                string
		rules               Rules
		explicit, heuristic map[int]bool
	}{
		{"default", DefaultRules(), set(200, 203, 204, 206, 300, 301, 302, 307, 308, 404, 410), set(200, 203, 204, 206, 300, 301, 404, 410)},
		{"rfc9111", RFC9111Rules(), everyFinal, set(200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501)},
	} {
		for _, kind := range []struct {
			name, header string
			stored       map[int]bool
		}{
			{"max-age", "Cache-Control: max-age=60", profile.explicit},
			{"Expires", "Expires: {60s}", profile.explicit},
			{"public", "Cache-Control: public | Last-Modified: {-60s}", profile.explicit},
			{"Last-Modified", "Last-Modified: {-60s}", profile.heuristic},
			{"ETag", `ETag: "a"`, profile.heuristic},
			{"must-revalidate", `Cache-Control: must-revalidate | ETag: "a"`, profile.heuristic},
		} {
			t.Run(fmt.Sprintf("%s profile, %s", profile.name, kind.name), func(t *testing.T) {
				for _, status := range append([]int{-1, 0, 1, 100, 199, 600, 999, 1 << 40}, statuses()...) {
					_, why := Admit(request("GET", ""), response(status, kind.header+" | Content-Range: bytes 0-9/20"), Times{t0, t0}, &profile.rules)
					want := StatusNever
					switch {
					case kind.stored[status]:
						want = ReasonNone
					case profile.explicit[status]:
						want = StatusNeedsExplicit
					}
					assert.Equal(t, want, why, "status %d: %s", status, why)
				}
			})
		}
	}
}

func statuses() (all []int) {
	for s := 200; s < 600; s++ {
		all = append(all, s)
	}
	return all
}

func TestAdmitSetCookie(t *testing.T) {
	const fresh = "Cache-Control: max-age=60"
	for _, tc := range []struct {
		name   string
		rule   CookieRule
		header string
		want   Reason
	}{
		{"7.3 refused", RefuseCookie, fresh + " | Set-Cookie: a=b", SetCookie},
		{"7.3 refused although public", RefuseCookie, "Cache-Control: public, max-age=60 | Set-Cookie: a=b", SetCookie},
		{"7.3 without a cookie", RefuseCookie, fresh, ReasonNone},
		{"5.2.2.7 the origin excludes the cookie", RefuseCookie, `Cache-Control: max-age=60, private="set-cookie" | Set-Cookie: a=b`, ReasonNone},
		{"5.2.2.4 the origin excludes the cookie", RefuseCookie, `Cache-Control: max-age=60, no-cache="Foo, Set-Cookie" | Set-Cookie: a=b`, ReasonNone},
		{"5.2.2.4 the origin excludes another field", RefuseCookie, `Cache-Control: max-age=60, no-cache="Foo" | Set-Cookie: a=b`, SetCookie},
		{"7.3 stripped", StripCookie, fresh + " | Set-Cookie: a=b", ReasonNone},
		{"7.3 kept", KeepCookie, fresh + " | Set-Cookie: a=b", ReasonNone},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := plain()
			r.SetCookie = tc.rule
			_, why := Admit(request("GET", ""), response(200, tc.header), Times{t0, t0}, r)
			assert.Equal(t, tc.want, why, "reason %s", why)
		})
	}
}

// What is remembered of a response.
func TestAdmitRemembers(t *testing.T) {
	r := plain()
	r.GraceRevalidate, r.GraceError = 7*time.Second, 9*time.Second
	s, _ := Admit(request("GET", "Foo: 1 | Bar: 2"), response(200, `Cache-Control: max-age=60, immutable, stale-if-error=5 | Age: 3 | Date: {-1s} | `+
		`ETag: W/"a" | Last-Modified: {-100s} | Vary: foo, BAR | Content-Language: de`), Times{t0, t0.Add(2 * time.Second)}, r)
	require.NotNil(t, s)
	assert.Equal(t, &Stored{
		Method: "GET", Status: 200, Times: Times{t0, t0.Add(2 * time.Second)},
		Date: t0.Add(-time.Second), InitialAge: 5 * time.Second, Lifetime: time.Minute, Source: SourceMaxAge,
		Immutable: true, StaleWhileRevalidate: 7 * time.Second, StaleIfError: 5 * time.Second,
		ETag: `W/"a"`, LastModified: t0.Add(-100 * time.Second),
		Vary: []string{"Bar", "Foo"}, VaryValues: []string{"2", "1"}, ContentLanguage: "de",
	}, s)
}

// RFC 9111, 4.2.4: who forbids the use of what is stale.
func TestAdmitStaleWindows(t *testing.T) {
	const windows = ", stale-while-revalidate=5, stale-if-error=6"
	for _, tc := range []struct {
		name, header string
		swr, sie     time.Duration
		must         bool
	}{
		{"5861 3 and 4 the origin's windows", "Cache-Control: max-age=60" + windows, 5 * time.Second, 6 * time.Second, false},
		{"5861 3 the operator's where the origin says nothing", "Cache-Control: max-age=60", time.Minute, time.Hour, false},
		{"5861 3 the shorter of two", "Cache-Control: max-age=60, stale-while-revalidate=3, stale-while-revalidate=2", 2 * time.Second, time.Hour, false},
		{"5861 3 not a number", "Cache-Control: max-age=60, stale-while-revalidate=-1, stale-if-error=1.5", 0, 0, false},
		{"5861 3 without a number", "Cache-Control: max-age=60, stale-while-revalidate, stale-if-error=", 0, 0, false},
		{"5861 3 quoted", `Cache-Control: max-age=60, stale-while-revalidate="3"`, 3 * time.Second, time.Hour, false},
		{"5.2.2.2 must-revalidate", "Cache-Control: max-age=60, must-revalidate" + windows, 0, 0, true},
		{"5.2.2.8 proxy-revalidate", "Cache-Control: max-age=60, proxy-revalidate" + windows, 0, 0, true},
		{"5.2.2.10 s-maxage", "Cache-Control: s-maxage=60" + windows, 0, 0, true},
		{"5.2.2.10 s-maxage that is no number", `Cache-Control: s-maxage=x | ETag: "a"`, 0, 0, true},
		{"5.2.2.4 no-cache", `Cache-Control: no-cache, max-age=60` + windows, 0, 0, true},
		{"5.4 Pragma alone", `Pragma: No-Cache | Expires: Mon, 02 Jan 2106 15:04:05 GMT`, 0, 0, true},
		{"5.2.2.2 must-revalidate with rubbish", "Cache-Control: max-age=60, must-revalidate=x" + windows, 0, 0, true},
		{"5.2.2.4 qualified no-cache does not", `Cache-Control: no-cache="Foo", max-age=60` + windows, 5 * time.Second, 6 * time.Second, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := plain()
			r.GraceRevalidate, r.GraceError = time.Minute, time.Hour
			s, why := Admit(request("GET", ""), response(200, tc.header), Times{t0, t0}, r)
			require.NotNil(t, s, "refused: %s", why)
			assert.Equal(t, tc.swr, s.StaleWhileRevalidate, "stale-while-revalidate")
			assert.Equal(t, tc.sie, s.StaleIfError, "stale-if-error")
			assert.Equal(t, tc.must, s.MustRevalidate)
		})
	}
}

// RFC 9110, 8.8.3.
func TestEntityTag(t *testing.T) {
	for header, want := range map[string]string{
		`ETag: "a"`: `"a"`, `ETag: W/"a"`: `W/"a"`, `ETag: ""`: `""`, `ETag:  "a" `: `"a"`, `ETag: "a,b"`: `"a,b"`, "ETag: \"\xe9\"": "\"\xe9\"",
		`ETag: a`: "", `ETag: w/"a"`: "", `ETag: W/a`: "", `ETag: "a`: "", `ETag: a"`: "", `ETag: "`: "", `ETag: W/"`: "", `ETag: "a"b"`: "",
		`ETag: "a", "b"`: "", `ETag: "a" | ETag: "a"`: "", `ETag: `: "", ``: "",
	} {
		t.Run("9110 8.8.3 "+header, func(t *testing.T) {
			assert.Equal(t, want, etag(fields(header)))
		})
	}
}

func TestRuleNames(t *testing.T) {
	assert.Equal(t, "never explicit heuristic", fmt.Sprint(Never, Explicit, Heuristic))
	assert.Equal(t, "refuse strip keep", fmt.Sprint(RefuseCookie, StripCookie, KeepCookie))
}
