package revalidate

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

func TestTheFirstClientLeavesAndTheOthersStay(t *testing.T) {
	for _, tc := range []struct {
		name  string
		leave func(b *bubble, first *client, c *call)
	}{
		{"before the head", func(b *bubble, first *client, c *call) {
			first.leave()
			c.respond(200, "Cache-Control: max-age=60").send("all of ")
		}},
		{"amid the body", func(b *bubble, first *client, c *call) {
			c.respond(200, "Cache-Control: max-age=60").send("all of ")
			first.leave()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				all := b.crowd(5, "/a")
				c := b.next()
				tc.leave(b, all[0], c)
				time.Sleep(2 * finishAlone) // others are there, so there is time
				c.send("it").end()
				for _, cl := range all[1:] {
					assert.True(t, cl.complete("all of it").Collapsed)
				}
				b.noMore()
			})
		})
	}
}

func TestTheFirstClientLeavesAResponseThatIsItsOwn(t *testing.T) {
	for _, early := range []bool{true, false} {
		inBubble(t, func(b *bubble) {
			all := b.crowd(2, "/a")
			c := b.next()
			if early {
				all[0].leave()
			}
			c.respond(200, "Cache-Control: private")
			if !early {
				all[0].leave()
			}
			assert.True(t, c.body.isClosed())
			assert.Error(t, c.ctx.Err(), "nobody else may have it, so the exchange ends")
			b.next().respond(200, "Cache-Control: private").send("other").end()
			all[1].complete("other")
		})
	}
}

// The client leaves after the verdict and before it takes the response.
func TestOwnResponseNobodyTakes(t *testing.T) {
	inBubble(t, func(b *bubble) {
		j := b.job("GET", "/a")
		fl, _, _ := b.f.board(j, false)
		c := b.next().respond(200, "Cache-Control: private").send("for one")
		assert.False(t, c.body.isClosed())
		fl.leave(true)
		assert.True(t, c.body.isClosed())
		assert.Error(t, c.ctx.Err())
	})
}

func TestAllLeave(t *testing.T) {
	const wait = finishAlone - time.Second
	for _, tc := range []struct {
		name   string
		act    func(c *call, leave func())
		stored string
		ended  bool // the exchange, at the end of act
	}{
		{"amid a storable body", func(c *call, leave func()) {
			c.respond(200, "Cache-Control: max-age=300").send("all of ")
			leave()
			time.Sleep(wait)
			c.send("it").end()
		}, "all of it", true},
		{"before a storable head", func(c *call, leave func()) {
			leave()
			time.Sleep(wait)
			c.respond(200, "Cache-Control: max-age=300").send("all of it").end()
		}, "all of it", true},
		{"before a head that is not storable", func(c *call, leave func()) {
			leave()
			c.respond(200, "Cache-Control: no-store").send("secret")
		}, "", true},
		{"amid a body that is not storable", func(c *call, leave func()) {
			c.respond(200, "Cache-Control: no-store").send("secret")
			leave()
		}, "", true},
		{"amid a body that never ends", func(c *call, leave func()) {
			c.respond(200, "Cache-Control: max-age=300").send("all")
			leave()
			time.Sleep(wait)
			assert.NoError(c.t, c.ctx.Err())
			time.Sleep(2 * time.Second)
		}, "", true},
		{"before a head that never comes", func(c *call, leave func()) {
			leave()
			time.Sleep(wait)
			assert.NoError(c.t, c.ctx.Err())
			time.Sleep(2 * time.Second)
		}, "", true},
		{"amid a body that is too large already", func(c *call, leave func()) {
			c.respond(200, "Cache-Control: max-age=300").send(strings.Repeat("x", maxObject+1))
			leave()
		}, "", true},
		{"amid a body that becomes too large", func(c *call, leave func()) {
			c.respond(200, "Cache-Control: max-age=300").send("x")
			leave()
			c.send(strings.Repeat("x", maxObject))
			c.send(strings.Repeat("x", maxObject))
			assert.LessOrEqual(c.t, c.body.taken, maxObject+lastChunk, "nobody reads it, so it is not fetched")
		}, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				all := b.crowd(2, "/a")
				c := b.next()
				left := false
				tc.act(c, func() {
					left = true
					all[0].leave()
					all[1].leave()
				})
				synctest.Wait()
				require.True(t, left)
				assert.Equal(t, tc.ended, c.ctx.Err() != nil)
				if len(b.origin.calls) > 0 { // one was released before it left
					<-b.origin.calls
					time.Sleep(finishAlone)
				}
				assert.Equal(t, tc.stored, b.stored("/a"))
			})
		})
	}
}

func TestWhoComesBackSavesTheFlight(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.get("/a").leave()
		c := b.next()
		time.Sleep(finishAlone - time.Second)
		back := b.get("/a")
		b.noMore()
		time.Sleep(finishAlone)
		c.respond(200, "Cache-Control: max-age=600").send("late").end()
		back.complete("late")
	})
}

// The flight's time is up in the very moment in which a client comes.
func TestNobodyJoinsAFlightThatIsBeingEnded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.get("/a").leave()
		c := b.next()
		for fl := b.f.active["http://site.test/a"]; fl != nil; fl = fl.next {
			fl.mu.Lock()
			fl.timer.Stop()
			fl.timer = time.AfterFunc(0, func() {}) // it has fired, and not yet acted
			fl.mu.Unlock()
		}
		synctest.Wait()
		cl := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=60").send("anew").end()
		cl.complete("anew")
		c.respond(200, "Cache-Control: max-age=60").send("older").end()
	})
}

func TestRefreshIsOneAtATime(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "old", "Cache-Control: max-age=1, stale-while-revalidate=600")
		time.Sleep(2 * time.Second)
		for range 10 {
			b.f.Refresh(b.job("GET", "/a"))
		}
		c := b.next()
		b.noMore()
		c.respond(200, "Cache-Control: max-age=60, stale-while-revalidate=600").send("new").end()
		assert.Equal(t, "new", b.stored("/a"))
		assert.Zero(t, b.f.Stats().Collapsed)
	})
}

// Refreshes that are not due must not keep one alive that hangs.
func TestRefreshThatHangsEnds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "old", "Cache-Control: max-age=1, stale-while-revalidate=600")
		time.Sleep(2 * time.Second)
		b.f.Refresh(b.job("GET", "/a"))
		c := b.next().respond(200, "Cache-Control: max-age=600").send("stuck")
		for range 8 {
			time.Sleep(finishAlone / 8)
			b.f.Refresh(b.job("GET", "/a"))
			if c.ctx.Err() == nil {
				b.noMore()
			}
		}
		time.Sleep(time.Second)
		assert.Error(t, c.ctx.Err())
		b.f.Refresh(b.job("GET", "/a"))
		b.next().respond(200, "Cache-Control: max-age=60").send("new").end()
		assert.Equal(t, "new", b.stored("/a"))
	})
}

func TestAClientJoinsARefresh(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "old", "Cache-Control: max-age=1, stale-while-revalidate=600")
		time.Sleep(2 * time.Second)
		b.f.Refresh(b.job("GET", "/a"))
		c := b.next()
		cl := b.get("/a")
		b.noMore()
		c.respond(200, "Cache-Control: max-age=60").send("new").end()
		cl.complete("new")
	})
}

func TestClose(t *testing.T) {
	inBubble(t, func(b *bubble) {
		waits := b.get("/waits")
		b.next()
		reads := b.get("/reads")
		b.next().respond(200, "Cache-Control: max-age=60").send("half")
		owns := b.get("/owns")
		b.next().respond(200, "Cache-Control: private").send("half")
		b.f.Refresh(b.job("GET", "/refresh"))
		b.next()
		posts := b.post("/posts", "Cache-Control: max-age=60", "Content-Location: /posts")
		b.f.Close()
		assert.Zero(t, b.f.Stats().Running, "Close waits for them")
		waits.failed(policy.ClientGone)
		for _, cl := range []*client{reads, owns, posts} {
			require.False(t, cl.isWaiting())
			assert.Error(t, cl.bodyErr)
		}
		b.get("/a").failed(policy.ClientGone)
		b.f.Refresh(b.job("GET", "/a"))
		b.noMore()
		b.f.Close()
	})
}
