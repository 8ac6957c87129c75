package policy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// RFC 9110, 12.5.5.
func TestVaryNames(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lines []string
		want  []string
		star  bool
	}{
		{"none", nil, nil, false},
		{"9110 12.5.5 names have no case, and are sorted", []string{"foo, BAR"}, []string{"Bar", "Foo"}, false},
		{"9110 12.5.5 repeated", []string{"Foo, foo", "FOO"}, []string{"Foo"}, false},
		{"9110 12.5.5 empty members", []string{", Foo,,", ""}, []string{"Foo"}, false},
		{"9110 12.5.5 star", []string{"*"}, []string{"*"}, true},
		{"9110 12.5.5 star at the end", []string{"Foo, *"}, []string{"*", "Foo"}, true},
		{"9110 12.5.5 star on another line", []string{"Foo", "Bar ,*"}, []string{"*", "Bar", "Foo"}, true},
		{"9110 12.5.5 no name", []string{"Foo Bar"}, []string{"Foo Bar"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			names, star := varyNames(tc.lines)
			assert.Equal(t, tc.want, names)
			assert.Equal(t, tc.star, star)
		})
	}
}

// RFC 9111, 4.1: does the answer to one request suit another?
func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		name, vary, asked, asks string
		want                    bool
	}{
		{"4.1 equal", "Foo", "Foo: 1", "Foo: 1", true},
		{"4.1 different", "Foo", "Foo: 1", "Foo: 2", false},
		{"4.1 values have case", "Foo", "Foo: a", "Foo: A", false},
		{"4.1 names have none", "fOO", "foo: 1", "FOO: 1", true},
		{"4.1 a field that is not nominated", "Foo", "Foo: 1 | Bar: 1", "Foo: 1 | Bar: 2", true},
		{"4.1 one of two is different", "Foo, Bar", "Foo: 1 | Bar: 1", "Foo: 1 | Bar: 2", false},
		{"4.1 absent from both", "Foo", "", "", true},
		{"4.1 absent from the stored one", "Foo", "", "Foo: 1", false},
		{"4.1 absent from the new one", "Foo", "Foo: 1", "", false},
		{"4.1 absent is not empty", "Foo", "", "Foo: ", false},
		{"4.1 white space around members", "Foo", "Foo: 1, 2", "Foo: 1 ,2", true},
		{"4.1 several lines are one", "Foo", "Foo: 1, 2", "Foo: 1 | Foo: 2", true},
		{"4.1 an empty member counts where the grammar is not known", "Foo", "Foo: 1", "Foo: 1,", false},
		{"4.1 order counts where the grammar is not known", "Foo", "Foo: 1, 2", "Foo: 2, 1", false},
		{"4.1 white space within a member counts", "Foo", "Foo: 1 2", "Foo: 12", false},
		{"4.1 a quoted comma is no separator", "Foo", `Foo: "1,2"`, `Foo: "1, 2"`, false},

		{"9110 12.5.3 case of codings", "Accept-Encoding", "Accept-Encoding: GZIP", "Accept-Encoding: gzip", true},
		{"9110 12.5.3 order of codings", "Accept-Encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: br,gzip", true},
		{"9110 12.5.3 a weight of 1", "Accept-Encoding", "Accept-Encoding: gzip;q=1.000", "Accept-Encoding: gzip", true},
		{"9110 12.5.3 spelling of a weight", "Accept-Encoding", "Accept-Encoding: gzip;q=0.5", "Accept-Encoding: gzip ; Q=0.500", true},
		{"9110 12.5.3 different weights", "Accept-Encoding", "Accept-Encoding: gzip;q=0.5", "Accept-Encoding: gzip;q=0.501", false},
		{"9110 12.5.3 a weight of 0 refuses", "Accept-Encoding", "Accept-Encoding: gzip;q=0", "Accept-Encoding: ", false},
		{"9110 12.5.3 another coding", "Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding: gzip, br", false},
		{"9110 12.5.3 empty is not absent", "Accept-Encoding", "Accept-Encoding: ", "", false},
		{"9110 8.4.1.3 x-gzip is gzip", "Accept-Encoding", "Accept-Encoding: x-gzip, X-Compress", "Accept-Encoding: compress, gzip", true},
		{"9110 12.4.2 a wrong weight, the same text", "Accept-Encoding", "Accept-Encoding: gzip;q=2, br", "Accept-Encoding: gzip;q=2, br", true},
		{"9110 12.4.2 a wrong weight, another order", "Accept-Encoding", "Accept-Encoding: gzip;q=2, br", "Accept-Encoding: br, gzip;q=2", false},
		{"9110 12.4.2 no value before the weight", "Accept-Encoding", "Accept-Encoding: ;q=1", "Accept-Encoding: ", false},
		{"9110 12.4.2 a value in quotes", "Accept-Encoding", `Accept-Encoding: "a,b"`, "Accept-Encoding: b, a", false},

		{"9110 12.5.4 case and order of languages", "Accept-Language", "Accept-Language: en-GB, DE;q=0.5", "Accept-Language: de;q=0.5,en-gb", true},
		{"9110 12.5.4 different languages", "Accept-Language", "Accept-Language: en", "Accept-Language: de", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, why := Admit(request("GET", tc.asked), response(200, "Cache-Control: max-age=60 | Vary: "+tc.vary), Times{t0, t0}, plain())
			require.NotNil(t, s, "refused: %s", why)
			assert.Equal(t, tc.want, s.Matches(fields(tc.asks)))
		})
	}
}

// The one rule that goes beyond equal fields: a response in the language that
// the client wants most suits it, whatever else it would take.
func TestMatchesLanguage(t *testing.T) {
	for _, tc := range []struct {
		name, language, asks string
		want                 bool
	}{
		{"4.1 the language wanted most", "de", "Accept-Language: de, en;q=0.5", true},
		{"4.1 the language wanted most, elsewhere in the list", "de", "Accept-Language: en;q=0.5, fr;q=0.1, DE;q=0.9", true},
		{"4.1 not the one wanted most", "de", "Accept-Language: en, de;q=0.5", false},
		{"4.1 two that are wanted most", "de", "Accept-Language: de, en", false},
		{"4.1 the same one twice", "de", "Accept-Language: de, de", false},
		{"4.1 any language", "de", "Accept-Language: *", false},
		{"4.1 refused", "de", "Accept-Language: de;q=0", false},
		{"4.1 a narrower language", "de", "Accept-Language: de-AT", false},
		{"4.1 a wrong weight", "de", "Accept-Language: de;q=9, en;q=0.1", false},
		{"4.1 no wish", "de", "", false},
		{"4.1 a response in two languages", "de, en", "Accept-Language: de", false},
		{"4.1 a response that does not say", "", "Accept-Language: de", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, why := Admit(request("GET", "Accept-Language: nl"), response(200, "Cache-Control: max-age=60 | Vary: Accept-Language | Content-Language: "+tc.language),
				Times{t0, t0}, plain())
			require.NotNil(t, s, "refused: %s", why)
			assert.Equal(t, tc.want, s.Matches(fields(tc.asks)))
		})
	}
}

func TestSameVariant(t *testing.T) {
	variant := func(vary, asked string) *Stored {
		s, _ := Admit(request("GET", asked), response(200, "Cache-Control: max-age=60 | Vary: "+vary), Times{t0, t0}, plain())
		return s
	}
	assert.True(t, SameVariant(variant("Foo, Bar", "Foo: 1"), variant("bar, foo", "Foo: 1 | Baz: 2")))
	assert.False(t, SameVariant(variant("Foo", "Foo: 1"), variant("Foo", "Foo: 2")))
	assert.False(t, SameVariant(variant("Foo", ""), variant("", "")), "one of them answers other requests too")
}

func TestWeight(t *testing.T) {
	for s, want := range map[string]int{
		"q=0": 0, "q=1": 1000, "Q=0.5": 500, "q=0.": 0, "q=1.": 1000, "q=0.05": 50, "q=0.123": 123, "q=1.000": 1000,
		"": -1, "q": -1, "q=": -1, "q=2": -1, "q=1.001": -1, "q=0.1234": -1, "q=.5": -1, "q=-1": -1, "q=0,5": -1, "q=00": -1,
		"q=0.x": -1, "w=1": -1, "q =1": -1, "q= 1": -1, "q=1;a=b": -1,
	} {
		got, ok := weight(s)
		assert.Equal(t, want >= 0, ok, "RFC 9110, 12.4.2: %q", s)
		if ok {
			assert.Equal(t, want, got, "RFC 9110, 12.4.2: %q", s)
		}
	}
}
