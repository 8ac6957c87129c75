package policy

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

// RFC 9110, 7.6.1.
func TestRemoveHopByHop(t *testing.T) {
	for _, tc := range []struct{ name, header, want string }{
		{"9110 7.6.1 nothing to remove", "Foo: 1 | Bar: 2", "Foo: 1 | Bar: 2"},
		{"9110 7.6.1 the known ones", "Foo: 1 | Keep-Alive: a | Te: a | Transfer-Encoding: a | Upgrade: a | Trailer: a | Proxy-Connection: a", "Foo: 1"},
		{"9110 7.6.1 what Connection names", "Connection: close, foo ,BAR | Foo: 1 | Bar: 2 | Baz: 3", "Baz: 3"},
		{"9110 7.6.1 on several lines", "Connection: foo | Connection: bar | Foo: 1 | Bar: 2 | Baz: 3", "Baz: 3"},
		{"9110 7.6.1 what is meant for all cannot be named", "Connection: Cache-Control, Vary, Set-Cookie, Authorization | Cache-Control: private | Vary: a | Set-Cookie: a=b | Authorization: x",
			"Cache-Control: private | Vary: a | Set-Cookie: a=b | Authorization: x"},
		{"9110 11.7 those for proxies", "Proxy-Authenticate: a | Proxy-Authorization: a | Proxy-Authentication-Info: a | WWW-Authenticate: b", "WWW-Authenticate: b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := fields(tc.header)
			RemoveHopByHop(h)
			assert.Equal(t, fields(tc.want), h)
		})
	}
}

// RFC 9111, 3.1.
func TestStorable(t *testing.T) {
	for _, tc := range []struct{ name, header, want string }{
		{"3.1 unknown fields are stored", "Foo: 1 | Foo: 2 | Set-Cookie: a=b", "Foo: 1 | Foo: 2 | Set-Cookie: a=b"},
		{"3.1 those of the connection are not", "Connection: foo, close | Foo: 1 | Keep-Alive: 1 | Bar: 2", "Bar: 2"},
		{"3.1 those for proxies are not", "Proxy-Authenticate: a | Bar: 2", "Bar: 2"},
		{"4 Age is computed anew", "Age: 5 | Bar: 2", "Bar: 2"},
		{"5.2.2.7 those that private names", `Cache-Control: private="foo, BAR" | Foo: 1 | Bar: 2 | Baz: 3`, `Cache-Control: private="foo, BAR" | Baz: 3`},
		{"5.2.2.4 those that no-cache names", `Cache-Control: no-cache="foo" | Cache-Control: no-cache="bar" | Foo: 1 | Bar: 2`, `Cache-Control: no-cache="foo" | Cache-Control: no-cache="bar"`},
		{"5.2.2.4 without quotes", `Cache-Control: no-cache=foo | Foo: 1 | Bar: 2`, `Cache-Control: no-cache=foo | Bar: 2`},
		{"9213 2.2 those that a targeted field names", `Cdn-Cache-Control: private="foo" | Cache-Control: private="bar" | Foo: 1 | Bar: 2`,
			`Cdn-Cache-Control: private="foo" | Cache-Control: private="bar" | Bar: 2`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := fields(tc.header)
			assert.Equal(t, fields(tc.want), Storable(h, plain()))
			assert.Equal(t, fields(tc.header), h, "the argument is left alone")
		})
	}
}

// RFC 9111, 3.2.
func TestMerge(t *testing.T) {
	for _, tc := range []struct{ name, stored, newer, want string }{
		{"3.2 a new field is added", "Foo: 1", "Bar: 2", "Foo: 1 | Bar: 2"},
		{"3.2 a stored one is replaced", "Foo: 1 | Foo: 2 | Bar: 3", "Foo: 4", "Foo: 4 | Bar: 3"},
		{"3.2 one that is not repeated stays", "Foo: 1", "", "Foo: 1"},
		{"3.2 Cache-Control, Expires and Date are replaced", "Cache-Control: max-age=1 | Expires: x | Date: y", "Cache-Control: max-age=2 | Expires: a | Date: b", "Cache-Control: max-age=2 | Expires: a | Date: b"},
		{"3.2 Content-Length stays", "Content-Length: 10", "Content-Length: 0", "Content-Length: 10"},
		{"3.2 Content-Length is not added", "Foo: 1", "Content-Length: 0", "Foo: 1"},
		{"3.2 what describes the stored content stays", "Content-Encoding: gzip", "Content-Encoding: br | Content-Range: bytes 0-1/2 | Content-MD5: x", "Content-Encoding: gzip"},
		{"3.2 the entity tag that was confirmed stays", `ETag: W/"a"`, `ETag: "a"`, `ETag: W/"a"`},
		{"3.2 an entity tag where none was is added", `Foo: 1`, `ETag: "a"`, `Foo: 1 | ETag: "a"`},
		{"3.2 Content-Type is replaced", "Content-Type: text/plain", "Content-Type: text/html", "Content-Type: text/html"},
		{"3.2 fields of the connection are not added", "Foo: 1", "Connection: bar | Bar: 2 | Transfer-Encoding: chunked | Proxy-Authenticate: x", "Foo: 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stored, newer := fields(tc.stored), fields(tc.newer)
			Merge(stored, newer)
			assert.Equal(t, fields(tc.want), stored)
			stored.Set("Foo", "changed")
			assert.Equal(t, fields(tc.newer), newer, "the newer ones are left alone")
		})
	}
}

func TestApplyCookieRule(t *testing.T) {
	for rule, want := range map[CookieRule]http.Header{
		RefuseCookie: fields("Set-Cookie: a=b | Set-Cookie2: c | Foo: 1"),
		KeepCookie:   fields("Set-Cookie: a=b | Set-Cookie2: c | Foo: 1"),
		StripCookie:  fields("Foo: 1"),
	} {
		h := fields("Set-Cookie: a=b | Set-Cookie2: c | Foo: 1")
		ApplyCookieRule(h, &Rules{SetCookie: rule})
		assert.Equal(t, want, h, "%s", rule)
	}
}
