package revalidate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/policy"
	"cacheproxy/purge"
)

// traced gives a job a trace.
func traced(j *Job) *policy.Trace {
	j.Facts.Trace = new(policy.Trace)
	return j.Facts.Trace
}

func codes(t *policy.Trace) (all []policy.Code) {
	steps, _ := t.Steps()
	for _, s := range steps {
		all = append(all, s.Code)
	}
	return all
}

// The answer has come while the job was on its way: that is told, and no second
// judgement.
func TestTraceOfLanded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		j := b.job("GET", "/a")
		trace := traced(j)
		b.fill("/a", "landed", "Cache-Control: max-age=60")
		b.do(j).complete("landed")
		assert.Equal(t, []policy.Code{policy.StepLanded}, codes(trace))
	})
}

// Each of those that share a flight is told its own part in it.
func TestTraceOfSharedFlight(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, second := b.job("GET", "/a"), b.job("GET", "/a")
		leads, waits := traced(first), traced(second)
		one, two := b.do(first), b.do(second)
		b.next().respond(200, "Cache-Control: max-age=60").send("shared").end()
		one.complete("shared")
		two.complete("shared")
		assert.Equal(t, policy.StepFlight, codes(leads)[0])
		assert.True(t, leads.Has(policy.StepAnswered))
		assert.True(t, leads.Has(policy.StepAdmitted))
		assert.Equal(t, []policy.Code{policy.StepJoined, policy.StepShared}, codes(waits))
	})
}

// Who waited in vain asks, and is told so.
func TestTraceOfReleased(t *testing.T) {
	inBubble(t, func(b *bubble) {
		first, second := b.job("GET", "/a"), b.job("GET", "/a")
		trace := traced(second)
		one, two := b.do(first), b.do(second)
		b.next().respond(200, "Cache-Control: private").end()
		b.next().respond(200, "Cache-Control: private").end()
		one.complete("")
		two.complete("")
		assert.Equal(t, []policy.Code{policy.StepJoined, policy.StepReleased, policy.StepApart, policy.StepAnswered}, codes(trace)[:4])
		third := b.job("GET", "/a")
		trace = traced(third)
		three := b.do(third)
		b.next().respond(200, "Cache-Control: private").end()
		three.complete("")
		assert.Equal(t, policy.StepAlone, codes(trace)[0])
	})
}

// A flight goes on after its client left, and may tell what it does.
func TestTraceOutlivesClient(t *testing.T) {
	inBubble(t, func(b *bubble) {
		j := b.job("GET", "/a")
		trace := traced(j)
		cl := b.do(j)
		c := b.next()
		cl.leave()
		before := len(codes(trace))
		c.respond(200, "Cache-Control: max-age=60").send("kept").end()
		assert.Greater(t, len(codes(trace)), before)
		assert.Equal(t, "kept", b.stored("/a"))
	})
}

// A 304 that means nothing stored is told, and so is the second request.
func TestTraceOfSecondRequest(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "old", "Cache-Control: max-age=1", `Etag: "a"`)
		time.Sleep(2 * time.Second)
		j := b.job("GET", "/a")
		trace := traced(j)
		cl := b.do(j)
		b.next().respond(304, `Etag: "b"`).end()
		b.next().respond(200, "Cache-Control: max-age=60", `Etag: "b"`).send("new").end()
		cl.complete("new")
		assert.Equal(t, []policy.Code{policy.StepFlight, policy.StepConditions, policy.StepAnswered, policy.StepUnknown, policy.StepAnswered}, codes(trace)[:5])
	})
}

// Which marks are looked at is told, and what they hit while it is still in the store.
func TestTraceOfPurged(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "a", "Cache-Control: max-age=600", "Cache-Tag: t")
		sentences := func() (all []string) {
			trace := new(policy.Trace)
			b.f.LookupTraced("http://site.test/a", trace)
			steps, _ := trace.Steps()
			for _, s := range steps {
				all = append(all, s.Sentence())
			}
			return all
		}
		assert.Equal(t, []string{"what is stored is checked against the purges in force: none"}, sentences())
		var states []*standing // in force, and not swept for
		for _, m := range []purge.Mark{{Kind: purge.Host, Value: "other.test", Soft: true}, {Kind: purge.Group, Value: "g", Origin: "http://x.test"}, {Kind: purge.Tag, Value: "t"}} {
			m.Time = time.Now()
			states = append(states, &standing{Mark: m})
		}
		b.f.marks.Store(b.f.marks.Load().with(states))
		assert.Equal(t, []string{
			"what is stored is checked against the purges in force: host other.test (soft), group g of http://x.test, tag t",
			"what is stored with status 200 counts as gone: it was asked for before the purge of tag t at Sat, 01 Jan 2000 00:00:00 GMT",
		}, sentences())
	})
}

// What a soft purge ended is not told to have had a short lifetime.
func TestTraceOfSoftlyPurged(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.fill("/a", "a", "Cache-Control: max-age=600", "Cache-Tag: t")
		time.Sleep(20 * time.Second)
		b.f.Purge([]purge.Mark{{Kind: purge.Tag, Value: "t", Soft: true}}, nil).Wait(b.Context())
		time.Sleep(5 * time.Second)
		_, stored := b.f.Lookup("http://site.test/a")
		assert.Equal(t, policy.SourcePurge, stored[0].Source)
		assert.Equal(t, 20*time.Second, stored[0].Lifetime)
	})
}
