package load

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"cacheproxy/bench/report"
)

// A series begins with short intervals. When there are too many of them, two
// and two are joined, so that neither a short nor a long run has few points.
const (
	firstInterval = 250 * time.Millisecond
	mostPoints    = 300
)

// interval is a point of the series that is being filled.
type interval struct {
	report.Point
	hits, misses *hdr.Histogram // nil while empty
}

// latency counts a latency in one of the histograms.
func (p *interval) latency(h **hdr.Histogram, us int64) {
	if *h == nil {
		*h = newHistogram(2)
	}
	_ = (*h).RecordValue(us) // it is in range
}

// series is what happened over time.
type series struct {
	start  time.Time
	length time.Duration // of an interval
	closed []*interval
	open   *interval

	origin int64   // requests that the origin had counted at the last cut
	cpu    float64 // that the proxy had used
}

func newSeries(start time.Time) series {
	return series{start: start, length: firstInterval, open: new(interval)}
}

// now is the interval that is open.
func (s *series) now() *interval { return s.open }

// due is when the open interval ends.
func (s *series) due() time.Time {
	return s.start.Add(time.Duration(len(s.closed)+1) * s.length)
}

// gauge is what others count: sums since the start, and memory.
type gauge struct {
	origin int64   // requests
	rss    int64   // bytes
	cpu    float64 // seconds
}

// cut ends the open interval.
func (s *series) cut(at time.Time, g gauge) {
	p := s.open
	p.Second = at.Sub(s.start).Seconds()
	p.Origin, s.origin = g.origin-s.origin, g.origin
	p.CPU, s.cpu = g.cpu-s.cpu, g.cpu
	p.RSS = g.rss
	s.closed = append(s.closed, p)
	s.open = new(interval)
	if len(s.closed) >= mostPoints {
		s.halve()
	}
}

// finish ends the last interval. A short one would show little but chance, and
// becomes part of the one before.
func (s *series) finish(at time.Time, g gauge) {
	s.cut(at, g)
	n := len(s.closed)
	if n < 2 || s.closed[n-1].Second-s.closed[n-2].Second >= s.length.Seconds()/2 {
		return
	}
	s.closed[n-2] = join(s.closed[n-2], s.closed[n-1])
	s.closed = s.closed[:n-1]
}

// halve joins neighbours.
func (s *series) halve() {
	for i := range len(s.closed) / 2 {
		s.closed[i] = join(s.closed[2*i], s.closed[2*i+1])
	}
	s.closed = s.closed[:len(s.closed)/2]
	s.length *= 2
}

func join(a, b *interval) *interval {
	out := *b
	out.Requests += a.Requests
	out.Saved += a.Saved
	out.Errors += a.Errors
	out.Bytes += a.Bytes
	out.Origin += a.Origin
	out.CPU += a.CPU
	out.hits, out.misses = merge(a.hits, b.hits), merge(a.misses, b.misses)
	return &out
}

func merge(a, b *hdr.Histogram) *hdr.Histogram {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	a.Merge(b)
	return a
}

// points are the intervals that have ended.
func (s *series) points() []report.Point {
	out := make([]report.Point, len(s.closed))
	for i, p := range s.closed {
		if p.hits != nil {
			p.HitP50, p.HitP99 = p.hits.ValueAtPercentile(50), p.hits.ValueAtPercentile(99)
		}
		if p.misses != nil {
			p.MissP50, p.MissP99 = p.misses.ValueAtPercentile(50), p.misses.ValueAtPercentile(99)
		}
		out[i] = p.Point
	}
	return out
}
