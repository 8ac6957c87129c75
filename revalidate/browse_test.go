package revalidate

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/purge"
)

// seen are the keys that Each calls its function for, sorted.
func seen(ctx context.Context, f *Fetcher, part string) (keys []string, looked int64, complete bool) {
	looked, complete = f.Each(ctx, part, func(key string, _ *Resource, _ int64) bool {
		keys = append(keys, key)
		return true
	})
	slices.Sort(keys)
	return keys, looked, complete
}

func TestEach(t *testing.T) {
	for _, engine := range cache.Engines() {
		t.Run(string(engine), func(t *testing.T) {
			store, f := filled(t, 300, 100, engine)
			defer store.Close()
			defer f.Close()
			keys, looked, complete := seen(t.Context(), f, "/29")
			assert.Len(t, keys, 11, "/29 and /290 to /299")
			assert.True(t, complete)
			assert.EqualValues(t, store.Stats().Entries, looked)

			keys, _, complete = seen(t.Context(), f, "no such thing")
			assert.Empty(t, keys)
			assert.True(t, complete)

			n := 0
			looked, complete = f.Each(t.Context(), "", func(_ string, r *Resource, bytes int64) bool {
				assert.Len(t, r.Entries, 1)
				assert.Greater(t, bytes, int64(100), "content, key and what belongs to them")
				n++
				return n < 5
			})
			assert.Equal(t, 5, n)
			assert.EqualValues(t, 5, looked)
			assert.False(t, complete, "who wants no more has not seen all")

			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			keys, looked, complete = seen(ctx, f, "")
			assert.Empty(t, keys)
			assert.Zero(t, looked)
			assert.False(t, complete)
		})
	}
}

// What was purged is not there, also while the store still has it, and what was purged
// softly is stale.
func TestEachKeepsToTheMarks(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for i, name := range []string{"hard", "soft", "kept"} {
			b.fill("/"+strconv.Itoa(i), name, "Cache-Control: max-age=60", "Cache-Tag: "+name)
		}
		release := b.holdMarks() // until then the store is not swept
		time.Sleep(10 * time.Second)
		b.f.Purge(tag("hard"), nil)
		b.f.Purge([]purge.Mark{{Kind: purge.Tag, Value: "soft", Soft: true}}, nil)
		fresh := map[string]time.Duration{}
		_, complete := b.f.Each(t.Context(), "site.test/", func(key string, r *Resource, _ int64) bool {
			fresh[key] = r.Entries[r.Newest()].FreshFor(time.Now()).Round(time.Second)
			return true
		})
		assert.Equal(t, map[string]time.Duration{"http://site.test/1": 0, "http://site.test/2": 50 * time.Second}, fresh)
		assert.True(t, complete)
		release()
	})
}

func TestNewest(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for _, language := range []string{"de", "en", "fr"} {
			c := b.get("/v", "Accept-Language: "+language)
			b.next().respond(200, "Cache-Control: max-age=1000", "Vary: Accept-Language").send("in " + language).end()
			c.complete("in " + language)
			time.Sleep(time.Second)
		}
		r, _ := b.f.Lookup("http://site.test/v")
		require.Len(t, r.Entries, 3)
		assert.Equal(t, []string{"fr"}, r.Entries[r.Newest()].VaryValues)
	})
}
