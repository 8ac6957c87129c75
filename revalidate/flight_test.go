package revalidate

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/policy"
)

// crowd starts n clients for the same path.
func (b *bubble) crowd(n int, path string, fields ...string) []*client {
	all := make([]*client, n)
	for i := range all {
		all[i] = b.get(path, fields...)
	}
	return all
}

func TestManyWaitersOneFetch(t *testing.T) {
	inBubble(t, func(b *bubble) {
		all := b.crowd(100, "/a")
		c := b.next()
		b.noMore()
		assert.EqualValues(t, 100, b.f.Stats().Waiting)
		c.respond(200, "Cache-Control: max-age=60")
		c.send("first ")
		for _, cl := range all {
			assert.Equal(t, "first ", cl.has(), "what has arrived is passed on at once")
		}
		late := b.get("/a")
		assert.Equal(t, "first ", late.has(), "who joins amid the body gets it from its beginning")
		c.send("second").end()
		for i, cl := range append(all, late) {
			a := cl.complete("first second")
			assert.Equal(t, i > 0, a.Collapsed, "client %d", i)
			assert.True(t, a.Stored)
			assert.Equal(t, policy.ReasonNone, a.Late())
			assert.Equal(t, "right", a.Trailer().Get("Checksum"))
		}
		b.noMore()
		assert.Equal(t, "first second", b.stored("/a"))
		assert.Equal(t, Stats{Started: 1, Collapsed: 100}, b.f.Stats())
	})
}

func TestWhatIsNotShareableReleasesTheWaiters(t *testing.T) {
	for _, tc := range []struct {
		name     string
		status   int
		response []string
		refused  policy.Reason
		stored   bool
	}{
		{"private", 200, []string{"Cache-Control: private, max-age=60"}, policy.Private, false},
		{"no-store", 200, []string{"Cache-Control: no-store"}, policy.NoStore, false},
		{"Set-Cookie", 200, []string{"Cache-Control: max-age=60", "Set-Cookie: id=1"}, policy.SetCookie, false},
		{"Vary: *", 200, []string{"Cache-Control: max-age=60", "Vary: *"}, policy.VaryStar, false},
		{"an error of the origin", 503, nil, policy.StatusNever, false},
		{"too large", 200, []string{"Cache-Control: max-age=60", "Content-Length: 1048577"}, policy.TooLarge, false},
		{"no-cache, storable", 200, []string{"Cache-Control: no-cache", `Etag: "1"`}, policy.ReasonNone, true},
		{"stale on arrival", 200, []string{"Cache-Control: max-age=60", `Etag: "1"`, "Age: 60"}, policy.ReasonNone, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				all := b.crowd(4, "/a")
				first := b.next()
				b.noMore()
				calls := []*call{first.respond(tc.status, tc.response...)}
				for range all[1:] { // released at the head, while the first body goes on
					calls = append(calls, b.next().respond(tc.status, tc.response...))
				}
				b.noMore()
				for i, c := range calls {
					c.send(fmt.Sprint("for ", i)).end()
				}
				seen := map[string]bool{}
				for _, cl := range all {
					require.False(t, cl.isWaiting())
					require.NoError(t, cl.err)
					require.NoError(t, cl.bodyErr)
					seen[string(cl.got)] = true
					assert.False(t, cl.answer.Collapsed)
					assert.Equal(t, tc.refused.String(), cl.answer.Refused.String())
					assert.Equal(t, tc.stored, cl.answer.Stored)
				}
				assert.Len(t, seen, 4, "everybody got a response of their own")
				assert.Equal(t, tc.stored, b.stored("/a") != "")

				later := b.crowd(2, "/a") // the key is remembered: nobody queues
				for range later {
					b.next().respond(200, "Cache-Control: private").send("x").end()
				}
			})
		})
	}
}

func TestLonelyKeysAreForgotten(t *testing.T) {
	inBubble(t, func(b *bubble) {
		one := b.get("/a")
		b.next().respond(200, "Cache-Control: private").end()
		one.complete("")
		time.Sleep(lonelyFor)
		all := b.crowd(3, "/a")
		c := b.next()
		b.noMore()
		c.respond(200, "Cache-Control: max-age=60").send("shared").end()
		for _, cl := range all {
			cl.complete("shared")
		}
	})
}

func TestWaitersWithOtherFieldsCollapseAmongThemselves(t *testing.T) {
	inBubble(t, func(b *bubble) {
		english := b.crowd(3, "/a", "X-Tongue: en")
		german := b.crowd(3, "/a", "X-Tongue: de")
		french := b.crowd(2, "/a", "X-Tongue: fr")
		b.next().respond(200, "Cache-Control: max-age=60", "Vary: X-Tongue").send("hello").end()
		c2, c3 := b.next(), b.next()
		b.noMore()
		for _, c := range []*call{c2, c3} {
			c.respond(200, "Cache-Control: max-age=60", "Vary: X-Tongue").send("in " + c.req.Header.Get("X-Tongue")).end()
		}
		for _, cl := range english {
			cl.complete("hello")
		}
		for _, cl := range german {
			cl.complete("in de")
		}
		for _, cl := range french {
			cl.complete("in fr")
		}
		assert.EqualValues(t, 3, b.f.Stats().Started)
		assert.Equal(t, "hello", b.stored("/a", "X-Tongue: en"))
		assert.Equal(t, "in de", b.stored("/a", "X-Tongue: de"))
		assert.Equal(t, "", b.stored("/a", "X-Tongue: it"))
	})
}

func TestFailureIsSharedByAllWaiters(t *testing.T) {
	inBubble(t, func(b *bubble) {
		all := b.crowd(5, "/a")
		b.next().fail <- io.ErrUnexpectedEOF
		for _, cl := range all {
			f := cl.failed(policy.OriginUnreachable)
			assert.ErrorIs(t, f, io.ErrUnexpectedEOF)
			assert.Contains(t, f.Error(), "origin-unreachable: unexpected EOF")
		}
		b.noMore()
		again := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=60").send("back").end()
		again.complete("back")
	})
}

// Neither an answer that is not final nor one that nobody asked for is passed on.
func TestStatusThatDoesNotSuitIsAFailure(t *testing.T) {
	for _, status := range []int{0, 99, 101, 206, 304} {
		inBubble(t, func(b *bubble) {
			cl := b.get("/a")
			b.next().respond(status, "Cache-Control: max-age=60")
			assert.Contains(t, cl.failed(policy.OriginInvalid).Error(), fmt.Sprint("status ", status))
		})
	}
}

func TestOriginDiesHalfWay(t *testing.T) {
	inBubble(t, func(b *bubble) {
		all := b.crowd(5, "/a")
		c := b.next().respond(200, "Cache-Control: max-age=60", "Content-Length: 8").send("half")
		died := errors.New("died")
		c.breakOff(died)
		for _, cl := range all {
			require.False(t, cl.isWaiting())
			assert.ErrorIs(t, cl.bodyErr, died, "not a clean end")
			assert.Equal(t, "half", string(cl.got))
			assert.Equal(t, policy.Incomplete, cl.answer.Late())
		}
		assert.Equal(t, "", b.stored("/a"))
		again := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=60").send("complete").end()
		again.complete("complete")
	})
}

// A client that saw the transfer break may ask again before the flight is
// cleared away; it must not board the same wreck.
func TestNobodyJoinsABrokenFlight(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first := b.get("/a")
		c := b.next().respond(200, "Cache-Control: max-age=60").send("half")
		c.body.hold = make(chan struct{})
		c.breakOff(errors.New("died"))
		require.False(t, first.isWaiting())
		assert.Error(t, first.bodyErr)
		require.EqualValues(t, 1, b.f.Stats().Running, "the flight is still there")
		again := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=60").send("whole").end()
		again.complete("whole")
		close(c.body.hold)
	})
}

func TestJoinOnlyWhileFresh(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first := b.get("/a")
		slow := b.next().respond(200, "Cache-Control: max-age=5").send("old ")
		time.Sleep(4 * time.Second)
		second := b.get("/a")
		b.noMore()
		time.Sleep(time.Second)
		third := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=5").send("new").end()
		third.complete("new")
		slow.send("body").end()
		first.complete("old body")
		second.complete("old body")
		assert.Equal(t, policy.Superseded, first.answer.Late(), "it was asked for earlier")
		assert.Equal(t, "new", b.stored("/a"))
	})
}

func TestWhoAsksForNewerDoesNotJoin(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first := b.get("/a")
		c1 := b.next()
		time.Sleep(time.Millisecond)
		reload := b.get("/a", "Cache-Control: no-cache")
		c2 := b.next()
		c2.respond(200, "Cache-Control: max-age=60").send("newer").end()
		reload.complete("newer")
		c1.respond(200, "Cache-Control: max-age=60").send("older").end()
		first.complete("older")
		assert.Equal(t, "newer", b.stored("/a"))
	})
}

func TestSeparateFlights(t *testing.T) {
	for _, tc := range []struct {
		name string
		a, b []string // method and fields
	}{
		{"methods", []string{"GET"}, []string{"HEAD"}},
		{"ranges", []string{"GET", "Range: bytes=0-1"}, []string{"GET", "Range: bytes=2-3"}},
		{"a range and none", []string{"GET", "Range: bytes=0-1"}, []string{"GET"}},
		{"If-Range", []string{"GET", "Range: bytes=0-1", `If-Range: "1"`}, []string{"GET", "Range: bytes=0-1", `If-Range: "2"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				one := b.do(b.job(tc.a[0], "/a", tc.a[1:]...))
				two := b.do(b.job(tc.b[0], "/a", tc.b[1:]...))
				for range 2 {
					b.next().respond(200, "Cache-Control: private").end()
				}
				one.complete("")
				two.complete("")
			})
		})
	}
}

func TestOnlyTheFirstClientGetsInterimResponses(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var first, second []int
		j1, j2 := b.job("GET", "/a"), b.job("GET", "/a")
		j1.Interim = func(status int, h http.Header) { first = append(first, status) }
		j2.Interim = func(status int, h http.Header) { second = append(second, status) }
		one, two := b.do(j1), b.do(j2)
		c := b.next()
		for fl := b.f.active[j1.Key]; fl != nil; fl = fl.next {
			fl.addInterim(102, http.Header{})
			fl.addInterim(103, http.Header{"Link": {"</private-of-one>; rel=preload"}})
		}
		synctest.Wait()
		assert.Equal(t, []int{102, 103}, first)
		c.respond(200, "Cache-Control: private").end()
		b.next().respond(200, "Cache-Control: private").end()
		one.complete("")
		two.complete("")
		assert.Empty(t, second, "they may be meant for the first one only, as the response was")
	})
}

// The look-up missed, and before the job asks for a flight another one has
// landed: the origin is not asked again.
func TestAnswerThatLandedMeanwhile(t *testing.T) {
	inBubble(t, func(b *bubble) {
		j := b.job("GET", "/a")
		reload := b.job("GET", "/a", "Cache-Control: no-cache")
		other := b.job("GET", "/a", "X-Tongue: de")
		b.fill("/a", "landed", "Cache-Control: max-age=60", "Vary: X-Tongue")
		a := b.do(j).complete("landed")
		assert.True(t, a.Collapsed)
		assert.NotNil(t, a.Entry)
		b.f.Refresh(j)
		b.noMore()
		for _, again := range []*Job{reload, other} {
			cl := b.do(again)
			b.next().respond(200, "Cache-Control: max-age=60", "Vary: X-Tongue").send("anew").end()
			cl.complete("anew")
		}
	})
}

func TestBodyThatOutgrowsTheLimit(t *testing.T) {
	inBubble(t, func(b *bubble) {
		all := b.crowd(3, "/a")
		c := b.next().respond(200, "Cache-Control: max-age=60")
		block := strings.Repeat("0123456789abcdef", 4096) // 64 KiB
		for range 20 {
			c.send(block)
		}
		late := b.get("/a") // the beginning is gone
		c2 := b.next().respond(200, "Cache-Control: max-age=60").send("small")
		c.end()
		c2.end()
		for _, cl := range all {
			a := cl.complete(strings.Repeat(block, 20))
			assert.Equal(t, policy.TooLarge, a.Late())
		}
		late.complete("small")
	})
}

// However late the first client is scheduled, it never misses the beginning,
// or it would ask again and again.
func TestTheFirstClientIsNeverTooLate(t *testing.T) {
	inBubble(t, func(b *bubble) {
		j := b.job("GET", "/a")
		fl, leads, _ := b.f.board(j, false)
		require.True(t, leads)
		c := b.next().respond(200, "Cache-Control: max-age=60")
		want := strings.Repeat("x", 3*maxObject)
		c.send(want).end()
		a, err := fl.wait(b.Context(), j, true)
		require.NoError(t, err)
		cl := &client{b: b, cancel: func() {}, done: make(chan struct{})}
		cl.run(func() (*Answer, error) { return a, nil }, b.Context())
		cl.complete(want)
	})
}
