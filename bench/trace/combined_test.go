package trace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCombined(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 14, 15, 0, time.UTC)
	const head = `192.0.2.7 - - [29/Feb/2024:13:14:15 +0100] `
	for _, tc := range []struct {
		name, line string
		want       Request
	}{
		{"common", head + `"GET /a?b=c HTTP/1.1" 200 1024`,
			Request{Method: "GET", Target: "/a?b=c", Status: 200, Size: 1024}},
		{"combined", head + `"HEAD / HTTP/2.0" 404 0 "https://example.com/" "curl/8.5.0"`,
			Request{Method: "HEAD", Target: "/", Status: 404}},
		{"more fields behind", head + `"GET / HTTP/1.1" 200 7 "-" "-" 0.004 "upstream" HIT`,
			Request{Method: "GET", Target: "/", Status: 200, Size: 7}},
		{"no bytes in Apache", head + `"GET /a HTTP/1.1" 304 -`,
			Request{Method: "GET", Target: "/a", Status: 304}},
		{"a site in front", `example.com:443 2001:db8::1 - - [29/Feb/2024:13:14:15 +0100] "GET /a HTTP/1.1" 200 5 "-" "-"`,
			Request{Method: "GET", Host: "example.com:443", Target: "/a", Status: 200, Size: 5}},
		{"a user with a space", `2001:db8::1 - Jane Doe [29/Feb/2024:13:14:15 +0100] "GET /a HTTP/1.1" 200 5`,
			Request{Method: "GET", Target: "/a", Status: 200, Size: 5}},
		{"a whole URL", head + `"GET http://Example.com?q HTTP/1.1" 200 5`,
			Request{Method: "GET", Host: "Example.com", Target: "/?q", Status: 200, Size: 5}},
		{"HTTP/0.9", head + `"GET /a" 200 5`,
			Request{Method: "GET", Target: "/a", Status: 200, Size: 5}},
		{"escapes of nginx", head + `"GET /\xC3\xA9\x22\x5C HTTP/1.1" 200 5`,
			Request{Method: "GET", Target: "/é\"\\", Status: 200, Size: 5}},
		{"escapes of Apache", head + `"GET /\"\\\q HTTP/1.1" 200 5`,
			Request{Method: "GET", Target: "/\"\\\\q", Status: 200, Size: 5}},
		{"cacheproxy kept it", head + `"GET / HTTP/1.1" 200 7 "-" "-" "serve/fresh"`,
			Request{Method: "GET", Target: "/", Status: 200, Size: 7}},
		{"cacheproxy passed it", head + `"GET / HTTP/1.1" 200 7 "-" "-" "pass/bypass"`,
			Request{Method: "GET", Target: "/", Status: 200, Size: 7, Private: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseCombined(tc.line)
			require.NoError(t, err)
			assert.True(t, got.Time.Equal(at), got.Time)
			got.Time = time.Time{}
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestCombinedRefuses(t *testing.T) {
	const head = `192.0.2.7 - - [29/Feb/2024:13:14:15 +0100] `
	for _, tc := range []struct{ name, line, want string }{
		{"no time", `192.0.2.7 - - "GET / HTTP/1.1" 200 5`, `no "[time]"`},
		{"another time", `192.0.2.7 - - [2024-02-29] "GET / HTTP/1.1" 200 5`, `time "2024-02-29" is not like 02/Jan/2006`},
		{"cut off in the time", `192.0.2.7 - - [29/Feb`, `no "request" in quotes`},
		{"cut off in the request", head + `"GET /a`, "a quote is not closed"},
		{"cut off behind a backslash", head + `"GET /a\`, "a quote is not closed"},
		{"cut off behind the request", head + `"GET /a HTTP/1.1"`, `status "" is not`},
		{"cut off behind the status", head + `"GET /a HTTP/1.1" 200`, `size "" is not a number`},
		{"no request", head + `"-" 408 -`, `"-" is not a request line`},
		{"TLS on a plain port", head + `"\x16\x03\x01" 400 157`, "is not a request line"},
		{"another protocol", head + `"GET /a RTSP/1.0" 400 157`, "no HTTP/ behind the target"},
		{"a space in the target", head + `"GET /a b HTTP/1.1" 400 157`, "no HTTP/ behind the target"},
		{"a control character", head + `"GET /\x01 HTTP/1.1" 400 157`, "space or control character"},
		{"a proxy is asked", head + `"CONNECT example.com:443 HTTP/1.1" 405 1`, "does not begin with a slash"},
		{"lower case", head + `"get / HTTP/1.1" 400 1`, `"get" is not a method`},
		{"no method", head + `" / HTTP/1.1" 400 1`, "the method is missing"},
		{"status 000", head + `"GET / HTTP/1.1" 000 1`, `status "000"`},
		{"a negative size", head + `"GET / HTTP/1.1" 200 -1`, `size "-1" is not a number`},
		{"an absurd size", head + `"GET / HTTP/1.1" 200 9223372036854775807`, "more than 1TiB"},
		{"an impossible size", head + `"GET / HTTP/1.1" 200 99999999999999999999`, "not a number below 2^64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseCombined(tc.line)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}
