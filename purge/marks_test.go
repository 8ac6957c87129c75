package purge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/policy"
)

var then = time.Unix(1_000_000, 0)

func stored(tags string, requested time.Duration) *policy.Stored {
	return &policy.Stored{Tags: tags, Times: policy.Times{Requested: then.Add(requested)}}
}

func TestMarksHit(t *testing.T) {
	const key = "http://www.example.com:8080/a/b.jpg?c=d"
	const tags = "one\ntwo words\n\tgroup\n\tone group"
	for _, tc := range []struct {
		name string
		mark Mark
		want bool
	}{
		{"a URL", Mark{Kind: URL, Value: key}, true},
		{"another URL", Mark{Kind: URL, Value: key + "e"}, false},
		{"a tag", Mark{Kind: Tag, Value: "one"}, true},
		{"a tag with a space", Mark{Kind: Tag, Value: "two words"}, true},
		{"a part of a tag", Mark{Kind: Tag, Value: "two"}, false},
		{"a tag in other letters", Mark{Kind: Tag, Value: "One"}, false},
		{"a group is no tag", Mark{Kind: Tag, Value: "group"}, false},
		{"nor with what marks it", Mark{Kind: Tag, Value: "\tgroup"}, false},
		{"a group", Mark{Kind: Group, Value: "group", Origin: "http://www.example.com:8080"}, true},
		{"a tag is no group", Mark{Kind: Group, Value: "one", Origin: "http://www.example.com:8080"}, false},
		{"a group of another port", Mark{Kind: Group, Value: "group", Origin: "http://www.example.com"}, false},
		{"a group of another scheme", Mark{Kind: Group, Value: "group", Origin: "https://www.example.com:8080"}, false},
		{"a host", Mark{Kind: Host, Value: "www.example.com:8080"}, true},
		{"a host whatever the port", Mark{Kind: Host, Value: "www.example.com"}, true},
		{"a host with another port", Mark{Kind: Host, Value: "www.example.com:80"}, false},
		{"the end of a host", Mark{Kind: Host, Value: "example.com"}, false},
		{"the beginning of a host", Mark{Kind: Host, Value: "www.example"}, false},
		{"a prefix", Mark{Kind: Prefix, Value: "www.example.com:8080/a/"}, true},
		{"a prefix with the scheme", Mark{Kind: Prefix, Value: "http://www.example.com:8080/a/"}, true},
		{"a prefix with another scheme", Mark{Kind: Prefix, Value: "https://www.example.com:8080/a/"}, false},
		{"another path", Mark{Kind: Prefix, Value: "www.example.com:8080/b/"}, false},
		{"not from the middle", Mark{Kind: Prefix, Value: "example.com:8080/a/"}, false},
		{"a glob", Mark{Kind: Glob, Value: "*.example.com:*/a/*.jpg*"}, true},
		{"a glob of all of it", Mark{Kind: Glob, Value: "*.jpg"}, false},
		{"a glob with the query", Mark{Kind: Glob, Value: "*.jpg?c=*"}, true},
		{"a glob with a scheme", Mark{Kind: Glob, Value: "http*://*/b.*"}, true},
		{"a glob with another scheme", Mark{Kind: Glob, Value: "https://*"}, false},
		{"everything", Mark{Kind: Everything}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.mark.Time = then
			assert.Equal(t, Finding{map[bool]int{true: 0, false: -1}[tc.want], -1}, New([]Mark{tc.mark}).Find(key, stored(tags, 0)))
			tc.mark.Soft = true
			assert.Equal(t, Finding{-1, map[bool]int{true: 0, false: -1}[tc.want]}, New([]Mark{tc.mark}).Find(key, stored(tags, 0)))
			if tc.want {
				assert.True(t, tc.mark.Reaches(key))
			}
			assert.Equal(t, Finding{-1, -1}, New([]Mark{tc.mark}).Find(key, stored(tags, 1)), "what was requested after it")
		})
	}
}

func TestReaches(t *testing.T) {
	const key = "http://a.test/x/1"
	for want, marks := range map[bool][]Mark{
		true: {
			{Kind: URL, Value: key}, {Kind: Tag, Value: "any"}, {Kind: Group, Value: "any", Origin: "http://a.test"},
			{Kind: Host, Value: "a.test"}, {Kind: Prefix, Value: "a.test/x"}, {Kind: Glob, Value: "*/1"}, {Kind: Everything},
		},
		false: {
			{Kind: URL, Value: "http://a.test/x/2"}, {Kind: Group, Value: "any", Origin: "https://a.test"},
			{Kind: Host, Value: "b.test"}, {Kind: Prefix, Value: "a.test/y"}, {Kind: Glob, Value: "*/2"},
		},
	} {
		for _, m := range marks {
			assert.Equal(t, want, m.Reaches(key), "%+v", m)
		}
	}
}

func TestTheOldestThatHitsCounts(t *testing.T) {
	at := func(m Mark, d time.Duration) Mark {
		m.Time = then.Add(d)
		return m
	}
	marks := New([]Mark{
		at(Mark{Kind: Tag, Value: "a", Soft: true}, 0), at(Mark{Kind: Tag, Value: "a"}, 1),
		at(Mark{Kind: Host, Value: "a.test"}, 2), at(Mark{Kind: Tag, Value: "a"}, 3), at(Mark{Kind: Everything, Soft: true}, 4),
	})
	for requested, want := range map[time.Duration]Finding{0: {2, 4}, 2: {2, 4}, 3: {3, 4}, 4: {-1, 4}, 5: {-1, -1}} {
		got := marks.Find("http://a.test/", stored("a", requested))
		assert.Equal(t, want.Hard, got.Hard, "%d", requested)
		if want.Hard < 0 { // then it is the soft one that matters
			assert.Equal(t, want.Soft, got.Soft, "%d", requested)
		}
	}
	assert.Nil(t, New(nil))
}

// However marks come together, they are found as in one list.
func TestMarksInRuns(t *testing.T) {
	var all []Mark
	var marks *Marks
	for i := range 1000 {
		m := Mark{Kind: Tag, Value: fmt.Sprint(i % 100), Soft: i%3 == 0, Time: then.Add(time.Duration(i))}
		switch i % 10 {
		case 1:
			m.Kind, m.Value = Host, "a.test"
		case 2:
			m.Kind, m.Value = Glob, fmt.Sprintf("a.test/%d", i%100)
		}
		all = append(all, m)
		marks = marks.With([]Mark{m})
		assert.Equal(t, m.Time, marks.Mark(i).Time)
	}
	marks = marks.With(nil)
	assert.LessOrEqual(t, len(marks.runs), 4)
	for i := range all {
		assert.Equal(t, all[i].Time, marks.Mark(i).Time)
	}
	for i := range 1010 {
		requested := then.Add(time.Duration(i))
		s := stored(fmt.Sprintf("%d\n%d\nnone", i%100, i*7%100), time.Duration(i))
		got := marks.Find("http://a.test/22", s)
		for soft, i := range map[bool]int{false: got.Hard, true: got.Soft} {
			hits := func(m Mark) bool {
				tagged := m.Kind == Tag && slices.Contains(strings.Split(s.Tags, "\n"), m.Value)
				return m.Soft == soft && !requested.After(m.Time) && (tagged || m.Kind == Host || m.Value == "a.test/22")
			}
			assert.Equal(t, slices.ContainsFunc(all, hits), i >= 0, "%s, soft %v", requested, soft)
			assert.True(t, i < 0 || hits(all[i]), "%s, soft %v", requested, soft)
		}
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	marks := New([]Mark{
		{Kind: Tag, Value: "x", Time: then}, {Kind: Group, Value: "x", Origin: "http://a.test", Time: then}, {Kind: Host, Value: "b.test", Time: then},
		{Kind: Prefix, Value: "b.test/", Time: then}, {Kind: Glob, Value: "b.test/*", Time: then}, {Kind: Prefix, Value: "https://b.test/", Time: then},
	})
	s := stored("a\nb\n\tc", 0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { marks.Find("http://a.test:8080/x", s) }))
}
