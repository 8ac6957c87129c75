package revalidate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/policy"
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
