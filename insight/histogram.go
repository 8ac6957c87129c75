package insight

import (
	"math/bits"
	"time"
)

// buckets reach from a microsecond to 134 seconds, four for each power of two:
// what is read from them is off by an eighth at most.
const buckets = 104

// histogram counts durations.
type histogram [buckets]uint64

// bucket is the index for a duration; what is beyond the last counts there.
func bucket(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	if us < 4 {
		return int(us)
	}
	octave := bits.Len64(us) - 1
	return min((octave-1)*4+int(us>>(octave-2)&3), buckets-1)
}

// edge is the least duration of a bucket.
func edge(i int) time.Duration {
	if i < 4 {
		return time.Duration(i) * time.Microsecond
	}
	return time.Duration(uint64(4+i%4)<<(i/4-1)) * time.Microsecond
}

// quantile is a duration that the share q of all does not exceed: the middle of
// the bucket where it lies. It is -1 if nothing was counted.
func (h *histogram) quantile(q float64) time.Duration {
	var n uint64
	for _, c := range h {
		n += c
	}
	if n == 0 {
		return -1
	}
	rank := uint64(q * float64(n-1))
	for i, c := range h {
		if rank < c {
			return (edge(i) + edge(i+1)) / 2
		}
		rank -= c
	}
	return edge(buckets)
}
