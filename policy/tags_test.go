package policy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tagsOf returns the tags and groups of a stored response, groups in angle brackets.
func tagsOf(s *Stored) (all []string) {
	s.EachTag(func(name string, isGroup bool) bool {
		if isGroup {
			name = "<" + name + ">"
		}
		all = append(all, name)
		return true
	})
	return all
}

func admitTagged(fields http.Header) (*Stored, Reason) {
	rules := DefaultRules()
	fields.Set("Cache-Control", "max-age=60")
	return Admit(NewRequest("GET", http.Header{}), &Response{Status: 200, Fields: fields}, Times{Requested: time.Unix(1, 0), Received: time.Unix(1, 0)}, &rules)
}

func TestTags(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fields string
		want   []string
	}{
		{"none", "X: y", nil},
		{"commas", "Cache-Tag: b, a ,,c d", []string{"a", "b", "c d"}},
		{"lines", "Cache-Tag: a | Cache-Tag: b", []string{"a", "b"}},
		{"spaces", "Surrogate-Key:  a  b\tc,d ", []string{"a", "b", "c,d"}},
		{"spaces and commas", "Xkey: a, b c", []string{"a", "b", "c"}},
		{"others", "Edge-Cache-Tag: a,b | Cdn-Tag: c", []string{"a", "b", "c"}},
		{"once is enough", "Cache-Tag: a,a | Surrogate-Key: a", []string{"a"}},
		{"they have case", "Cache-Tag: a,A", []string{"A", "a"}},
		{"only separators", "Cache-Tag: , ,", nil},
		{"9875 2 strings", `Cache-Groups: "b", "a" | Cache-Groups: "c"`, []string{"<a>", "<b>", "<c>"}},
		{"9875 2 parameters mean nothing", `Cache-Groups: "a";x="y", "b";z`, []string{"<a>", "<b>"}},
		{"9875 2 what a string may hold", `Cache-Groups: "a, \"b\" \\", ""`, []string{"<>", `<a, "b" \>`}},
		{"9875 2 a token is no string", `Cache-Groups: "a", b`, nil},
		{"9875 2 an inner list is no string", `Cache-Groups: ("a" "b")`, nil},
		{"9875 2 broken", `Cache-Groups: "a`, nil},
		{"a group is no tag", `Cache-Tag: a | Cache-Groups: "a"`, []string{"<a>", "a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, why := admitTagged(fields(tc.fields))
			require.Equal(t, ReasonNone, why)
			assert.Equal(t, tc.want, tagsOf(s))
		})
	}
}

func TestTooManyTags(t *testing.T) {
	many := func(n, length int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("%0*d", length, i))
		}
		return strings.Join(all, ",")
	}
	for _, tc := range []struct {
		name string
		tags string
		want Reason
	}{
		{"as many as are kept", many(MostTags, 4), ReasonNone},
		{"one more", many(MostTags+1, 4), TooManyTags},
		{"all the same", strings.Repeat("a,", 10*MostTags), ReasonNone},
		{"as long as they may be", many(16, MostTagBytes/16-1), ReasonNone},
		{"too long", many(16, MostTagBytes/16+1), TooManyTags},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, why := admitTagged(http.Header{"Cache-Tag": {tc.tags}})
			assert.Equal(t, tc.want.String(), why.String())
			assert.Equal(t, tc.want == ReasonNone, s != nil)
		})
	}
	var groups []string
	for i := range 32 {
		groups = append(groups, fmt.Sprintf(`"%032d"`, i))
	}
	s, _ := admitTagged(http.Header{"Cache-Groups": {strings.Join(groups, ",")}})
	require.NotNil(t, s, "RFC 9875, 2: at least 32 groups of 32 characters")
	assert.Len(t, tagsOf(s), 32)
}

func TestTagsOfWhatIsUpdated(t *testing.T) {
	rules := DefaultRules()
	old, _ := admitTagged(fields(`Cache-Tag: a,b | Cache-Groups: "g"`))
	for _, tc := range []struct {
		name, fields, newer string
		want                []string
	}{
		{"a confirmation without tags leaves them", `Cache-Groups: "g"`, "X: y", []string{"<g>", "a", "b"}},
		{"one with tags replaces them", `Cache-Groups: "g" | Cache-Tag: c`, "Cache-Tag: c", []string{"<g>", "c"}},
		{"one with empty tags removes them", `Cache-Groups: "g" | Cache-Tag:`, "Cache-Tag:", []string{"<g>"}},
		{"groups are those of the fields", `Cache-Groups: "h"`, `Cache-Groups: "h"`, []string{"<h>", "a", "b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := admitTagged(fields(tc.fields))
			s.InheritTags(old, fields(tc.newer), &rules)
			assert.Equal(t, tc.want, tagsOf(s))
		})
	}
	s, _ := admitTagged(fields(`Cache-Tag: b,c | Cache-Groups: "h"`))
	s.UniteTags(old)
	assert.Equal(t, []string{"<g>", "<h>", "a", "b", "c"}, tagsOf(s), "a joined response has those of both parts")
	plain, _ := admitTagged(http.Header{})
	plain.UniteTags(old)
	assert.Equal(t, tagsOf(old), tagsOf(plain))
}

func TestTagsAreNotForClients(t *testing.T) {
	rules := DefaultRules()
	h := fields(`Cache-Tag: a | Surrogate-Key: b | Xkey: c | Edge-Cache-Tag: d | Cdn-Tag: e | Cache-Groups: "g" | X: y`)
	assert.Equal(t, fields(`Cache-Groups: "g" | X: y`), Storable(h, &rules))
	assert.Len(t, h, 7, "what is given is left alone")
	rules.KeepTags = true
	assert.Equal(t, h, Storable(h, &rules))
	RemoveTags(h, &rules)
	assert.Len(t, h, 7)
	rules.KeepTags, rules.TagFields = false, []TagField{{"X", ","}}
	RemoveTags(h, &rules)
	assert.Len(t, h, 6)
}

// RFC 9875, 3.
func TestInvalidatedGroups(t *testing.T) {
	for _, tc := range []struct {
		name, method, fields string
		want                 []string
	}{
		{"9875 3 an unsafe method", "POST", `Cache-Group-Invalidation: "a", "b";x`, []string{"a", "b"}},
		{"9875 3 one that is not known", "BREW", `Cache-Group-Invalidation: "a"`, []string{"a"}},
		{"9875 3 GET is safe", "GET", `Cache-Group-Invalidation: "a"`, nil},
		{"9875 3 OPTIONS is safe", "OPTIONS", `Cache-Group-Invalidation: "a"`, nil},
		{"9875 3 no field", "POST", `Cache-Groups: "a"`, nil},
		{"9875 3 no list of strings", "POST", `Cache-Group-Invalidation: a`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, InvalidatedGroups(tc.method, fields(tc.fields)))
		})
	}
}

func TestEndAt(t *testing.T) {
	at := time.Unix(1000, 0)
	for _, tc := range []struct {
		name  string
		after time.Duration
		want  time.Duration
		by    Source
	}{
		{"its age then", 15 * time.Second, 25 * time.Second, SourcePurge},
		{"it was stale before", time.Hour, time.Minute, SourceMaxAge},
		{"before it was there", -time.Hour, 0, SourcePurge},
	} {
		s := &Stored{Times: Times{Received: at}, InitialAge: 10 * time.Second, Lifetime: time.Minute, Source: SourceMaxAge}
		s.EndAt(at.Add(tc.after))
		assert.Equal(t, tc.want, s.Lifetime, tc.name)
		assert.Equal(t, tc.by, s.Source, tc.name)
	}
}
