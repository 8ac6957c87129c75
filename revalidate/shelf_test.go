package revalidate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/policy"
)

// held is an entry of the alphabet with a strong validator; without spans it
// is whole.
func held(tag, text string, asked time.Time, spans ...[2]int64) *Entry {
	e := &Entry{
		Stored: &policy.Stored{Method: "GET", Status: 200, ETag: tag, Times: policy.Times{Requested: asked, Received: asked}, Date: asked},
		Fields: Block("Etag: " + tag + "\r\n"), Body: NewBody([]byte(text)),
	}
	if len(spans) > 0 {
		e.Status = 206
		e.Partial, e.Body = heldOf(text, spans...)
	}
	return e
}

func TestMerge(t *testing.T) {
	now := time.Now()
	later := now.Add(time.Second)
	const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	headOf := func(e *Entry) *Entry { e.Method, e.Body = "HEAD", Body{}; return e }
	for _, tc := range []struct {
		name  string
		old   *Entry // nil: nothing is stored
		newer *Entry
		limit int64
		why   policy.Reason
		want  string
		whole bool
	}{
		{"nothing there", nil, held(`"1"`, alphabet, now), maxObject, policy.ReasonNone, alphabet, true},
		{"newer", held(`"1"`, alphabet, now), held(`"2"`, capitals, later), maxObject, policy.ReasonNone, capitals, true},
		{"at the same time", held(`"1"`, alphabet, now), held(`"2"`, capitals, now), maxObject, policy.ReasonNone, capitals, true},
		{"asked for earlier", held(`"1"`, alphabet, later), held(`"2"`, capitals, now), maxObject, policy.Superseded, "", false},
		{"the answer to a HEAD", held(`"1"`, alphabet, now), headOf(held(`"2"`, "", later)), maxObject, policy.Superseded, "", false},
		{"content after a HEAD", headOf(held(`"1"`, "", now)), held(`"1"`, alphabet, later), maxObject, policy.ReasonNone, alphabet, true},
		{"HEAD after HEAD", headOf(held(`"1"`, "", now)), headOf(held(`"2"`, "", later)), maxObject, policy.ReasonNone, "", true},
		{"a part of what is whole", held(`"1"`, alphabet, now), held(`"1"`, alphabet, later, [2]int64{0, 3}), maxObject, policy.Superseded, "", false},
		{"a part of something else", held(`"1"`, alphabet, now), held(`"2"`, alphabet, later, [2]int64{0, 3}), maxObject, policy.ReasonNone, "abcd", false},
		{"a part of a weak validator", held(`W/"1"`, alphabet, now, [2]int64{4, 5}), held(`W/"1"`, alphabet, later, [2]int64{0, 3}), maxObject, policy.ReasonNone, "abcd", false},
		{"parts that do not meet", held(`"1"`, alphabet, now, [2]int64{0, 1}), held(`"1"`, alphabet, later, [2]int64{4, 5}), maxObject, policy.ReasonNone, "abef", false},
		{"parts that make the whole", held(`"1"`, alphabet, now, [2]int64{0, 12}), held(`"1"`, alphabet, later, [2]int64{13, 25}), maxObject, policy.ReasonNone, alphabet, true},
		{"parts too large together", held(`"1"`, alphabet, now, [2]int64{0, 12}), held(`"1"`, alphabet, later, [2]int64{13, 25}), 25, policy.ReasonNone, "nopqrstuvwxyz", false},
		{"the whole after a part", held(`"1"`, alphabet, now, [2]int64{0, 12}), held(`"2"`, capitals, later), maxObject, policy.ReasonNone, capitals, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var old []*Entry
			if tc.old != nil {
				old = []*Entry{tc.old}
			}
			e, why := merge(old, tc.newer, tc.limit)
			assert.Equal(t, tc.why.String(), why.String())
			if tc.why != policy.ReasonNone {
				assert.Nil(t, e)
				return
			}
			assert.Equal(t, tc.want, content(e.Body))
			assert.Equal(t, tc.whole, e.Partial == nil)
			if tc.whole {
				assert.Equal(t, 200, e.Status, "a whole is not a part any more")
			}
		})
	}
}

func TestMergeLooksAtItsOwnVariantOnly(t *testing.T) {
	now := time.Now()
	de := variant("de", "GET", 1)
	de.Requested = now.Add(time.Hour)
	en := variant("en", "GET", 1)
	en.Requested = now
	e, why := merge([]*Entry{de}, en, maxObject)
	assert.Same(t, en, e)
	assert.Equal(t, policy.ReasonNone, why)
}

func TestStoreRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := cache.New[Kept](cache.Options{MaxCost: 1 << 10})
		require.NoError(t, err)
		defer store.Close()
		b := &bubble{T: t, store: store, rules: policy.DefaultRules(), origin: &scriptedOrigin{t: t, calls: make(chan *call, 1)},
			f: New(Options{Store: store, MaxObject: maxObject, MaxVariants: 4})}
		cl := b.get("/a")
		b.next().respond(200, "Cache-Control: max-age=60").send(alphabet + string(pattern(1000))).end()
		assert.Equal(t, policy.StoreRefused, cl.answer.Late())
		assert.Equal(t, "", b.stored("/a"))
		b.f.Close()
	})
}

func TestValidation(t *testing.T) {
	for _, tc := range []struct {
		name     string
		stored   []string
		response []string // of the 304
		again    bool     // the origin is asked once more
		entry    bool
		shared   bool
	}{
		{"it holds", []string{`Etag: "1"`}, []string{`Etag: "1"`, "Cache-Control: max-age=60"}, false, true, true},
		{"it holds, by date", []string{"Last-Modified: Mon, 02 Jan 2006 15:04:05 GMT"}, []string{"Cache-Control: max-age=60"}, false, true, true},
		{"it holds, for now", []string{`Etag: "1"`}, []string{`Etag: "1"`, "Cache-Control: no-cache"}, false, true, false},
		{"it is private from now on", []string{`Etag: "1"`}, []string{`Etag: "1"`, "Cache-Control: private"}, false, true, false},
		{"it speaks of another one", []string{`Etag: "1"`}, []string{`Etag: "2"`}, true, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.fill("/a", "content", append(tc.stored, "Cache-Control: max-age=1")...)
				time.Sleep(2 * time.Second)
				all := b.crowd(2, "/a")
				c := b.next()
				b.noMore()
				assert.True(t, c.req.Header.Get("If-None-Match") != "" || c.req.Header.Get("If-Modified-Since") != "")
				c.respond(304, tc.response...).end()
				want := "content"
				if tc.again {
					want = "anew"
					c = b.next()
					assert.Empty(t, c.req.Header.Get("If-None-Match"), "this time without a condition")
					c.respond(200, "Cache-Control: max-age=60").send(want).end()
				}
				a := all[0].complete(want)
				assert.Equal(t, tc.entry, a.Entry != nil)
				if !tc.shared {
					b.next().respond(200, "Cache-Control: private").send("own").end()
					all[1].complete("own")
					return
				}
				assert.True(t, all[1].complete(want).Collapsed)
				assert.Equal(t, want, b.stored("/a"))
			})
		})
	}
}

func TestFailedValidationLetsTheStaleOneStandIn(t *testing.T) {
	inBubble(t, func(b *bubble) {
		fail := map[string]func(c *call){
			"500":       func(c *call) { c.respond(500).end() },
			"unreached": func(c *call) { c.fail <- errNoRoute; synctest.Wait() },
		}
		for name, act := range fail {
			b.fill("/"+name, "content", `Etag: "1"`, "Cache-Control: max-age=1, stale-if-error=60")
			time.Sleep(2 * time.Second)
			all := b.crowd(3, "/"+name)
			act(b.next())
			for _, cl := range all {
				f := cl.failed(map[string]policy.Reason{"500": policy.StaleIfError, "unreached": policy.OriginUnreachable}[name])
				assert.Equal(t, name == "500", f.Status == 500)
			}
			b.noMore()
			assert.Equal(t, "content", b.stored("/"+name))
		}
	})
}

func TestHeadFreshensWhatIsStored(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "content", `Etag: "1"`, "Cache-Control: max-age=1")
		time.Sleep(2 * time.Second)
		head := b.do(b.job("HEAD", "/a"))
		b.next().respond(200, `Etag: "1"`, "Cache-Control: max-age=60").end()
		require.NotNil(t, head.complete("content").Entry)
		again := b.job("GET", "/a")
		assert.Equal(t, policy.Serve, again.Decision.Action)

		head = b.do(b.job("HEAD", "/a", "Cache-Control: no-cache"))
		b.next().respond(200, `Etag: "2"`, "Cache-Control: max-age=60").end()
		head.complete("")
		assert.Equal(t, policy.Validate, b.job("GET", "/a").Decision.Action, "it has changed")
	})
}

func TestMissingPart(t *testing.T) {
	part := func(b *bubble, span string, body string) {
		cl := b.get("/a", "Range: bytes="+span)
		b.next().respond(206, "Content-Range: bytes "+span+"/9", `Etag: "1"`, "Cache-Control: max-age=60").send(body).end()
		cl.complete(body)
	}
	for _, tc := range []struct {
		name string
		act  func(b *bubble, c *call)
		want string
	}{
		{"comes", func(b *bubble, c *call) {
			c.respond(206, "Content-Range: bytes 4-8/9", `Etag: "1"`, "Cache-Control: max-age=60").send("56789").end()
		}, "123456789"},
		{"belongs to another representation", func(b *bubble, c *call) {
			c.respond(206, "Content-Range: bytes 4-8/9", `Etag: "2"`, "Cache-Control: max-age=60").send("WRONG").end()
			b.next().respond(200, "Cache-Control: max-age=60").send("all anew").end()
		}, "all anew"},
		{"breaks off", func(b *bubble, c *call) {
			c.respond(206, "Content-Range: bytes 4-8/9", `Etag: "1"`, "Cache-Control: max-age=60").send("56").breakOff(errNoRoute)
			b.next().respond(200, "Cache-Control: max-age=60").send("all anew").end()
		}, "all anew"},
		{"is longer than it says", func(b *bubble, c *call) {
			c.respond(206, "Content-Range: bytes 4-8/9", `Etag: "1"`, "Cache-Control: max-age=60").send("56789abc").end()
			b.next().respond(200, "Cache-Control: max-age=60").send("all anew").end()
		}, "all anew"},
		{"is not there", func(b *bubble, c *call) {
			c.respond(416).end()
			b.next().respond(200, "Cache-Control: max-age=60").send("all anew").end()
		}, "all anew"},
		{"is the whole, changed", func(b *bubble, c *call) {
			c.respond(200, "Cache-Control: max-age=60").send("all anew").end()
		}, "all anew"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				part(b, "0-3", "1234")
				all := b.crowd(3, "/a")
				c := b.next()
				b.noMore()
				assert.Equal(t, "bytes=4-", c.req.Header.Get("Range"))
				assert.Equal(t, `"1"`, c.req.Header.Get("If-Range"))
				tc.act(b, c)
				for _, cl := range all {
					cl.complete(tc.want)
				}
				assert.Equal(t, tc.want, b.stored("/a"))
			})
		})
	}
}
