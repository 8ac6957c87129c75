package revalidate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

func TestInvalidateDoomsWhatIsOnItsWay(t *testing.T) {
	const key = "http://site.test/a"
	for _, tc := range []struct {
		name string
		act  func(b *bubble, c *call)
	}{
		{"before the head", func(b *bubble, c *call) {
			b.f.Invalidate(key)
			c.respond(200, "Cache-Control: max-age=60").send("old").end()
		}},
		{"amid the body", func(b *bubble, c *call) {
			c.respond(200, "Cache-Control: max-age=60").send("o")
			b.f.Invalidate(key)
			c.send("ld").end()
		}},
		{"at the end", func(b *bubble, c *call) {
			c.respond(200, "Cache-Control: max-age=60").send("old")
			b.f.Invalidate(key)
			c.end()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				all := b.crowd(3, "/a")
				c := b.next()
				tc.act(b, c)
				for _, cl := range all {
					assert.Equal(t, policy.Invalidated, cl.complete("old").Late())
				}
				assert.Equal(t, "", b.stored("/a"))
			})
		})
	}
}

func TestWhoAsksAfterAnInvalidationAsksAnew(t *testing.T) {
	for _, head := range []bool{false, true} {
		inBubble(t, func(b *bubble) {
			before := b.get("/a")
			c := b.next()
			if head {
				c.respond(200, "Cache-Control: max-age=60").send("o")
			}
			assert.False(t, b.f.Invalidate("http://site.test/a"), "nothing was stored yet")
			after := b.get("/a")
			b.next().respond(200, "Cache-Control: max-age=60").send("new").end()
			after.complete("new")
			if !head {
				c.respond(200, "Cache-Control: max-age=60").send("o")
			}
			c.send("ld").end()
			before.complete("old")
			assert.Equal(t, "new", b.stored("/a"))
		})
	}
}

func TestInvalidateDoomsARefresh(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "old", "Cache-Control: max-age=60", `Etag: "1"`)
		require.Equal(t, "old", b.stored("/a"))
		j := b.job("GET", "/a")
		b.f.Refresh(j)
		c := b.next()
		assert.Equal(t, `"1"`, c.req.Header.Get("If-None-Match"))
		assert.True(t, b.f.Invalidate(j.Key))
		c.respond(304, `Etag: "1"`, "Cache-Control: max-age=60").end()
		assert.Equal(t, "", b.stored("/a"), "a confirmation does not bring it back")
	})
}

func TestInvalidateEndsLoneliness(t *testing.T) {
	inBubble(t, func(b *bubble) {
		cl := b.get("/a")
		b.next().respond(200, "Cache-Control: private").end()
		cl.complete("")
		b.f.Invalidate("http://site.test/a")
		all := b.crowd(2, "/a")
		b.next().respond(200, "Cache-Control: max-age=60").end()
		all[0].complete("")
		all[1].complete("")
	})
}
