package revalidate

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

// RFC 9111, 4.3.3: a full response that is not stored tells that what is stored
// does not hold any more, unless it is about this one request or this moment.
func TestAnAnswerDisplacesWhatIsStored(t *testing.T) {
	for _, tc := range []struct {
		status   int
		response string
		request  []string
		kept     bool
	}{
		{200, "Cache-Control: no-store", nil, false},
		{200, "Cache-Control: private", nil, false},
		{302, "Location: /login", nil, false},
		{404, "Cache-Control: no-store", nil, false},
		{410, "Cache-Control: no-store", nil, false},
		{403, "X-Why: closed", nil, false},
		{403, "X-Why: closed", []string{"Authorization: Basic x"}, true},
		{200, "Cache-Control: private", []string{"Authorization: Basic x"}, true},
		{400, "X-Why: bad", nil, true},
		{429, "Retry-After: 1", nil, true},
		{500, "X-Why: broken", nil, true},
		{503, "Retry-After: 1", nil, true},
	} {
		t.Run(fmt.Sprint(tc.status, tc.response, tc.request), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.fill("/a", "old", "Cache-Control: max-age=1, stale-if-error=0, stale-while-revalidate=600", `ETag: "1"`)
				time.Sleep(2 * time.Second)
				cl := b.get("/a", tc.request...)
				b.next().respond(tc.status, tc.response).send("new").end()
				cl.complete("new")
				want := ""
				if tc.kept {
					want = "old"
				}
				assert.Equal(t, want, b.stored("/a"))
			})
		})
	}
}

// What is fresh stays for others, whatever one client insists to get for itself.
func TestNothingDisplacesWhatIsFresh(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "old", "Cache-Control: max-age=60")
		cl := b.get("/a", "Cache-Control: no-cache", "Cookie: session=1")
		b.next().respond(200, "Cache-Control: private").send("mine").end()
		cl.complete("mine")
		assert.Equal(t, "old", b.stored("/a"))
	})
}

// The same when nobody waits for the answer.
func TestARefreshDisplacesWhatIsStored(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "old", "Cache-Control: max-age=1, stale-while-revalidate=600")
		time.Sleep(2 * time.Second)
		b.f.Refresh(b.job("GET", "/a"))
		b.next().respond(404).send("gone").end()
		assert.Empty(t, b.stored("/a"))
	})
}

// A body that has been silent for a while gets no new readers: the origin may
// be well again.
func TestNobodyJoinsAStalledBody(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first := b.get("/a")
		stalled := b.next().respond(200, "Cache-Control: max-age=60").send("half")
		soon := b.get("/a")
		assert.Equal(t, "half", soon.has())
		time.Sleep(joinSilence + time.Second)
		late := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=60").send("whole").end()
		late.complete("whole")
		stalled.send("whole").end()
		first.complete("halfwhole")
		soon.complete("halfwhole")
	})
}

// Credentials make another kind of request: that their answers cannot be shared
// says nothing about the others.
func TestCredentialsDoNotKeepOthersFromSharing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		junk := b.get("/a", "Authorization: Basic junk")
		c := b.next()
		all := b.crowd(20, "/a")
		shared := b.next()
		b.noMore()
		c.respond(200, "Cache-Control: max-age=60").send("for junk").end()
		junk.complete("for junk")
		all = append(all, b.crowd(20, "/a")...)
		b.noMore()
		shared.respond(200, "Cache-Control: max-age=60").send("for all").end()
		for _, cl := range all {
			cl.complete("for all")
		}
	})
}

// A stale answer that may be used while it is refreshed may be shared as well.
func TestStaleWhileRevalidateIsShared(t *testing.T) {
	inBubble(t, func(b *bubble) {
		all := b.crowd(20, "/a")
		c := b.next()
		b.noMore()
		c.respond(200, "Cache-Control: max-age=0, stale-while-revalidate=60").send("one").end()
		for _, cl := range all {
			cl.complete("one")
		}
	})
}

// Bodies on their way are kept only as far as there is room for them; beyond that
// they still reach their clients, and are not stored.
func TestBodiesOnTheirWayAreBounded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const room = leastRoom + 64<<20/16 // of the bubble's store
		half := strings.Repeat("x", maxObject/2)
		var clients []*client
		var calls []*call
		for i := range room/len(half) + 2 {
			clients = append(clients, b.get(fmt.Sprint("/", i)))
			calls = append(calls, b.next().respond(200, "Cache-Control: max-age=60").send(half))
		}
		assert.LessOrEqual(t, b.f.onTheWay.Load(), int64(room+2*firstChunk), "two found no room")
		stored := 0
		for i, c := range calls {
			c.send("y").end()
			a := clients[i].complete(half + "y")
			switch why := a.Late(); why {
			case policy.ReasonNone:
				stored++
			default:
				require.Equal(t, policy.StoreRefused, why)
			}
		}
		assert.Positive(t, stored)
		assert.Less(t, stored, len(calls))
		assert.Zero(t, b.f.onTheWay.Load())
	})
}

// What came of a body before it outgrew the store counts until its last reader has it.
func TestALagCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var onTheWay, passing atomic.Int64
		onTheWay.Store(1 << 20)
		s := newStream(-1, &passing)
		fast, slow := s.reader(), s.reader()
		s.feed(t, pattern(1<<20))
		s.letGo(1<<20, &onTheWay)
		assert.EqualValues(t, 1<<20, onTheWay.Load())
		for range 2 { // with the second call it is done with what came first
			_, err := slow.Next(t.Context())
			require.NoError(t, err)
		}
		s.finish(nil)
		_, err := fast.all(t.Context())
		require.NoError(t, err)
		fast.Close()
		assert.EqualValues(t, 1<<20-firstChunk, onTheWay.Load(), "the slow one has seen only so much")
		slow.Close()
		assert.Zero(t, onTheWay.Load())
	})
}

// A store that gives way while a body comes does not get one that is larger than all of it.
func TestAShrunkenStoreKeepsLess(t *testing.T) {
	inBubble(t, func(b *bubble) {
		cl := b.get("/a")
		c := b.next().respond(200, "Cache-Control: max-age=60").send(strings.Repeat("x", maxObject/4))
		b.store.Resize(maxObject / 2)
		c.send(strings.Repeat("x", maxObject/2))
		assert.Less(t, b.f.onTheWay.Load(), int64(maxObject/2), "it is not kept for nothing")
		c.end()
		a := cl.complete(strings.Repeat("x", maxObject*3/4))
		assert.Equal(t, policy.StoreRefused, a.Late())
	})
}

// set_cookie strip takes the cookie from what is stored, and leaves all others alone.
func TestStripOnlyWhatIsStored(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.rules.SetCookie = policy.StripCookie
		cl := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=60", "Set-Cookie: a=b").send("x").end()
		assert.Empty(t, cl.complete("x").Header.Get("Set-Cookie"), "everybody gets what is stored")
		cl = b.get("/b")
		b.next().respond(200, "Cache-Control: private", "Set-Cookie: a=b").send("x").end()
		assert.Equal(t, "a=b", cl.complete("x").Header.Get("Set-Cookie"))
	})
}
