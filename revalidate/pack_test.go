package revalidate

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

// back stores entries and reads them again.
func back(t *testing.T, base time.Time, entries ...*Entry) *Resource {
	t.Helper()
	var r Resource
	r.fill(keep(entries, base), base)
	require.Len(t, r.Entries, len(entries))
	require.Len(t, r.Stored, len(entries))
	return &r
}

// same holds what was read to what was stored.
func same(t *testing.T, want, got *Entry) {
	t.Helper()
	w, g := *want.Stored, *got.Stored
	for _, times := range []struct{ want, got *time.Time }{
		{&w.Requested, &g.Requested}, {&w.Received, &g.Received}, {&w.Date, &g.Date}, {&w.LastModified, &g.LastModified},
	} {
		assert.True(t, times.want.Equal(*times.got), "%v, not %v", times.want, times.got)
		assert.Equal(t, times.want.IsZero(), times.got.IsZero())
		*times.want, *times.got = time.Time{}, time.Time{}
	}
	if len(w.Vary) == 0 {
		w.Vary, w.VaryValues, g.Vary, g.VaryValues = nil, nil, nil, nil
	}
	assert.Equal(t, w, g)
	assert.Equal(t, want.Fields, got.Fields)
	assert.Equal(t, content(want.Body), content(got.Body))
	assert.Equal(t, want.Body.Size(), got.Body.Size())
}

func packable() map[string]*Entry {
	base := time.Now()
	usual := policy.Stored{
		Method: "GET", Status: 200, Times: policy.Times{Requested: base.Add(time.Second), Received: base.Add(1500 * time.Millisecond)},
		Date: time.Unix(1e9, 0), LastModified: time.Unix(9e8, 0), InitialAge: 500 * time.Millisecond,
		Lifetime: time.Hour, Source: policy.SourceMaxAge, StaleIfError: time.Hour, ETag: `"1"`,
	}
	with := func(change func(e *Entry)) *Entry {
		s := usual
		e := &Entry{Stored: &s, Fields: "Content-Type: text/html\r\nEtag: \"1\"\r\n", Body: NewBody([]byte("content"))}
		change(e)
		return e
	}
	return map[string]*Entry{
		"usual":          with(func(*Entry) {}),
		"nothing at all": {Stored: &policy.Stored{Method: "GET", Times: policy.Times{Requested: base, Received: base}}},
		"all flags":      with(func(e *Entry) { e.NoCache, e.MustRevalidate, e.Immutable = true, true, true }),
		"HEAD":           with(func(e *Entry) { e.Method, e.Body = "HEAD", Body{} }),
		"before base":    with(func(e *Entry) { e.Received, e.Requested = base.Add(-time.Hour), base.Add(-2*time.Hour) }),
		"long ago":       with(func(e *Entry) { e.Date, e.LastModified = time.Unix(-1e9, 0), time.Unix(0, 0) }),
		"fractions":      with(func(e *Entry) { e.Date, e.LastModified = base, base.Add(time.Nanosecond-60*365*24*time.Hour) }),
		"for ever": with(func(e *Entry) {
			e.Lifetime, e.InitialAge, e.StaleWhileRevalidate = math.MaxInt64, math.MaxInt64, math.MinInt64
		}),
		"a tag that is not in the fields": with(func(e *Entry) { e.ETag, e.ContentLanguage = `W/"other"`, "de" }),
		"varies": with(func(e *Entry) {
			e.Vary, e.VaryValues = []string{"Accept-Encoding", "Accept-Language", "X"}, []string{"gzip", "", strings.Repeat("v", 70_000)}
		}),
		"long fields": with(func(e *Entry) { e.Fields = Block("X: " + strings.Repeat("x", 100_000) + "\r\n") }),
		"tagged":      with(func(e *Entry) { e.Tags = "one\n\tgroup" }),
		"tagged, and varies": with(func(e *Entry) {
			e.Tags, e.Vary, e.VaryValues = strings.Repeat("t", policy.MostTagBytes), []string{"X"}, []string{"v"}
		}),
		"in pieces": with(func(e *Entry) { e.Body = bodyOf("con", "te", "nt") }),
		"a part": with(func(e *Entry) {
			e.Partial, e.Status = &policy.Partial{Held: []policy.ByteRange{{First: 5, Last: 11}}, Length: 100}, 206
		}),
		"slack": with(func(e *Entry) { e.Body = NewBody(make([]byte, 7, 8)) }),
	}
}

func TestWhatIsKeptReadsBack(t *testing.T) {
	base := time.Now()
	for name, e := range packable() {
		t.Run(name, func(t *testing.T) {
			r := back(t, base, e)
			same(t, e, r.Entries[0])
			assert.Same(t, r.Entries[0].Stored, r.Stored[0])
			again := keep(r.Entries, base)
			assert.Equal(t, r.kept.cost(), again.cost(), "what comes from the store goes back as it was")
			assert.Equal(t, r.kept.head, again.head)
		})
	}
}

// One Resource is read into again and again, and nothing of one use is seen in the
// next.
func TestAResourceIsReadIntoAgain(t *testing.T) {
	base := time.Now()
	all := packable()
	var several []*Entry
	for _, e := range all {
		several = append(several, e)
	}
	var r Resource
	for range 2 {
		for _, e := range all {
			r.fill(keep([]*Entry{e}, base), base)
			same(t, e, r.Entries[0])
		}
		r.fill(keep(several, base), base)
		require.Len(t, r.Entries, len(several))
		for i, e := range several {
			same(t, e, r.Entries[i])
		}
	}
}

// What waits for its next use keeps nothing of the last one, and little memory.
func TestForget(t *testing.T) {
	base := time.Now()
	e := packable()["varies"]
	for _, n := range []int{1, fewViews, fewViews + 1} {
		var r Resource
		r.Forget()
		r.fill(keep(slices.Repeat([]*Entry{e}, n), base), base)
		r.Forget()
		assert.LessOrEqual(t, len(r.views), fewViews)
		for _, v := range r.views {
			assert.Equal(t, view{}, v)
		}
		assert.NotContains(t, r.words, "gzip")
		r.fill(keep([]*Entry{e}, base), base)
		same(t, e, r.Entries[0])
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	base := time.Now()
	entry := packable()["varies"]
	for _, entries := range [][]*Entry{{entry}, {entry, packable()["in pieces"]}} {
		k := keep(entries, base)
		var r Resource
		r.fill(k, base)
		assert.Zero(t, testing.AllocsPerRun(100, func() { r.fill(k, base) }))
	}
}

func FuzzPack(f *testing.F) {
	f.Add(int64(1), int64(2), int64(3), int64(4), uint16(200), uint8(3), `"tag"`, "name", "value", "Etag: \"tag\"\r\n", "body")
	f.Add(int64(-1), int64(math.MaxInt64), int64(math.MinInt64), int64(0), uint16(0), uint8(255), "", "", "", "", "")
	f.Fuzz(func(t *testing.T, received, date, life, stale int64, status uint16, bits uint8, tag, name, value, fields, body string) {
		base := time.Unix(1_700_000_000, 0)
		received %= int64(1000 * time.Hour)
		dated := time.Unix(date%1e11, 0)
		if date&1 == 1 {
			dated = base.Add(time.Duration(date % int64(600_000*time.Hour)))
		}
		e := &Entry{
			Stored: &policy.Stored{
				Method: "GET", Status: int(status), Times: policy.Times{Received: base.Add(time.Duration(received)), Requested: base},
				Date: dated, Lifetime: time.Duration(life), StaleIfError: time.Duration(stale),
				NoCache: bits&1 != 0, Immutable: bits&2 != 0, Source: policy.Source(bits >> 4 % 9), ETag: tag,
				Vary: []string{name}, VaryValues: []string{value}, Tags: name,
			},
			Fields: Block(fields), Body: NewBody([]byte(body)),
		}
		same(t, e, back(t, base, e).Entries[0])
		same(t, e, back(t, base, e, e).Entries[1])
	})
}

func BenchmarkRead(b *testing.B) {
	base := time.Now()
	for _, name := range []string{"usual", "varies"} {
		k := keep([]*Entry{packable()[name]}, base)
		b.Run(name, func(b *testing.B) {
			var r Resource
			for b.Loop() {
				r.fill(k, base)
				r.Forget()
			}
		})
	}
}
