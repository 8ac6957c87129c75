package insight

import (
	"iter"
	"time"

	"cacheproxy/cache"
)

// How far the series reach.
const (
	seconds   = 300     // points of a second
	minutes   = 24 * 60 // points of a minute
	hours     = 30 * 24 // points of an hour
	hindsight = 60      // minutes for which everything is known, not Counts only
)

// Point is a span of time in a series.
type Point struct {
	Time time.Time // of its end
	Span time.Duration
	Counts
	Quantiles [latencies][2]time.Duration // median and 99th percentile; -1 if nothing was counted
	Store     cache.Stats                 // at its end
}

// ring holds the newest points.
type ring struct {
	points []Point
	next   int
}

func (r *ring) add(p Point, most int) {
	if len(r.points) < most {
		r.points = append(r.points, p)
		return
	}
	r.points[r.next] = p
	r.next = (r.next + 1) % most
}

// since yields the points that ended after a time, oldest first.
func (r *ring) since(t time.Time) iter.Seq[*Point] {
	return func(yield func(*Point) bool) {
		for i := range r.points {
			p := &r.points[(r.next+i)%len(r.points)]
			if p.Time.After(t) && !yield(p) {
				return
			}
		}
	}
}

// sum adds what is in the points that ended after a time.
func (r *ring) sum(t time.Time) (c Counts) {
	for p := range r.since(t) {
		c.add(&p.Counts)
	}
	return c
}

// history is the series in all its resolutions, and all that was counted.
type history struct {
	started time.Time
	last    time.Time // end of the last point of a second
	total   tally     // without second

	second tally // running, as the next two
	minute tally
	hour   Counts

	seconds, minutes, hours ring

	// marks is what total was at the end of each of the last minutes.
	marks    []mark
	nextMark int
}

type mark struct {
	time  time.Time
	total tally
}

func (h *history) begin(now time.Time) { h.started, h.last = now, now }

// end closes the running second.
func (h *history) end(now time.Time, store cache.Stats) {
	before, after := h.last.Sub(h.started), now.Sub(h.started)
	h.seconds.add(point(&h.second, now, now.Sub(h.last), store), seconds)
	h.last = now
	if h.second.Requests() > 0 { // most seconds of a quiet proxy have nothing to add
		h.total.add(&h.second)
		h.minute.add(&h.second)
		h.hour.add(&h.second.Counts)
		h.second = tally{}
	}
	if before/time.Minute != after/time.Minute {
		h.minutes.add(point(&h.minute, now, time.Minute, store), minutes)
		h.minute = tally{}
		h.mark(now)
	}
	if before/time.Hour != after/time.Hour {
		h.hours.add(point(&tally{Counts: h.hour}, now, time.Hour, store), hours)
		h.hour = Counts{}
	}
}

func (h *history) mark(now time.Time) {
	m := mark{now, h.total}
	if len(h.marks) < hindsight {
		h.marks = append(h.marks, m)
		return
	}
	h.marks[h.nextMark] = m
	h.nextMark = (h.nextMark + 1) % hindsight
}

func point(t *tally, now time.Time, span time.Duration, store cache.Stats) Point {
	p := Point{Time: now, Span: max(span, time.Millisecond), Counts: t.Counts, Store: store}
	busy := t.Requests() > 0
	for k := range p.Quantiles {
		for i, q := range [2]float64{.5, .99} {
			p.Quantiles[k][i] = -1
			if busy {
				p.Quantiles[k][i] = t.latency[k].quantile(q)
			}
		}
	}
	return p
}

// sum is what was counted in the last span of time, with a resolution that goes
// with it: seconds up to 5 minutes, minutes up to a day, hours beyond.
func (h *history) sum(now time.Time, span time.Duration) Counts {
	c := h.second.Counts
	since := now.Add(-span)
	var older Counts
	switch {
	case !since.After(h.started):
		older = h.total.Counts
	case span <= seconds*time.Second:
		older = h.seconds.sum(since)
	case span <= minutes*time.Minute:
		older = h.minutes.sum(since)
		c.add(&h.minute.Counts)
	default:
		older = h.hours.sum(since)
		c.add(&h.hour)
	}
	c.add(&older)
	return c
}

// lately is everything of the last minutes, an hour at most.
func (h *history) lately(now time.Time) (t tally, since time.Time) {
	t, since = h.total, h.started
	if now.Sub(h.started) > hindsight*time.Minute && len(h.marks) == hindsight {
		oldest := &h.marks[h.nextMark]
		t.less(&oldest.total)
		since = oldest.time
	}
	t.add(&h.second)
	return t, since
}
