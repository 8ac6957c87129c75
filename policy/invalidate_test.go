package policy

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}

// RFC 9111, 4.4.
func TestInvalidates(t *testing.T) {
	const target = "http://a.example/x/y?q"
	for _, tc := range []struct {
		name   string
		method string
		status int
		header string
		want   []string
	}{
		{"4.4 POST", "POST", 200, "", []string{target}},
		{"4.4 PUT", "PUT", 201, "", []string{target}},
		{"4.4 DELETE", "DELETE", 204, "", []string{target}},
		{"4.4 PATCH", "PATCH", 200, "", []string{target}},
		{"4.4 a method that is not known is not safe", "FOO", 200, "", []string{target}},
		{"4.4 methods have case", "get", 200, "", []string{target}},
		{"4.4 a redirect is no error", "POST", 303, "", []string{target}},
		{"4.4 the last status that is no error", "POST", 399, "", []string{target}},
		{"4.4 a client error", "POST", 400, "", nil},
		{"4.4 a server error", "POST", 500, "", nil},
		{"4.4 an interim answer", "POST", 103, "", nil},
		{"9110 9.2.1 GET is safe", "GET", 200, "Location: /z", nil},
		{"9110 9.2.1 HEAD is safe", "HEAD", 200, "", nil},
		{"9110 9.2.1 OPTIONS is safe", "OPTIONS", 200, "", nil},
		{"9110 9.2.1 TRACE is safe", "TRACE", 200, "", nil},
		{"10008 QUERY is safe", "QUERY", 200, "", nil},
		{"4.4 Location", "POST", 201, "Location: /z", []string{target, "http://a.example/z"}},
		{"4.4 Content-Location", "POST", 200, "Content-Location: z?p", []string{target, "http://a.example/x/z?p"}},
		{"4.4 both", "POST", 200, "Location: /z | Content-Location: /w", []string{target, "http://a.example/z", "http://a.example/w"}},
		{"4.4 an absolute URL", "POST", 200, "Location: HTTP://A.example/z#f", []string{target, "http://A.example/z"}},
		{"4.4 the default port", "POST", 200, "Location: http://a.example:80/z", []string{target, "http://a.example:80/z"}},
		{"4.4 another host is not ours to invalidate", "POST", 200, "Location: http://b.example/z", []string{target}},
		{"4.4 another host without a scheme", "POST", 200, "Location: //b.example/z", []string{target}},
		{"4.4 another scheme", "POST", 200, "Location: https://a.example/z", []string{target}},
		{"4.4 another port", "POST", 200, "Location: http://a.example:81/z", []string{target}},
		{"4.4 no URL", "POST", 200, "Location: http://%zz/ | Content-Location: :", []string{target}},
		{"4.4 empty", "POST", 200, "Location: ", []string{target}},
		{"4.4 no hierarchy", "POST", 200, "Location: mailto:a@b", []string{target}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, u := range Invalidates(tc.method, mustURL(t, target), tc.status, fields(tc.header)) {
				got = append(got, u.String())
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

// RFC 9110, 8.7 and 9.3.3.
func TestLocatesTarget(t *testing.T) {
	for header, want := range map[string]bool{
		"Content-Location: http://a.example/x?q":    true,
		"Content-Location: /x?q":                    true,
		"Content-Location: x?q":                     true,
		"Content-Location: //A.EXAMPLE:80/x?q#f":    true,
		"Content-Location: /x":                      false,
		"Content-Location: /x?q2":                   false,
		"Content-Location: /%78?q":                  false,
		"Content-Location: https://a.example/x?q":   false,
		"Content-Location: http://b.example/x?q":    false,
		"Content-Location: http://a.example:81/x?q": false,
		"Content-Location: ":                        false,
		"Location: /x?q":                            false,
		"":                                          false,
	} {
		assert.Equal(t, want, LocatesTarget(mustURL(t, "http://a.example/x?q"), fields(header)), header)
	}
}
