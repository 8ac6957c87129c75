package cache

import (
	"math"
	"time"
)

// clock counts nanoseconds since a store was made. It is monotonic, and the fake one
// in a synctest bubble.
type clock struct{ start time.Time }

func (c clock) now() int64 { return int64(time.Since(c.start)) }

// at is now for a time that is known.
func (c clock) at(t time.Time) int64 { return int64(t.Sub(c.start)) }

// deadline turns a TTL into a point on the clock; 0 = never.
func (c clock) deadline(ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	now := c.now()
	if int64(ttl) > math.MaxInt64-now {
		return math.MaxInt64
	}
	return now + int64(ttl)
}

// passed reports whether a deadline lies in the past. Without one it asks nobody for
// the time.
func (c clock) passed(deadline int64) bool { return deadline != 0 && c.now() > deadline }

// passedAt is passed at a time that is known.
func (c clock) passedAt(deadline int64, t time.Time) bool { return deadline != 0 && c.at(t) > deadline }
