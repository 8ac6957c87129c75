package policy

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

// RFC 9111, 2 and RFC 9110, 4.2.3: equal keys for URLs that are equal by the
// rules for http and https, different ones for all others.
func TestKey(t *testing.T) {
	for _, tc := range []struct {
		name, a, b string
		equal      bool
	}{
		{"9110 4.2.3 a host has no case", "http://A.example/x", "http://a.EXAMPLE/x", true},
		{"9110 4.2.3 the default port of http", "http://a.example:80/x", "http://a.example/x", true},
		{"9110 4.2.3 the default port of https", "https://a.example:443/x", "https://a.example/x", true},
		{"9110 4.2.3 an empty path is /", "http://a.example", "http://a.example/", true},
		{"9110 4.2.3 an empty path before a query", "http://a.example?q", "http://a.example/?q", true},
		{"the dot of a full name", "http://a.example.:80/", "http://a.example/", true},
		{"a fragment is not sent", "http://a.example/x#f", "http://a.example/x", true},
		{"the scheme counts", "http://a.example/", "https://a.example/", false},
		{"the port of the other scheme counts", "http://a.example:443/", "http://a.example/", false},
		{"another port counts", "http://a.example:8080/", "http://a.example/", false},
		{"a path has case", "http://a.example/x", "http://a.example/X", false},
		{"an escaped slash is no slash", "http://a.example/x%2Fy", "http://a.example/x/y", false},
		{"a trailing slash counts", "http://a.example/x/", "http://a.example/x", false},
		{"an escaped question mark is no query", "http://a.example/x%3Fq", "http://a.example/x?q", false},
		{"an empty query counts", "http://a.example/x?", "http://a.example/x", false},
		{"the order of a query counts", "http://a.example/x?a&b", "http://a.example/x?b&a", false},
		{"the case of a query counts", "http://a.example/x?a", "http://a.example/x?A", false},
		{"IPv6", "http://[::1]:80/", "http://[::1]/", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.equal, Key(mustURL(t, tc.a)) == Key(mustURL(t, tc.b)))
		})
	}
	assert.Equal(t, "https://a.example:8443/x%20y?q=1", Key(mustURL(t, "https://A.example:8443/x%20y?q=1")))
}

func TestQueryRules(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rules QueryRules
		query string
		want  string
	}{
		{"no rules leave all as it is", QueryRules{}, "b=1&&a", "b=1&&a"},
		{"an empty query", QueryRules{Sort: true}, "", ""},
		{"drop", QueryRules{Drop: []Glob{"utm_*", "x"}}, "utm_a=1&b=2&x&xx=3", "b=2&xx=3"},
		{"drop by the decoded name", QueryRules{Drop: []Glob{"a b"}}, "a%20b=1&a+b=2&ab=3", "ab=3"},
		{"a name that cannot be decoded", QueryRules{Drop: []Glob{"%zz"}}, "%zz=1&b=2", "b=2"},
		{"values do not matter", QueryRules{Drop: []Glob{"x"}}, "a=x&b=x", "a=x&b=x"},
		{"keep", QueryRules{Keep: []Glob{"a", "b*"}}, "a=1&bc=2&d=3&a=4", "a=1&bc=2&a=4"},
		{"keep nothing", QueryRules{Keep: []Glob{}}, "a=1&b=2", ""},
		{"drop wins over keep", QueryRules{Keep: []Glob{"*"}, Drop: []Glob{"a"}}, "a=1&b=2", "b=2"},
		{"sort", QueryRules{Sort: true}, "b=1&a=2&B=3", "B=3&a=2&b=1"},
		{"sort keeps the order of equal names", QueryRules{Sort: true}, "b=2&a=1&b=1", "a=1&b=2&b=1"},
		{"empty parameters go", QueryRules{Sort: true}, "&b&&a&", "a&b"},
		{"a parameter without a name stays", QueryRules{Sort: true}, "b&=1", "=1&b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := tc.rules.Apply(tc.query)
			assert.Equal(t, tc.want, got)
			assert.Equal(t, got, tc.rules.Apply(got), "twice is once")
		})
	}
}

func TestKeyLeavesTheURL(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "A.example:80"}
	assert.Equal(t, "http://a.example/", Key(u))
	assert.Equal(t, "A.example:80", u.Host)
}

// TestHostIsItsOwnForm: two spellings with one key reach the origin as one host.
func TestHostIsItsOwnForm(t *testing.T) {
	for _, host := range []string{"A.example", "a.example.", "a.example..", "a.example...:8080", "a.example.:80", "[::1]:80", "."} {
		for _, scheme := range []string{"http", "https"} {
			once := Host(scheme, host)
			assert.Equal(t, once, Host(scheme, once), "%s %s", scheme, host)
		}
	}
}
