package revalidate

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
	"cacheproxy/purge"
)

func tag(name string) []purge.Mark { return []purge.Mark{{Kind: purge.Tag, Value: name}} }

// holdMarks keeps the marks in force that are set before release is called: a flight
// is under way.
func (b *bubble) holdMarks() (release func()) {
	cl := b.get("/elsewhere")
	c := b.next()
	return func() {
		c.respond(200, "Cache-Control: private").end()
		cl.complete("")
	}
}

// What was found before a purge may be dead when the origin confirms or completes it,
// though the origin was asked after the purge.
func TestWhatIsDeadIsNotConfirmedOrCompleted(t *testing.T) {
	for name, use := range map[string]func(b *bubble, fl *flight, j *Job, now policy.Times) *Entry{
		"304": func(b *bubble, fl *flight, j *Job, now policy.Times) *Entry {
			e, _ := b.f.freshen(fl, j, &http.Response{StatusCode: 304, Header: http.Header{"Etag": {`"1"`}}}, now, &b.rules)
			return e
		},
		"HEAD": func(b *bubble, fl *flight, j *Job, now policy.Times) *Entry {
			e, _ := b.f.head(fl, j, &http.Response{StatusCode: 200, Header: http.Header{"Etag": {`"1"`}, "Cache-Control": {"max-age=60"}}}, now, &b.rules)
			return e
		},
		"206": func(b *bubble, fl *flight, j *Job, now policy.Times) *Entry {
			h := http.Header{"Etag": {`"1"`}, "Cache-Control": {"max-age=60"}, "Content-Range": {"bytes 3-5/6"}}
			if _, ok := fl.complete(j, &http.Response{StatusCode: 206, Header: h, Body: http.NoBody, ContentLength: 3}, now, &b.rules); ok {
				return j.selected()
			}
			return nil
		},
	} {
		for _, dead := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, dead %v", name, dead), func(t *testing.T) {
				inBubble(t, func(b *bubble) {
					cl := b.get("/a", "Range: bytes=0-2")
					c := b.next()
					if name == "206" {
						c.respond(206, "Cache-Control: max-age=60", "Cache-Tag: t", `Etag: "1"`, "Content-Range: bytes 0-2/6").send("abc").end()
					} else {
						c.respond(200, "Cache-Control: max-age=60", "Cache-Tag: t", `Etag: "1"`).send("abc").end()
					}
					cl.complete("abc")
					method := "GET"
					if name == "HEAD" {
						method = name
					}
					j := b.job(method, "/a")
					require.NotEmpty(t, j.Resource.entries())
					j.Decision.Index = 0
					release := b.holdMarks()
					if dead {
						b.f.Purge(tag("t"), nil)
					}
					fl := &flight{f: b.f, key: j.Key}
					e := use(b, fl, j, policy.Times{Requested: time.Now(), Received: time.Now()})
					assert.Equal(t, dead, e == nil)
					if name == "206" && !dead {
						fl.body.finish(nil)
					}
					release()
				})
			})
		}
	}
}

func TestWhatIsDeadDoesNotStandIn(t *testing.T) {
	for _, how := range []string{"alive", "dead", "another purge", "stale, and swept"} {
		t.Run(how, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.fill("/a", "old", "Cache-Control: max-age=1, stale-if-error=600", "Cache-Tag: t")
				time.Sleep(2 * time.Second)
				j := b.job("GET", "/a")
				cl := b.do(j)
				c := b.next()
				switch how {
				case "dead":
					b.f.Purge(tag("t"), nil).Wait(b.Context())
				case "another purge":
					b.f.Purge(tag("u"), nil).Wait(b.Context())
				case "stale, and swept":
					b.f.Purge([]purge.Mark{{Kind: purge.Tag, Value: "t", Soft: true}}, nil).Wait(b.Context())
				}
				c.fail <- errNoRoute
				cl.failed(policy.OriginUnreachable)
				assert.Equal(t, how != "dead", j.StandIn(time.Now()) != nil)
			})
		})
	}
}

// An answer to a POST that was asked for before a purge is not stored after it: its
// mark may be out of force by then.
func TestAPurgeAmidAPOST(t *testing.T) {
	for _, purged := range []bool{false, true} {
		inBubble(t, func(b *bubble) {
			j := b.job(http.MethodPost, "/a")
			c := &client{b: b, done: make(chan struct{}), cancel: func() {}}
			go c.run(func() (*Answer, error) { return b.f.Forward(b.Context(), j) }, b.Context())
			call := b.next()
			if purged {
				b.f.Purge(tag("t"), nil).Wait(b.Context())
				require.Nil(t, b.f.marks.Load().set)
			}
			call.respond(200, "Cache-Control: max-age=60", "Content-Location: /a", "Cache-Tag: t").send("x").end()
			a := c.complete("x")
			assert.Equal(t, purged, a.Refused == policy.Invalidated)
			assert.Equal(t, map[bool]string{false: "x", true: ""}[purged], b.stored("/a"))
			assert.Empty(t, a.Header["Cache-Tag"])
		})
	}
}

func TestMarksEnd(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "a", "Cache-Control: max-age=60", "Cache-Tag: t")
		release := b.holdMarks()
		n, complete := b.f.Purge(tag("t"), nil).Wait(b.Context())
		assert.Equal(t, []int64{1}, n)
		assert.True(t, complete)
		require.NotNil(t, b.f.marks.Load().set, "a flight is still under way")
		_, ok := b.store.Get("http://site.test/a")
		assert.False(t, ok, "its memory is free all the same")
		release()
		synctest.Wait()
		assert.Nil(t, b.f.marks.Load().set)
	})
}

func TestMarksDoNotWaitForEverForFlights(t *testing.T) {
	inBubble(t, func(b *bubble) {
		cl := b.get("/long")
		c := b.next().respond(200, "Cache-Control: max-age=60", "Cache-Tag: t").send("lo")
		const calls = 10
		for i := range calls + 1 {
			b.f.Purge(tags(i*mostStanding/calls, mostStanding/calls), nil).Wait(b.Context())
		}
		for i := range 10 {
			b.f.Purge(tag(fmt.Sprint("more ", i)), nil).Wait(b.Context())
		}
		synctest.Wait()
		assert.Less(t, len(b.f.marks.Load().states), 20)
		c.send("ng").end()
		assert.Equal(t, policy.Invalidated, cl.complete("long").Late(), "what it brings cannot be told from what is dead")
		assert.Empty(t, b.stored("/long"))
	})
}

// tags are marks for so many tags.
func tags(from, n int) (marks []purge.Mark) {
	for i := range n {
		marks = append(marks, tag(fmt.Sprint(from+i))...)
	}
	return marks
}

// As many marks as one request may ask for keep nothing from being stored that they do
// not hit.
func TestManyMarksSpareWhatIsOnItsWay(t *testing.T) {
	inBubble(t, func(b *bubble) {
		cl := b.get("/a")
		c := b.next().respond(200, "Cache-Control: max-age=60", "Cache-Tag: t").send("a")
		b.f.Purge(tags(0, purge.MostItems), nil).Wait(b.Context())
		c.end()
		assert.Equal(t, policy.ReasonNone, cl.complete("a").Late())
		assert.Equal(t, "a", b.stored("/a"))
		synctest.Wait()
		assert.Nil(t, b.f.marks.Load().set)
	})
}

// Of two marks that are the same the later one hits what the other one hits, whoever
// comes first: otherwise it could not stand in for it.
func TestMarksStandInTheOrderOfTheirTimes(t *testing.T) {
	store, err := cache.New[Kept](cache.Options{MaxCost: 1 << 20, Engine: cache.GDSF})
	require.NoError(t, err)
	defer store.Close()
	f := New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4})
	defer f.Close()
	defer f.holdMarks()()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				f.Purge(tag(fmt.Sprint(i, n)), nil)
			}
		})
	}
	wg.Wait()
	states := f.marks.Load().states
	assert.Equal(t, 8*200, len(states))
	assert.True(t, slices.IsSortedFunc(states, func(a, b *standing) int { return a.Time.Compare(b.Time) }))
}

// A dry run counts what several marks hit for one of them, as a purge does.
func TestMatchCountsOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "a", "Cache-Control: max-age=60", "Cache-Tag: t")
		b.fill("/b", "b", "Cache-Control: max-age=60", "Cache-Tag: t")
		a := purge.Mark{Kind: purge.URL, Value: "http://site.test/a"}
		n, some, err := b.f.Match(b.Context(), append(tag("t"), a, a), 10)
		require.NoError(t, err)
		assert.Equal(t, []int64{1, 1, 0}, n)
		assert.ElementsMatch(t, []string{"http://site.test/a", "http://site.test/b"}, some)
	})
}

// An origin may say the same with every answer.
func TestMarksThatRepeatDoNotAddUp(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "a", "Cache-Control: max-age=60", "Cache-Tag: t")
		release := b.holdMarks()
		first := b.f.Purge(tag("t"), nil)
		for range 100 {
			b.f.Purge(tag("t"), nil)
		}
		soft := tag("t")
		soft[0].Soft = true
		last := b.f.Purge(append(soft, tag("other")...), nil)
		assert.Empty(t, b.stored("/a"))
		for _, p := range []*Purged{first, last} {
			_, complete := p.Wait(b.Context())
			assert.True(t, complete)
		}
		assert.Len(t, b.f.marks.Load().states, 3, "what is soft does not stand in for what is hard")
		b.fill("/a", "b", "Cache-Control: max-age=60", "Cache-Tag: t")
		assert.Len(t, b.stored("/a"), 1, "what was asked for later is not hit")
		release()
		synctest.Wait()
		assert.Nil(t, b.f.marks.Load().set)
	})
}

// One sweep serves all purges that came before it, and sweeps do not follow on one
// another, unless somebody waits.
func TestPurgesAreCountedForAllWhoAsk(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for i := range 10 {
			b.fill(fmt.Sprint("/", i), "x", "Cache-Control: max-age=60", fmt.Sprintf("Cache-Tag: all, t%d", i))
		}
		told := make(chan []int64, 11)
		for i := range 10 {
			b.f.Purge([]purge.Mark{{Kind: purge.Tag, Value: fmt.Sprint("t", i)}, {Kind: purge.Tag, Value: "none"}}, func(n []int64, complete bool) {
				assert.True(t, complete)
				told <- n
			})
		}
		n, complete := b.f.Purge(tag("all"), func(n []int64, _ bool) { told <- n }).Wait(b.Context())
		assert.Equal(t, []int64{0}, n, "each counts once")
		assert.True(t, complete)
		synctest.Wait()
		require.Len(t, told, 11)
		for range 10 {
			assert.Equal(t, []int64{1, 0}, <-told)
		}
	})
}

func TestPurgeOfAFetcherThatIsClosed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "a", "Cache-Control: max-age=60", "Cache-Tag: t")
		b.f.Close()
		told := 0
		n, complete := b.f.Purge(tag("t"), func([]int64, bool) { told++ }).Wait(b.Context())
		assert.Equal(t, []int64{0}, n)
		assert.False(t, complete)
		assert.Equal(t, 1, told)
		assert.Empty(t, b.stored("/a"), "it is dead all the same")
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		b.f.purges.mu.Lock() // no sweep begins or ends
		b.f.purges.sweeping = true
		b.f.purges.mu.Unlock()
		p := b.f.Purge(tag("t"), nil)
		_, complete := p.Wait(ctx)
		assert.False(t, complete)
		b.f.wg.Go(b.f.sweep)
		_, complete = p.Wait(b.Context())
		assert.True(t, complete)
	})
}

func TestALookUpAmidMarksAllocatesNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "a", "Cache-Control: max-age=60", "Cache-Tag: t, u")
		release := b.holdMarks()
		b.f.Purge([]purge.Mark{{Kind: purge.Tag, Value: "x"}, {Kind: purge.Host, Value: "x.test"}, {Kind: purge.Glob, Value: "x.test/*"}, {Kind: purge.Tag, Value: "t", Soft: true}}, nil)
		r, now := new(Resource), time.Now()
		require.True(t, b.f.LookupIn(r, "http://site.test/a", now))
		assert.Equal(t, time.Duration(0), r.Stored[0].Lifetime)
		assert.Zero(t, testing.AllocsPerRun(100, func() { b.f.LookupIn(r, "http://site.test/a", now) }))
		release()
	})
}
