package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filled makes a series of so many intervals, with a hit of i+1 ms in interval i.
func filled(n int) (s *series, start time.Time) {
	start = time.Unix(0, 0)
	made := newSeries(start)
	s = &made
	for i := range n {
		at := s.due()
		p := s.now()
		p.Requests++
		p.Bytes += 10
		p.latency(&p.hits, int64(i+1)*1000)
		s.cut(at, gauge{origin: int64(2 * (i + 1)), rss: int64(i), cpu: float64(i + 1)})
	}
	return s, start
}

func TestSeriesStaysShort(t *testing.T) {
	for _, n := range []int{1, mostPoints - 1, mostPoints, 10 * mostPoints} {
		s, _ := filled(n)
		points := s.points()
		assert.LessOrEqual(t, len(points), mostPoints)
		assert.GreaterOrEqual(t, len(points), min(n, mostPoints/2))
		var requests, bytes, origin int64
		cpu, before := 0.0, 0.0
		for _, p := range points {
			requests, bytes, origin, cpu = requests+p.Requests, bytes+p.Bytes, origin+p.Origin, cpu+p.CPU
			assert.InDelta(t, s.length.Seconds(), p.Second-before, 1e-9, "evenly spaced")
			assert.Positive(t, p.HitP50)
			assert.LessOrEqual(t, p.HitP50, p.HitP99)
			assert.Zero(t, p.MissP99)
			before = p.Second
		}
		assert.Equal(t, int64(n), requests, "joining loses nothing")
		assert.Equal(t, int64(10*n), bytes)
		assert.Equal(t, int64(2*n), origin)
		assert.InDelta(t, n, cpu, 1e-6)
		assert.Equal(t, int64(n-1), points[len(points)-1].RSS, "the last one counts")
	}
}

func TestJoiningKeepsPercentiles(t *testing.T) {
	s, _ := filled(mostPoints)
	first := s.points()[0]
	assert.InDelta(t, 1000, first.HitP50, 10)
	assert.InDelta(t, 2000, first.HitP99, 20)
}

func TestShortLastIntervalIsJoined(t *testing.T) {
	for part, want := range map[time.Duration]int{10 * time.Millisecond: 3, firstInterval - 1: 4} {
		s, start := filled(3)
		s.now().Requests = 5
		s.finish(start.Add(3*firstInterval+part), gauge{})
		points := s.points()
		require.Len(t, points, want)
		last := points[want-1]
		assert.Equal(t, (3*firstInterval + part).Seconds(), last.Second)
		assert.GreaterOrEqual(t, last.Requests, int64(5))
	}
	empty := newSeries(time.Unix(0, 0))
	empty.finish(time.Unix(0, 1), gauge{})
	assert.Len(t, empty.points(), 1, "a run of an instant has a point")
}

func TestMicrosStayInRange(t *testing.T) {
	h := newHistogram(3)
	for _, d := range []time.Duration{-time.Second, 0, time.Nanosecond, time.Microsecond, time.Minute, time.Hour} {
		assert.NoError(t, h.RecordValue(micros(d)), d.String())
	}
}
