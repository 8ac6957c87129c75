package policy

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Oracles of the tests, written as grammars and not as the parsers they test.
var (
	tchar        = "[!#$%&'*+.^_`|~0-9A-Za-z-]"
	memberForm   = regexp.MustCompile(`^` + tchar + `+(=(` + tchar + `+|"([^"\\]|\\(?s:.))*"))?$`)
	quotesClosed = regexp.MustCompile(`^([^"]|"([^"\\]|\\(?s:.))*")*$`)
	flagForm     = regexp.MustCompile(`(?i)^(public|immutable|must-understand|must-revalidate|proxy-revalidate|no-store)$`)
	numberForm   = regexp.MustCompile(`(?i)^(max-age|s-maxage|stale-while-revalidate|stale-if-error)="?[0-9]+"?$`)
	numberName   = regexp.MustCompile(`(?i)^(max-age|s-maxage|stale-while-revalidate|stale-if-error)(=|$)`)
	flagName     = regexp.MustCompile(`(?i)^(public|immutable|must-understand|must-revalidate|proxy-revalidate|no-store)(=|$)`)
)

// isBroken reports whether a member of Cache-Control is not what its directive's grammar says.
func isBroken(m string) bool {
	return !memberForm.MatchString(m) || numberName.MatchString(m) && !numberForm.MatchString(m) ||
		flagName.MatchString(m) && !flagForm.MatchString(m)
}

func admitLines(method, asked string, status int, lines ...string) (*Stored, Reason) {
	h := fields(`ETag: "a" | Last-Modified: {-1000s}`)
	h["Cache-Control"] = lines
	return Admit(request(method, asked), &Response{Status: status, Fields: h}, Times{t0, t0}, plain())
}

func FuzzCacheControl(f *testing.F) {
	for _, s := range []string{
		"max-age=60", "no-store, must-understand", `private="Foo", public`, "max-age=60\nmax-age=30", `foo="bar`, `foo="\`, "max-age=5 public",
		"s-maxage=x", "must-revalidate=1", "must-understand=0", `no-cache=""`, "stale-while-revalidate=99999999999999999999x", ",,=,\"", "public;",
	} {
		for _, other := range []string{"public", "max-age", `x="`, "max-age=1 public", "must-understand=1"} {
			f.Add(s, other, 303)
		}
	}
	f.Fuzz(func(t *testing.T, header, other string, status int) {
		lines := strings.Split(header, "\n")
		d := ParseResponseDirectives(lines)
		requireSameTraced(t, http.Header{"Cache-Control": lines, "Expires": {other}}, status)

		for _, restricted := range [][]string{
			append(slices.Clone(lines), "No-Store"), append([]string{"no-store"}, lines...),
			{strings.Join(lines, ",") + ", no-store"}, {"no-store," + strings.Join(lines, ",")},
		} {
			got := ParseResponseDirectives(restricted)
			require.True(t, got.NoStore, "no-store is not seen in %q", restricted)
			if s, _ := admitLines("GET", "", 200, restricted...); s != nil {
				require.True(t, got.MustUnderstand, "stored: %q", restricted)
			}
		}
		for _, restricted := range [][]string{
			append(slices.Clone(lines), "PRIVATE"), append([]string{"private"}, lines...), {strings.Join(lines, ",") + ", private"},
		} {
			s, _ := admitLines("GET", "", 200, restricted...)
			require.Nil(t, s, "stored: %q", restricted)
		}

		if quotesClosed.MatchString(strings.Join(lines, "")) && !slices.ContainsFunc(lines, func(l string) bool { return !quotesClosed.MatchString(l) }) {
			require.Equal(t, d, ParseResponseDirectives([]string{strings.Join(lines, ", ")}), "several lines are one list")
		}

		allBroken := true
		members([]string{other}, func(m string) bool { allBroken = isBroken(m); return allBroken })
		if allBroken {
			for _, asked := range []string{"", "Authorization: Basic x"} {
				without, why := admitLines("GET", asked, status, lines...)
				with, _ := admitLines("GET", asked, status, append(slices.Clone(lines), other)...)
				if without == nil {
					require.Nil(t, with, "%q was refused (%s), and with the broken %q it is stored", lines, why, other)
				} else if with != nil {
					requireNoMoreCacheable(t, with, without)
				}
			}
		}
	})
}

// requireSameTraced: a trace changes nothing, and can be told.
func requireSameTraced(t *testing.T, h http.Header, status int) {
	t.Helper()
	rq, rs, rules := request("GET", "Accept: a"), &Response{Status: status, Fields: h}, DefaultRules()
	want, wantWhy := Admit(rq, rs, Times{t0, t0}, &rules)
	traced := request("GET", "Accept: a")
	traced.Trace = new(Trace)
	got, why := Admit(traced, rs, Times{t0, t0}, &rules)
	require.Equal(t, want, got)
	require.Equal(t, wantWhy, why)
	if got != nil {
		require.Equal(t, Judge(rq, []*Stored{got}, t0), Judge(traced, []*Stored{got}, t0))
	}
	steps, _ := traced.Trace.Steps()
	text, err := json.Marshal(steps)
	require.NoError(t, err)
	require.True(t, json.Valid(text))
}

func requireNoMoreCacheable(t *testing.T, with, without *Stored) {
	t.Helper()
	require.LessOrEqual(t, with.Lifetime, without.Lifetime)
	require.LessOrEqual(t, with.StaleWhileRevalidate, without.StaleWhileRevalidate)
	require.LessOrEqual(t, with.StaleIfError, without.StaleIfError)
	require.False(t, without.NoCache && !with.NoCache)
	require.False(t, without.MustRevalidate && !with.MustRevalidate)
	require.False(t, with.Immutable && !without.Immutable)
}

func FuzzVary(f *testing.F) {
	for _, s := range [][2]string{
		{"gzip, br;q=0.5", "BR;q=0.50 ,gzip"}, {"a\nb", "a, b"}, {`"a, b"`, `"a,b"`}, {";q=1", ""}, {"gzip;q=2", "gzip"}, {"de, en", "en;q=1.0,DE"}, {`"`, `",`},
	} {
		for which := range byte(3) {
			f.Add(which, s[0], s[1])
		}
	}
	f.Fuzz(func(t *testing.T, which byte, one, two string) {
		if strings.Contains(one+two, "\x00") {
			return // no field can hold it
		}
		name := []string{"Foo", "Accept-Encoding", "Accept-Language"}[which%3]
		first, second := http.Header{name: strings.Split(one, "\n")}, http.Header{name: strings.Split(two, "\n")}
		names, _ := varyNames([]string{name})
		s := &Stored{Vary: names, VaryValues: VaryValues(names, first)}
		require.True(t, s.Matches(first), "a request matches its own answer")
		require.False(t, s.Matches(http.Header{}), "absent is different")
		require.Equal(t, s.Matches(second), (&Stored{Vary: names, VaryValues: VaryValues(names, second)}).Matches(first), "it goes both ways")
		if s.Matches(second) {
			require.Equal(t, meaning(name, first[name]), meaning(name, second[name]))
		}
		if s.ContentLanguage = "de"; s.Matches(second) && meaning(name, first[name]) != meaning(name, second[name]) {
			require.Equal(t, "Accept-Language", name)
			require.Contains(t, strings.ToLower(two), "de", "only for the language that the response is in")
		}

		// Spelt differently by the rules of the grammar: the same.
		words := regexp.MustCompile(`[A-Za-z0-9-]+`).FindAllString(one, 9)
		if name == "Foo" {
			require.Equal(t, VaryValues(names, http.Header{name: {strings.Join(words, ",")}}), VaryValues(names, http.Header{name: {" " + strings.Join(words, " ,\t") + "\t"}}))
			return
		}
		respelt := slices.Clone(words)
		slices.Reverse(respelt)
		plainly := http.Header{name: {strings.Join(words, ";q=0.5, ")}}
		oddly := http.Header{name: {strings.ToUpper(strings.Join(respelt, " ; Q=0.500\t,, "))}}
		if len(words) > 0 { // the last one has no weight; give both lists one
			plainly[name][0] += ";q=0.5"
			oddly[name][0] += ";q=0.50,"
		}
		require.Equal(t, VaryValues(names, plainly), VaryValues(names, oddly))
	})
}

// meaning is what must be equal for two field values to select the same
// response: less exact than normalise, so that it cannot be wrong in the same way.
func meaning(name string, lines []string) string {
	text := strings.Join(lines, ",")
	if name == "Foo" {
		return strings.NewReplacer(" ", "", "\t", "", ",", "").Replace(text)
	}
	var wishes []string
	for part := range strings.SplitSeq(strings.ToLower(text), ",") {
		value, q, weighted := strings.Cut(part, ";")
		value = strings.TrimPrefix(strings.Trim(value, " \t"), "x-")
		weight := 1.0
		if weighted {
			var err error
			if weight, err = strconv.ParseFloat(strings.TrimPrefix(strings.Trim(q, " \t"), "q="), 64); err != nil {
				return text
			}
		}
		if value != "" || weighted {
			wishes = append(wishes, value+" "+strconv.FormatFloat(weight, 'f', 3, 64))
		}
	}
	slices.Sort(wishes)
	return strings.Join(wishes, ",")
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{
		"bytes=0-4", "bytes=-3", "bytes=3-", "bytes=0-1,1-2,8-", "bytes=5-3", "bytes=-0", "bytes=99999999999999999999-", "bytes=0-,-1,2-2", "bytes 0-9/20", "bytes 5-9/*", "bytes=",
	} {
		f.Add(s, int64(10), uint32(0x0f0f))
		f.Add(s, int64(1), uint32(1))
		f.Add(s, int64(1<<62), uint32(0xfffffffe))
	}
	f.Fuzz(func(t *testing.T, field string, length int64, bitmap uint32) {
		length = max(length&(1<<63-1), 1)
		if specs, ok := parseRange(field); ok {
			list := resolve(specs, length)
			requireParts(t, list, length)
			for _, p := range list {
				b, total, ok := parseContentRange([]string{p.ContentRange(length)})
				require.Equal(t, length < 1<<63-1, ok)
				if ok {
					require.Equal(t, p, b)
					require.Equal(t, length, total)
				}
				again, ok := parseRange(p.Request(length))
				require.True(t, ok)
				require.Equal(t, []ByteRange{p}, resolve(again, length))
			}
		}
		if b, total, ok := parseContentRange([]string{field}); ok {
			require.Positive(t, b.Len())
			require.True(t, total == -1 || b.Last < total)
			b2, total2, ok := parseContentRange([]string{b.ContentRange(total)})
			require.True(t, ok && b2 == b && total2 == total)
		}
		checkHeld(t, field, bitmap)
	})
}

func requireParts(t *testing.T, list []ByteRange, length int64) {
	t.Helper()
	sorted := slices.SortedFunc(slices.Values(list), func(a, b ByteRange) int { return int(min(1, max(-1, a.First-b.First))) })
	end, total := int64(-1), int64(0)
	for _, p := range sorted {
		require.True(t, p.First > end && p.First <= p.Last && p.Last < length, "%v of %d", list, length)
		end, total = p.Last, total+p.Len()
	}
	require.LessOrEqual(t, total, length)
	require.LessOrEqual(t, len(list), MaxRanges)
}

// checkHeld compares what is held of a representation of 32 bytes with a bitmap.
func checkHeld(t *testing.T, field string, bitmap uint32) {
	if bitmap == 0 || bitmap == 1<<32-1 {
		return
	}
	p := &Partial{Held: []ByteRange{}, Length: 32}
	isHeld := func(i int64) bool { return bitmap>>i&1 == 1 }
	for i := range int64(32) {
		if !isHeld(i) {
			continue
		}
		one := &Partial{Held: []ByteRange{{i, i}}, Length: 32}
		if len(p.Held) == 0 {
			p = one
			continue
		}
		joined, ok := one.Join(p)
		require.True(t, ok)
		p = joined
	}
	requireParts(t, p.Held, 32)
	s := &Stored{Method: "GET", Status: 206, Partial: p, Lifetime: time.Hour, Times: Times{t0, t0}}
	rq := &Request{Method: "GET", Range: field, Fields: http.Header{}}
	selection, list := s.Select(rq, 32)
	wanted := []ByteRange{{0, 31}}
	if specs, ok := parseRange(field); ok {
		wanted = resolve(specs, 32)
	}
	complete := true
	for _, w := range wanted {
		for i := w.First; i <= w.Last; i++ {
			complete = complete && isHeld(i)
		}
	}
	switch selection {
	case Parts:
		require.True(t, complete, "%v of %032b", list, bitmap)
		require.Equal(t, wanted, list)
	case Unsatisfiable:
		require.Empty(t, wanted)
	default:
		require.Equal(t, NotHeld, selection)
		require.False(t, complete, "%v of %032b", wanted, bitmap)
		if missing := Judge(rq, []*Stored{s}, t0).Missing; missing != nil {
			require.Len(t, wanted, 1)
			for i := wanted[0].First; i <= wanted[0].Last; i++ {
				require.True(t, isHeld(i) || missing.First <= i && i <= missing.Last, "byte %d of %032b, asked for %v", i, bitmap, *missing)
			}
		}
	}
}

func FuzzDateAge(f *testing.F) {
	f.Add(date(0), date(time.Minute), "5", date(-time.Hour), int64(time.Second), int64(time.Minute))
	f.Add("Tue, 02 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "99999999999999999999", "Sun, 06 Nov 1994 08:49:37 GMT", int64(-1<<63), int64(1<<62))
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", "0", "-1", "Tue, 02 Jan 0001 00:00:00 GMT", int64(1<<62), int64(-1<<62))
	f.Add("x", "", "1\n2", "", int64(0), int64(0))
	f.Fuzz(func(t *testing.T, dated, expires, age, modified string, delay, elapsed int64) {
		h := http.Header{"Date": {dated}, "Expires": {expires}, "Age": strings.Split(age, "\n"), "Last-Modified": {modified}, "Etag": {`"a"`}}
		times := Times{t0, t0.Add(time.Duration(delay))}
		requireSameTraced(t, h, 200)
		for _, cc := range []string{"", "max-age=99999999999, stale-while-revalidate=99999999999", "max-age=x"} {
			h["Cache-Control"] = []string{cc}
			for _, isExpiring := range []bool{true, false} {
				if !isExpiring {
					delete(h, "Expires")
				}
				s, why := Admit(request("GET", ""), &Response{Status: 200, Fields: h}, times, plain())
				require.NotNil(t, s, "refused: %s", why)
				requireSaneTimes(t, s, age, times.Received.Add(time.Duration(elapsed)))
			}
		}
	})
}

func requireSaneTimes(t *testing.T, s *Stored, age string, now time.Time) {
	t.Helper()
	require.GreaterOrEqual(t, s.InitialAge, time.Duration(0))
	require.LessOrEqual(t, s.InitialAge, forever)
	require.GreaterOrEqual(t, s.Lifetime, time.Duration(0))
	require.LessOrEqual(t, s.Lifetime, forever)
	require.Positive(t, s.KeepFor())
	if n, err := strconv.ParseUint(age, 10, 31); err == nil {
		require.GreaterOrEqual(t, s.InitialAge, time.Duration(n)*time.Second, "the Age field counts in full")
	}
	require.GreaterOrEqual(t, s.Age(now), time.Duration(0))
	d := Judge(request("GET", ""), []*Stored{s}, now)
	require.Equal(t, d.TTL, s.Lifetime-d.Age)
	require.Equal(t, d.TTL > 0, d.Action == Serve)
	if d.Action == ServeStale {
		require.LessOrEqual(t, -d.TTL, s.StaleWhileRevalidate)
	}
}

func FuzzTargeted(f *testing.F) {
	for _, s := range []string{
		"max-age=60", "max-age=60, no-store", "private", `private="Foo"`, "max-age=-1", "max-age=60,", "&", "", "Max-Age=60", "foo", "max-age=1.5", "max-age=60;a=b", "no-store=?0", "max-age=60\nprivate", `a="`,
	} {
		f.Add(s, "max-age=30, public")
		f.Add(s, "no-store")
	}
	f.Fuzz(func(t *testing.T, field, cacheControl string) {
		lines := strings.Split(field, "\n")
		requireSameTraced(t, http.Header{"Cdn-Cache-Control": lines, "Cache-Control": {cacheControl}}, 200)
		admit := func(h http.Header) (*Stored, Reason) {
			h["Etag"] = []string{`"a"`}
			return Admit(request("GET", "Authorization: x"), &Response{Status: 200, Fields: h}, Times{t0, t0}, plain())
		}
		got, why := admit(http.Header{"Cdn-Cache-Control": lines, "Cache-Control": {cacheControl}, "Expires": {date(time.Minute)}})
		dict, err := httpsfv.UnmarshalDictionary(lines)
		var want *Stored
		var wantWhy Reason
		if err != nil || len(dict.Names()) == 0 {
			want, wantWhy = admit(http.Header{"Cache-Control": {cacheControl}, "Expires": {date(time.Minute)}})
		} else {
			want, wantWhy = admit(http.Header{"Cdn-Cache-Control": lines})
			for _, name := range []string{"no-store", "private"} {
				if m, _ := dict.Get(name); isTrue(m) && (name == "private" || !targetsUnderstand(dict)) {
					require.Nil(t, got, "stored despite %s", name)
				}
			}
		}
		require.Equal(t, wantWhy, why, "%s and %s", wantWhy, why)
		require.Equal(t, want, got)
	})
}

func isTrue(m httpsfv.Member) bool {
	item, ok := m.(httpsfv.Item)
	return ok && item.Value == true
}

func targetsUnderstand(dict *httpsfv.Dictionary) bool {
	m, _ := dict.Get("must-understand")
	return isTrue(m)
}

func FuzzConditional(f *testing.F) {
	for _, s := range []string{`"a"`, `W/"a"`, `""`, `"a,b"`, `"a\"`, "a", "*", "W/", `"a", W/"b"`, "\"\xff\""} {
		f.Add(s, s, date(0))
		f.Add(`"a"`, s, date(-time.Hour))
		f.Add(s, `"a"`, "x")
	}
	f.Fuzz(func(t *testing.T, tag, noneMatch, since string) {
		s := &Stored{Method: "GET", Status: 200, ETag: etag(http.Header{"Etag": {tag}}), Date: t0, LastModified: t0.Add(-time.Minute), Times: Times{t0, t0}}
		asked := func(h http.Header) bool { return NotModified(NewRequest("GET", h), s) }

		got := asked(http.Header{"If-None-Match": {noneMatch}})
		assert.Equal(t, got, asked(http.Header{"If-None-Match": {noneMatch}, "If-Modified-Since": {since}}), "If-Modified-Since is void")
		if got && !strings.Contains(noneMatch, "*") {
			require.NotEmpty(t, s.ETag)
			require.Contains(t, noneMatch, strings.TrimPrefix(s.ETag, "W/"))
		}
		if asked(http.Header{"If-Modified-Since": {since}}) {
			when, err := http.ParseTime(strings.Trim(since, " \t"))
			if err == nil {
				require.False(t, when.Before(s.LastModified))
			}
		}

		ours, date := Conditions(NewRequest("GET", http.Header{}), []*Stored{s}, 0)
		require.True(t, asked(http.Header{"If-Modified-Since": {date}}), "our own condition holds for what it was made of")
		if s.ETag != "" {
			require.True(t, asked(http.Header{"If-None-Match": {ours}}), "our own condition holds for what it was made of")
			require.Equal(t, []int{0}, Freshen(NewRequest("GET", http.Header{}), []*Stored{s}, 0, http.Header{"Etag": {tag}}))
		}
		require.False(t, strongEqual(s.ETag, "W/"+strings.TrimPrefix(s.ETag, "W/")))
	})
}
