package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func seconds(n int) lifetimeDirective {
	return lifetimeDirective{present: true, value: time.Duration(n) * time.Second}
}

var invalid = lifetimeDirective{present: true, invalid: true}

// RFC 9111, 5.2 and 5.2.2.
func TestResponseDirectives(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lines []string
		want  ResponseDirectives
	}{
		{"5.2 none", nil, ResponseDirectives{}},
		{"5.2 empty", []string{"", " ", ",,", " , "}, ResponseDirectives{}},
		{"5.2.2.1 max-age", []string{"max-age=60"}, ResponseDirectives{MaxAge: seconds(60)}},
		{"5.2.2.2 must-revalidate", []string{"must-revalidate"}, ResponseDirectives{MustRevalidate: true}},
		{"5.2.2.3 must-understand", []string{"must-understand"}, ResponseDirectives{MustUnderstand: true}},
		{"5.2.2.3 must-understand with an argument", []string{"must-understand=1"}, ResponseDirectives{}},
		{"5.2.2.4 no-cache", []string{"no-cache"}, ResponseDirectives{NoCache: true}},
		{"5.2.2.4 no-cache with names", []string{`no-cache="foo, Bar"`}, ResponseDirectives{NoCacheFields: []string{"Bar", "Foo"}}},
		{"5.2.2.4 no-cache with a name that is not quoted", []string{`no-cache=foo`}, ResponseDirectives{NoCacheFields: []string{"Foo"}}},
		{"5.2.2.4 no-cache with empty members", []string{`no-cache=" ,foo,, "`}, ResponseDirectives{NoCacheFields: []string{"Foo"}}},
		{"5.2.2.4 no-cache with an empty list", []string{`no-cache=""`}, ResponseDirectives{NoCache: true}},
		{"5.2.2.4 no-cache with nothing", []string{`no-cache=`}, ResponseDirectives{NoCache: true}},
		{"5.2.2.4 no-cache with an unclosed quote", []string{`no-cache="foo`}, ResponseDirectives{NoCache: true}},
		{"5.2.2.4 no-cache with what is no name", []string{`no-cache="foo:bar"`}, ResponseDirectives{NoCache: true, NoCacheFields: []string{"foo:bar"}}},
		{"5.2.2.4 both forms", []string{`no-cache="foo"`, "no-cache"}, ResponseDirectives{NoCache: true, NoCacheFields: []string{"Foo"}}},
		{"5.2.2.5 no-store", []string{"no-store"}, ResponseDirectives{NoStore: true}},
		{"5.2.2.6 no-transform is not ours", []string{"no-transform"}, ResponseDirectives{}},
		{"5.2.2.7 private", []string{"private"}, ResponseDirectives{Private: true}},
		{"5.2.2.7 private with names, twice", []string{`private="foo"`, `private="bar"`}, ResponseDirectives{PrivateFields: []string{"Foo", "Bar"}}},
		{"5.2.2.7 private with a missing quote", []string{`private=foo", max-age=60`}, ResponseDirectives{Private: true, MaxAge: invalid}},
		{"5.2.2.8 proxy-revalidate", []string{"proxy-revalidate"}, ResponseDirectives{ProxyRevalidate: true}},
		{"5.2.2.9 public", []string{"public"}, ResponseDirectives{Public: true}},
		{"5.2.2.9 public with an argument", []string{"public=1"}, ResponseDirectives{}},
		{"5.2.2.10 s-maxage", []string{"s-maxage=60"}, ResponseDirectives{SMaxAge: seconds(60)}},
		{"5861 3 stale-while-revalidate", []string{"stale-while-revalidate=60"}, ResponseDirectives{StaleWhileRevalidate: seconds(60)}},
		{"5861 4 stale-if-error", []string{"stale-if-error=60"}, ResponseDirectives{StaleIfError: seconds(60)}},
		{"5861 4 stale-if-error=0 is a value", []string{"stale-if-error=0"}, ResponseDirectives{StaleIfError: seconds(0)}},
		{"8246 2 immutable", []string{"immutable"}, ResponseDirectives{Immutable: true}},
		{"8246 2 immutable with an argument", []string{"immutable=1"}, ResponseDirectives{}},
		{"5.2.3 what is unknown is ignored", []string{`foo, bar=1, baz="max-age=5, no-store"`}, ResponseDirectives{}},

		{"5.2 case does not matter", []string{"No-STORE, MAX-age=1"}, ResponseDirectives{NoStore: true, MaxAge: seconds(1)}},
		{"5.2 tabs around members", []string{"\tno-store\t,\tpublic\t"}, ResponseDirectives{NoStore: true, Public: true}},
		{"5.2 the smaller of two", []string{"max-age=5, max-age=3", "max-age=4"}, ResponseDirectives{MaxAge: seconds(3)}},
		{"5.2 an invalid one of two", []string{"max-age=5, max-age=, max-age=4"}, ResponseDirectives{MaxAge: invalid}},
		{"5.2 a missing comma", []string{"max-age=5 no-store"}, ResponseDirectives{MaxAge: invalid, NoStore: true}},
		{"5.2 a semicolon", []string{"public; max-age=5; must-revalidate"}, ResponseDirectives{MaxAge: invalid, ProxyRevalidate: true}},
		{"5.2 a colon", []string{"max-age: 5"}, ResponseDirectives{MaxAge: invalid}},
		{"5.2 restrictions with arguments", []string{"no-store=1, must-revalidate=1, proxy-revalidate=1"}, ResponseDirectives{NoStore: true, ProxyRevalidate: true}},
		{"5.2 an unclosed quote hides no restriction", []string{`foo="bar, no-store, private`}, ResponseDirectives{NoStore: true, Private: true}},
		{"5.2 an unclosed quote ends with its line", []string{`foo="bar`, "public"}, ResponseDirectives{Public: true}},
		{"5.2 permissions behind an unclosed quote", []string{`foo="bar, public, immutable, must-understand, max-age=60`}, ResponseDirectives{MaxAge: invalid}},
		{"5.2 rubbish behind a quoted string", []string{`max-age="5"x, private="a"b`}, ResponseDirectives{MaxAge: invalid, Private: true}},
		{"5.2 an escaped number", []string{`max-age="\5"`}, ResponseDirectives{MaxAge: invalid}},
		{"5.2 windows in a broken member", []string{"stale-while-revalidate=5 stale-if-error=5"}, ResponseDirectives{StaleWhileRevalidate: invalid, StaleIfError: invalid}},
		{"5.2 rubbish", []string{"=, =5, \"\", \x00, \xff=1, @"}, ResponseDirectives{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, ParseResponseDirectives(tc.lines))
		})
	}
}

// RFC 9111, 5.2.1 and 5.4.
func TestRequestDirectives(t *testing.T) {
	forAnyAge := lifetimeDirective{present: true, value: anyAge}
	for _, tc := range []struct {
		name          string
		lines, pragma []string
		want          RequestDirectives
	}{
		{"5.2.1.1 max-age", []string{"max-age=60"}, nil, RequestDirectives{MaxAge: seconds(60)}},
		{"5.2.1.1 max-age=0", []string{"max-age=0"}, nil, RequestDirectives{MaxAge: seconds(0)}},
		{"5.2.1.1 the smaller of two", []string{"max-age=60, max-age=30"}, nil, RequestDirectives{MaxAge: seconds(30)}},
		{"5.2.1.1 not a number", []string{"max-age=-1"}, nil, RequestDirectives{MaxAge: seconds(0)}},
		{"5.2.1.1 many digits and a letter", []string{"max-age=99999999999999999999a"}, nil, RequestDirectives{MaxAge: seconds(0)}},
		{"5.2.1.1 no number", []string{"max-age"}, nil, RequestDirectives{MaxAge: seconds(0)}},
		{"5.2.1.2 max-stale", []string{"max-stale=60"}, nil, RequestDirectives{MaxStale: seconds(60)}},
		{"5.2.1.2 max-stale without a number", []string{"max-stale"}, nil, RequestDirectives{MaxStale: forAnyAge}},
		{"5.2.1.2 the smaller of two", []string{"max-stale=30, max-stale"}, nil, RequestDirectives{MaxStale: seconds(30)}},
		{"5.2.1.2 the smaller of two, the other way round", []string{"max-stale, max-stale=30"}, nil, RequestDirectives{MaxStale: seconds(30)}},
		{"5.2.1.2 not a number", []string{"max-stale=x"}, nil, RequestDirectives{}},
		{"5.2.1.3 min-fresh", []string{"min-fresh=60"}, nil, RequestDirectives{MinFresh: seconds(60)}},
		{"5.2.1.3 the greater of two", []string{"min-fresh=30, min-fresh=60, min-fresh=40"}, nil, RequestDirectives{MinFresh: seconds(60)}},
		{"5.2.1.4 no-cache", []string{"no-cache"}, nil, RequestDirectives{NoCache: true}},
		{"5.2.1.4 no-cache with an argument", []string{`no-cache="Foo"`}, nil, RequestDirectives{NoCache: true}},
		{"5.2.1.5 no-store", []string{"foo, No-Store"}, nil, RequestDirectives{NoStore: true}},
		{"5.2.1.5 no-store after a missing comma", []string{"max-age=5 no-store"}, nil, RequestDirectives{MaxAge: seconds(0), NoStore: true}},
		{"5.2.1.6 no-transform is not ours", []string{"no-transform"}, nil, RequestDirectives{}},
		{"5.2.1.7 only-if-cached", []string{"only-if-cached"}, nil, RequestDirectives{OnlyIfCached: true}},
		{"5861 4 stale-if-error", []string{"stale-if-error=60"}, nil, RequestDirectives{StaleIfError: seconds(60)}},
		{"5861 4 not a number", []string{"stale-if-error=x"}, nil, RequestDirectives{}},
		{"5.2.1 several lines", []string{"max-age=60", "no-cache"}, nil, RequestDirectives{MaxAge: seconds(60), NoCache: true}},
		{"5.4 Pragma", nil, []string{"no-cache"}, RequestDirectives{NoCache: true}},
		{"5.4 Pragma among others", nil, []string{"foo, NO-CACHE, bar", "baz"}, RequestDirectives{NoCache: true}},
		{"5.4 another Pragma", nil, []string{"no-store"}, RequestDirectives{}},
		{"5.4 Pragma is void beside Cache-Control", []string{"max-stale=1"}, []string{"no-cache"}, RequestDirectives{MaxStale: seconds(1)}},
		{"5.4 Pragma is void beside an empty Cache-Control", []string{""}, []string{"no-cache"}, RequestDirectives{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, ParseRequestDirectives(tc.lines, tc.pragma))
		})
	}
}

func TestWithoutDemands(t *testing.T) {
	for line, demands := range map[string]bool{
		"no-cache": true, "max-age=0": true, "max-age=1000": true, "min-fresh=1": true,
		"no-store": false, "max-stale": false, "max-stale=5": false, "stale-if-error=5": false, "only-if-cached": false, "": false,
	} {
		d := ParseRequestDirectives([]string{line}, nil)
		assert.Equal(t, demands, d.Newer(), line)
		rest := d.WithoutDemands()
		assert.False(t, rest.Newer() || rest.NoStore, line)
		if !demands && !d.NoStore {
			assert.Equal(t, d, rest, "what the client tolerates stays: %s", line)
		}
	}
	d := ParseRequestDirectives(nil, []string{"no-cache"})
	assert.True(t, d.Newer(), "5.4 Pragma is a demand")
	assert.Equal(t, RequestDirectives{}, d.WithoutDemands())
}

// RFC 9110, 5.6.1.
func TestMembers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{"9110 5.6.1 a list", []string{"a, b ,c"}, []string{"a", "b", "c"}},
		{"9110 5.6.1 several lines", []string{"a", "b,c"}, []string{"a", "b", "c"}},
		{"9110 5.6.1 empty members", []string{",, a,,b ,", "", " "}, []string{"a", "b"}},
		{"9110 5.6.4 a comma in a quoted string", []string{`a="x,y", b`}, []string{`a="x,y"`, "b"}},
		{"9110 5.6.4 an escaped quote", []string{`a="x\",y", b`}, []string{`a="x\",y"`, "b"}},
		{"9110 5.6.4 an escape at the end", []string{`a="x\`, "b"}, []string{`a="x\`, "b"}},
		{"9110 5.6.4 an unclosed quote", []string{`a="x, b`, "c"}, []string{`a="x, b`, "c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			members(tc.lines, func(m string) bool {
				got = append(got, m)
				return true
			})
			assert.Equal(t, tc.want, got)
		})
	}
	calls := 0
	members([]string{"a, b", "c"}, func(string) bool { calls++; return false })
	assert.Equal(t, 1, calls, "false stops, over all lines")
}

func TestWellFormed(t *testing.T) {
	for member, want := range map[string]bool{
		"a": true, "a=b": true, `a=""`: true, `a="b c"`: true, `a="\""`: true, `a="\\"`: true,
		"": false, "=": false, "a=": false, "=b": false, "a b": false, "a =b": false, "a= b": false, "a=b c": false, "a;b": false,
		`a="`: false, `a="b`: false, `a="b"c`: false, `a="\"`: false, `"a"`: false, "ä": false, "a=b=c": false, "a\x00": false, "a\xff": false,
	} {
		assert.Equal(t, want, wellFormed(member), "%q", member)
	}
}
