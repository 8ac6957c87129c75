package revalidate

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBlock(t *testing.T) {
	for _, tc := range []struct {
		name   string
		header http.Header
		want   string
	}{
		{"nothing", http.Header{}, ""},
		{"sorted", http.Header{"Etag": {`"1"`}, "Age": {"3"}}, "Age: 3\r\nEtag: \"1\"\r\n"},
		{"several lines in their order", http.Header{"Vary": {"b", "a"}}, "Vary: b\r\nVary: a\r\n"},
		{"an empty value", http.Header{"X-Empty": {""}}, "X-Empty: \r\n"},
		{"a value with a colon", http.Header{"Location": {"http://a: b"}}, "Location: http://a: b\r\n"},
		{"a name without lines", http.Header{"X-None": {}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := NewBlock(tc.header)
			assert.Equal(t, tc.want, string(b))
			again := b.Header()
			for name, lines := range tc.header {
				assert.ElementsMatch(t, lines, again[name])
			}
			assert.Equal(t, b, NewBlock(again))
		})
	}
}

func TestBlockAllStops(t *testing.T) {
	seen := ""
	for name, value := range NewBlock(http.Header{"A": {"1"}, "B": {"2"}, "C": {"3"}}).All() {
		seen += name + value
		if name == "B" {
			break
		}
	}
	assert.Equal(t, "A1B2", seen)
}

// What a newer header says beside another Date must not get lost.
func TestRedated(t *testing.T) {
	const monday, tuesday = "Mon, 23 Nov 2026 01:00:00 GMT", "Tue, 24 Nov 2026 01:00:00 GMT"
	block := NewBlock(http.Header{"Cache-Control": {"max-age=1"}, "Date": {monday}, "Etag": {`"1"`}, "Via": {"1.1 a", "1.1 b"}})
	for name, tc := range map[string]struct {
		newer http.Header
		same  bool
	}{
		"nothing":           {http.Header{}, true},
		"the same":          {http.Header{"Date": {monday}, "Cache-Control": {"max-age=1"}}, true},
		"another date":      {http.Header{"Date": {tuesday}, "Etag": {`"1"`}}, true},
		"a date of its own": {http.Header{"Date": {"today"}}, false},
		"another value":     {http.Header{"Date": {tuesday}, "Cache-Control": {"max-age=2"}}, false},
		"another line":      {http.Header{"Cache-Control": {"max-age=1", "private"}}, false},
		"another field":     {http.Header{"Date": {tuesday}, "Age": {"3"}}, false},
		"one line of two":   {http.Header{"Via": {"1.1 a"}}, false},
		"lines for a field": {http.Header{"Via": {"1.1 a", "1.1 b"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, same := block.redated(tc.newer)
			assert.Equal(t, tc.same, same)
			if !same {
				return
			}
			want := block.Header()
			for name, lines := range tc.newer {
				want[name] = lines
			}
			assert.Equal(t, want, got.Header())
		})
	}
}

func FuzzBlock(f *testing.F) {
	f.Add("Etag", `"1"`, "W/2")
	f.Add("X-Empty", "", "a: b")
	f.Fuzz(func(t *testing.T, name, one, two string) {
		for _, s := range []string{name, one, two} {
			for i := range len(s) {
				if s[i] == '\r' || s[i] == '\n' || s[i] == ':' {
					return // no parser lets such a field through
				}
			}
		}
		if name == "" {
			return
		}
		h := http.Header{name: {one, two}, "Z" + name: {two}}
		assert.Equal(t, h, NewBlock(h).Header())
	})
}
