package revalidate

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

// Every fact of a stored response is in a snapshot: a new one has a line in saved.all.
func TestEveryFactIsSaved(t *testing.T) {
	want := policy.Stored{Partial: &policy.Partial{Held: []policy.ByteRange{{First: 1, Last: 2}}, Length: 7}}
	fillIn(reflect.ValueOf(&want).Elem())
	s := saved{key: "k", since: 1, took: 2, used: 3, stored: want, fields: "f"}
	w := coder{}
	s.all(&w)
	var got saved
	r := coder{in: string(w.out), reads: true}
	got.all(&r)
	require.False(t, r.bad)
	require.Empty(t, r.in)
	assert.True(t, want.Date.Equal(got.stored.Date))
	assert.True(t, want.LastModified.Equal(got.stored.LastModified))
	got.stored.Date, got.stored.LastModified = want.Date, want.LastModified
	got.stored.Times = want.Times // they are since and took
	assert.Equal(t, s, got)
}

// fillIn gives every field that has none a value of its own.
func fillIn(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch x := f.Addr().Interface().(type) {
		case *time.Time:
			*x = time.Unix(1_900_000_000+int64(i), int64(i))
		case *policy.Times:
			x.Requested, x.Received = time.Unix(1, 0), time.Unix(2, 0)
		case **policy.Partial:
		default:
			switch f.Kind() {
			case reflect.String:
				f.SetString(fmt.Sprint("text ", i))
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Slice:
				f.Set(reflect.ValueOf([]string{fmt.Sprint("A", i), ""}))
			case reflect.Uint8:
				f.SetUint(uint64(i))
			default:
				f.SetInt(int64(1000 + i))
			}
		}
	}
}

// What is intact, but not what this program would store, is not loaded.
func TestWhatNobodyWouldStoreIsInvalid(t *testing.T) {
	good := func() saved {
		return saved{
			key: "http://site.test/a", fields: "Content-Type: text/plain\r\nX-A: 1\r\n",
			stored: policy.Stored{Method: "GET", Status: 200, Lifetime: time.Hour, Vary: []string{"Accept"}, VaryValues: []string{"\x00"}},
		}
	}
	_, _, ok := parsed(good(), 5)
	require.True(t, ok)
	part := func(length int64, held ...policy.ByteRange) func(s *saved) {
		return func(s *saved) {
			s.stored.Status, s.stored.Partial = 206, &policy.Partial{Length: length, Held: held}
		}
	}
	s := good()
	part(10, policy.ByteRange{First: 0, Last: 1}, policy.ByteRange{First: 3, Last: 5})(&s)
	_, _, ok = parsed(s, 5)
	require.True(t, ok)
	for name, change := range map[string]func(s *saved){
		"a key that is none":         func(s *saved) { s.key = "ftp://site.test/" },
		"a key with a line end":      func(s *saved) { s.key += "\r\nX: y" },
		"a line end in a field":      func(s *saved) { s.fields = "X-A: 1\nSet-Cookie: a=b\r\n" },
		"a bare CR in a field":       func(s *saved) { s.fields = "X-A: 1\rX\r\n" },
		"a NUL in a field":           func(s *saved) { s.fields = "X-A: \x00\r\n" },
		"a field without an end":     func(s *saved) { s.fields = "X-A: 1" },
		"a field without a name":     func(s *saved) { s.fields = ": 1\r\n" },
		"an empty line":              func(s *saved) { s.fields = "\r\nX-A: 1\r\n" },
		"a name in another spelling": func(s *saved) { s.fields = "x-a: 1\r\n" },
		"a space in a name":          func(s *saved) { s.fields = "X A: 1\r\n" },
		"a line end in the ETag":     func(s *saved) { s.stored.ETag = "\"a\r\nX: y\"" },
		"a line end in a value":      func(s *saved) { s.stored.VaryValues[0] = "\x00a\r\nX: y" },
		"a star in Vary":             func(s *saved) { s.stored.Vary[0] = "a b" },
		"too few values":             func(s *saved) { s.stored.VaryValues = nil },
		"another method":             func(s *saved) { s.stored.Method = "POST" },
		"a HEAD with content":        func(s *saved) { s.stored.Method = "HEAD" },
		"an interim status":          func(s *saved) { s.stored.Status = 101 },
		"not modified":               func(s *saved) { s.stored.Status = 304 },
		"no content with content":    func(s *saved) { s.stored.Status = 204 },
		"too many tags":              func(s *saved) { s.stored.Tags = "t" + strings.Repeat("\nt", policy.MostTags) },
		"too long tags":              func(s *saved) { s.stored.Tags = strings.Repeat("t", policy.MostTagBytes+1) },
		"a negative age":             func(s *saved) { s.stored.InitialAge = -1 },
		"a lifetime beyond all":      func(s *saved) { s.stored.Lifetime = 1<<63 - 1 },
		"a receipt in a far future":  func(s *saved) { s.since = -1 << 62 },
		"a source that is none":      func(s *saved) { s.stored.Source = policy.SourcePurge + 1 },
		"a 206 without its parts":    func(s *saved) { s.stored.Status = 206 },
		"parts of a 200":             func(s *saved) { part(10, policy.ByteRange{First: 0, Last: 4})(s); s.stored.Status = 200 },
		"parts of another length":    part(10, policy.ByteRange{First: 0, Last: 5}),
		"parts that overlap":         part(10, policy.ByteRange{First: 0, Last: 2}, policy.ByteRange{First: 2, Last: 3}),
		"parts beyond the end":       part(4, policy.ByteRange{First: 0, Last: 4}),
		"parts that would overflow":  part(-1, policy.ByteRange{First: 1<<63 - 5, Last: 1<<63 - 1}),
		"no parts":                   part(10),
	} {
		s := good()
		change(&s)
		_, _, ok := parsed(s, 5)
		assert.False(t, ok, name)
	}
}

// parsed is what is read of a record that somebody wrote.
func parsed(s saved, size int64) (string, *Entry, bool) {
	var c coder
	s.all(&c)
	return parseSaved(string(c.out), size, time.Now(), 0)
}

// What is read of any bytes is what would be written for it, and can be used.
func FuzzSaved(f *testing.F) {
	now := time.Unix(2_000_000_000, 0)
	for _, s := range []saved{
		{key: "http://site.test/a", fields: "X-A: 1\r\n", stored: policy.Stored{Method: "GET", Status: 200, Vary: []string{"Accept"}, VaryValues: []string{"\x00"}}},
		{key: "https://site.test/", stored: policy.Stored{Method: "GET", Status: 206, ETag: `"a"`, Partial: &policy.Partial{Length: 9, Held: []policy.ByteRange{{First: 0, Last: 4}}}}},
	} {
		var c coder
		s.all(&c)
		f.Add(string(c.out), int64(5))
	}
	f.Fuzz(func(t *testing.T, head string, size int64) {
		if size < 0 || size > 1<<20 {
			return
		}
		key, e, ok := parseSaved(head, size, now, time.Minute)
		if !ok {
			return
		}
		require.False(t, e.Received.After(now))
		require.GreaterOrEqual(t, e.Age(now), time.Duration(0))
		require.NotContains(t, strings.ReplaceAll(string(e.Fields), "\r\n", ""), "\n")
		e.Body = NewBody(make([]byte, size))
		k := keep([]*Entry{e}, now)
		var r Resource
		r.fill(k, now)
		policy.Judge(policy.NewRequest("GET", http.Header{}), r.Stored, now)
		_, again, ok := parseSaved(string(appendSaved(nil, key, r.Entries[0], now)), size, now, 0)
		require.True(t, ok)
		require.Equal(t, e.Fields, again.Fields)
		require.True(t, policy.SameJudgement(e.Stored, again.Stored))
	})
}
