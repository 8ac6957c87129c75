package policy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RFC 9213, 2.1: how a targeted field is parsed.
func TestTargetedDirectives(t *testing.T) {
	for _, tc := range []struct {
		name, header string
		want         ResponseDirectives
		ok           bool
	}{
		{"9213 2.1 all that must be supported", "Cdn-Cache-Control: max-age=60, must-revalidate, no-store, no-cache, private",
			ResponseDirectives{MaxAge: seconds(60), MustRevalidate: true, NoStore: true, NoCache: true, Private: true}, true},
		{"9213 2.1 the others", "Cdn-Cache-Control: s-maxage=5, public, proxy-revalidate, must-understand, immutable, stale-while-revalidate=6, stale-if-error=7",
			ResponseDirectives{SMaxAge: seconds(5), Public: true, ProxyRevalidate: true, MustUnderstand: true, Immutable: true,
				StaleWhileRevalidate: seconds(6), StaleIfError: seconds(7)}, true},
		{"9213 2.1 several lines", "Cdn-Cache-Control: max-age=60 | Cdn-Cache-Control: no-cache", ResponseDirectives{MaxAge: seconds(60), NoCache: true}, true},
		{"9213 2.1 parameters are ignored", "Cdn-Cache-Control: max-age=60;foo=1, no-cache;bar", ResponseDirectives{MaxAge: seconds(60), NoCache: true}, true},
		{"9213 2.1 what is unknown is ignored", "Cdn-Cache-Control: foo, bar=(1 2), baz=?0", ResponseDirectives{}, true},
		{"9213 2.1 an explicit true", "Cdn-Cache-Control: no-store=?1", ResponseDirectives{NoStore: true}, true},
		{"9213 2.1 an explicit false", "Cdn-Cache-Control: no-store=?0", ResponseDirectives{}, true},
		{"9651 3.2 the last of two counts", "Cdn-Cache-Control: max-age=60, max-age=90", ResponseDirectives{MaxAge: seconds(90)}, true},
		{"9213 2.1 a string for a number is ignored", `Cdn-Cache-Control: max-age="60"`, ResponseDirectives{}, true},
		{"9213 2.1 a decimal for a number is ignored", "Cdn-Cache-Control: max-age=60.0", ResponseDirectives{}, true},
		{"9213 2.1 a list for a number is ignored", "Cdn-Cache-Control: max-age=(60)", ResponseDirectives{}, true},
		{"9213 2.1 nothing for a number is ignored", "Cdn-Cache-Control: max-age", ResponseDirectives{}, true},
		{"9213 2.1 a number for a flag is ignored", "Cdn-Cache-Control: no-store=1", ResponseDirectives{}, true},
		{"9213 2.1 a token for a flag is ignored", "Cdn-Cache-Control: private=foo", ResponseDirectives{}, true},
		{"9213 2.1 a string is the qualified form", `Cdn-Cache-Control: private="foo, bar", no-cache="baz"`,
			ResponseDirectives{PrivateFields: []string{"Bar", "Foo"}, NoCacheFields: []string{"Baz"}}, true},
		{"9213 2.1 a string without names is the unqualified form", `Cdn-Cache-Control: private="", no-cache=" , "`, ResponseDirectives{Private: true, NoCache: true}, true},
		{"9213 2.1 a string for another flag is ignored", `Cdn-Cache-Control: public="x"`, ResponseDirectives{}, true},
		{"4.2.1 a negative number is invalid", "Cdn-Cache-Control: max-age=-1", ResponseDirectives{MaxAge: invalid}, true},
		{"1.2.2 the greatest number", "Cdn-Cache-Control: max-age=999999999999999", ResponseDirectives{MaxAge: lifetimeDirective{present: true, value: forever}}, true},

		{"9213 2.2 empty is as if absent", "Cdn-Cache-Control: ", ResponseDirectives{}, false},
		{"9213 2.2 white space is as if absent", "Cdn-Cache-Control:    ", ResponseDirectives{}, false},
		{"9213 2.2 absent", "Cache-Control: max-age=60", ResponseDirectives{}, false},
		{"9213 2.2 a capital is a parse failure", "Cdn-Cache-Control: Max-Age=60", ResponseDirectives{}, false},
		{"9213 2.2 a trailing comma is a parse failure", "Cdn-Cache-Control: max-age=60,", ResponseDirectives{}, false},
		{"9213 2.2 an empty member is a parse failure", "Cdn-Cache-Control: max-age=60,,no-store", ResponseDirectives{}, false},
		{"9213 2.2 rubbish is a parse failure", "Cdn-Cache-Control: max-age=60, &&&", ResponseDirectives{}, false},
		{"9213 2.2 a space is a parse failure", "Cdn-Cache-Control: max-age = 60", ResponseDirectives{}, false},
		{"9213 2.2 an unclosed quote is a parse failure", `Cdn-Cache-Control: foo="bar, max-age=60`, ResponseDirectives{}, false},
		{"9213 2.2 too many digits are a parse failure", "Cdn-Cache-Control: max-age=9999999999999999", ResponseDirectives{}, false},
		{"9213 2.2 one broken line spoils all", "Cdn-Cache-Control: max-age=60 | Cdn-Cache-Control: &", ResponseDirectives{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, name := targeted(fields(tc.header), []string{"Cdn-Cache-Control"})
			assert.Equal(t, tc.ok, name == "Cdn-Cache-Control")
			assert.Equal(t, tc.want, got)
		})
	}
}

// RFC 9213, 2.2: which field governs a response.
func TestTargetList(t *testing.T) {
	for _, tc := range []struct {
		name, header string
		list         []string
		why          Reason
		lifetime     time.Duration
	}{
		{"9213 2.2 the first of the list", "A: max-age=1 | B: max-age=2 | Cache-Control: max-age=3", []string{"A", "B"}, ReasonNone, time.Second},
		{"9213 2.2 the order is that of the list", "A: max-age=1 | B: max-age=2", []string{"B", "A"}, ReasonNone, 2 * time.Second},
		{"9213 2.2 an absent one is skipped", "B: max-age=2 | Cache-Control: max-age=3", []string{"A", "B"}, ReasonNone, 2 * time.Second},
		{"9213 2.2 an empty one is skipped", "A: | B: max-age=2", []string{"A", "B"}, ReasonNone, 2 * time.Second},
		{"9213 2.2 an invalid one is skipped", "A: max-age=& | B: max-age=2", []string{"A", "B"}, ReasonNone, 2 * time.Second},
		{"9213 2.2 Cache-Control when all are invalid", "A: & | Cache-Control: max-age=3", []string{"A", "B"}, ReasonNone, 3 * time.Second},
		{"9213 2.2 a field not on the list", "A: no-store | Cache-Control: max-age=3", []string{"B"}, ReasonNone, 3 * time.Second},
		{"9213 2.2 an empty list", "CDN-Cache-Control: no-store | Cache-Control: max-age=3", nil, ReasonNone, 3 * time.Second},
		{"9213 2.2 Cache-Control: no-store is ignored", "A: max-age=1 | Cache-Control: no-store, private", []string{"A"}, ReasonNone, time.Second},
		{"9213 2.2 targeted no-store holds", "A: no-store | Cache-Control: max-age=3", []string{"A"}, NoStore, 0},
		{"9213 2.2 targeted private holds", "A: private | Cache-Control: max-age=3", []string{"A"}, Private, 0},
		{"9213 2.2 Expires is ignored", "A: foo | Expires: {60s}", []string{"A"}, NoFreshness, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := plain()
			r.Targeted = tc.list
			s, why := Admit(request("GET", ""), response(200, tc.header), Times{t0, t0}, r)
			require.Equal(t, tc.why, why, "reason %s", why)
			if s != nil {
				assert.Equal(t, tc.lifetime, s.Lifetime)
			}
		})
	}
}
