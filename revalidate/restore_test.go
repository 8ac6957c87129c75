package revalidate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
	"cacheproxy/snapshot"
)

// What is of no use any more when it is loaded is not loaded, and what is of none when
// it is saved is not saved.
func TestWhatHasExpiredIsLeftOut(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.rules.GraceError = 0
		b.fill("/short", "x", "Cache-Control: max-age=10")
		b.fill("/long", "x", "Cache-Control: max-age=1000")
		b.fill("/valid", "x", "Cache-Control: max-age=10", `Etag: "v"`)
		in := snap(t, b.f)
		b.store.Clear()
		time.Sleep(20 * time.Second)
		got := load(t, b.f, in)
		assert.EqualValues(t, 2, got.Entries)
		assert.EqualValues(t, 1, got.Expired)
		assert.Empty(t, b.stored("/short"))
		assert.Equal(t, policy.Serve, b.job("GET", "/long").Decision.Action)
		assert.Equal(t, policy.Validate, b.job("GET", "/valid").Decision.Action, "it can still be validated")

		saved, err := b.f.Save(io.Discard)
		require.NoError(t, err)
		assert.EqualValues(t, 2, saved.Entries)
		time.Sleep(1000 * time.Second)
		saved, err = b.f.Save(io.Discard)
		require.NoError(t, err)
		assert.EqualValues(t, 1, saved.Entries)
	})
}

// A clock that was set back does not make anything younger: nobody knows how old it is.
func TestAClockThatWentBack(t *testing.T) {
	var in []byte
	inBubble(t, func(b *bubble) {
		time.Sleep(time.Hour)
		b.fill("/a", "x", "Cache-Control: max-age=100, stale-while-revalidate=100", `Etag: "v"`)
		time.Sleep(30 * time.Second)
		in = snap(t, b.f)
	})
	inBubble(t, func(b *bubble) { // every bubble begins at the same time
		got := load(t, b.f, in)
		assert.True(t, got.ClockBack)
		assert.EqualValues(t, 1, got.Entries)
		j := b.job("GET", "/a")
		assert.Equal(t, policy.Validate, j.Decision.Action)
		assert.Equal(t, 30*time.Second, j.selected().Age(time.Now()))
	})
}

// What is in the store stays when it is as new; what is older gives way.
func TestALoadTakesTheLowestPlace(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/same", "same", "Cache-Control: max-age=1000")
		b.fill("/renewed", "old", "Cache-Control: max-age=1000")
		b.fill("/lost", "lost", "Cache-Control: max-age=1000")
		b.fill("/whole", "part", "Cache-Control: max-age=1000")
		first := snap(t, b.f)
		time.Sleep(clockSlack)
		for _, path := range []string{"/renewed", "/whole"} {
			b.f.Invalidate("http://site.test" + path)
			b.fill(path, "new", "Cache-Control: max-age=1000")
		}
		b.f.Invalidate("http://site.test/lost")
		second := snap(t, b.f)

		got := load(t, b.f, first)
		assert.EqualValues(t, 1, got.Entries)
		assert.EqualValues(t, 3, got.Older)
		assert.Equal(t, "new", b.stored("/renewed"))
		assert.Equal(t, "lost", b.stored("/lost"))

		b.store.Clear()
		load(t, b.f, first)
		got = load(t, b.f, second)
		assert.EqualValues(t, 2, got.Entries)
		assert.EqualValues(t, 1, got.Older)
		assert.Equal(t, "new", b.stored("/renewed"))
	})
}

// What was purged since the snapshot was saved is told by marks, whose times do not
// matter: clocks may have been set.
func TestMarksForASnapshot(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for _, path := range []string{"/url", "/tag", "/soft", "/other"} {
			b.fill(path, "x", "Cache-Control: max-age=1000", "Cache-Tag: "+path[1:])
		}
		in := snap(t, b.f)
		b.store.Clear()
		marks := []purge.Mark{
			{Kind: purge.URL, Value: "http://site.test/url"}, {Kind: purge.Tag, Value: "tag"},
			{Kind: purge.Tag, Value: "soft", Soft: true, Time: time.Now().Add(-time.Hour)},
		}
		got, err := b.f.Load(bytes.NewReader(in), marks)
		require.NoError(t, err)
		assert.EqualValues(t, 2, got.Purged)
		assert.EqualValues(t, 2, got.Entries)
		assert.Empty(t, b.stored("/url"))
		assert.Empty(t, b.stored("/tag"))
		assert.Equal(t, policy.Serve, b.job("GET", "/other").Decision.Action)
		assert.NotEqual(t, policy.Serve, b.job("GET", "/soft").Decision.Action)
		assert.Equal(t, "x", b.stored("/soft"))
	})
}

// What is invalidated while a snapshot is loaded does not come back with it.
func TestInvalidatedWhileLoading(t *testing.T) {
	const n, size = 1000, 1000
	in := snapshotOf(t, n, size)
	for _, many := range []bool{false, true} {
		store, f := filled(t, 0, size, cache.GDSF)
		store.Resize(n * 10_000)
		half := len(in) / 2
		between := readerFunc(func([]byte) (int, error) {
			require.Positive(t, intact(t, f, n, size))
			for i := range n {
				f.Invalidate(keyOf(i))
			}
			for i := 0; many && i < mostGone; i++ {
				f.Invalidate(fmt.Sprint("another ", i))
			}
			return 0, io.EOF
		})
		got, err := f.Load(io.MultiReader(bytes.NewReader(in[:half]), between, bytes.NewReader(in[half:])), nil)
		require.NoError(t, err)
		assert.Zero(t, intact(t, f, n, size))
		assert.Greater(t, got.Older, int64(n/3))
		assert.EqualValues(t, n, got.Older+got.Entries)
		load(t, f, in)
		assert.Equal(t, n, intact(t, f, n, size), "the next time they are old history")
		f.Close()
		store.Close()
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestLimitsOfToday(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/large", strings.Repeat("x", 1000), "Cache-Control: max-age=1000")
		for i := range 4 {
			c := b.get("/v", fmt.Sprintf("X-V: %d", i))
			b.next().respond(200, "Cache-Control: max-age=1000", "Vary: X-V").send("v").end()
			c.complete("v")
		}
		in := snap(t, b.f)
		b.store.Clear()
		b.f.SetLimits(999, 3)
		got := load(t, b.f, in)
		assert.EqualValues(t, 3, got.Entries)
		assert.EqualValues(t, 2, got.Refused)

		small, err := cache.New[Kept](cache.Options{MaxCost: 500, Engine: cache.GDSF})
		require.NoError(t, err)
		defer small.Close()
		f := New(Options{Store: small, MaxObject: maxObject, MaxVariants: 4})
		defer f.Close()
		got = load(t, f, in)
		assert.EqualValues(t, 5, got.Entries+got.Refused)
		assert.Positive(t, got.Refused, "what is larger than the store")
		assert.Positive(t, got.Entries, "and does not take with it what fits")
		assert.EqualValues(t, 1, small.Stats().Entries)
		assert.LessOrEqual(t, small.Stats().Cost, int64(500))
	})
}

// A store that is too small by now keeps what fits, and the rest is counted.
func TestASmallerStore(t *testing.T) {
	for _, engine := range cache.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			in := snapshotOf(t, 2000, 1000)
			store, err := cache.New[Kept](cache.Options{MaxCost: 1 << 20, Engine: engine})
			require.NoError(t, err)
			defer store.Close()
			f := New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4})
			defer f.Close()
			got := load(t, f, in)
			store.Flush()
			entries := store.Stats().Entries
			assert.EqualValues(t, 2000, got.Entries+got.Refused)
			assert.Equal(t, entries, got.Entries-got.Displaced)
			assert.Greater(t, entries, int64(500))
			assert.LessOrEqual(t, store.Stats().Cost, int64(1<<20))
		})
	}
}

func TestForeignSnapshotsAreRefused(t *testing.T) {
	inBubble(t, func(b *bubble) {
		_, err := b.f.Load(strings.NewReader(strings.Repeat("<html>", 100)), nil)
		var format *snapshot.FormatError
		require.ErrorAs(t, err, &format)

		gone := errors.New("the client left")
		in := snapshotOf(t, 100, 500)
		got, err := b.f.Load(io.MultiReader(bytes.NewReader(in[:len(in)/2]), &failing{gone}), nil)
		require.ErrorIs(t, err, gone)
		assert.Greater(t, got.Entries, int64(30), "what came stays")
	})
}
