package insight

import (
	"math/bits"
	"runtime"
	"sync"
	"unsafe"

	"cacheproxy/proxy"
)

const (
	maxShards = 64
	// detailed is how many hits a second are looked at closer than by counting.
	detailed = 2000
)

// shard counts for some of the goroutines. Its lock is held for the few
// additions only, and whoever finds it held takes the next one.
type shard struct {
	mu     sync.Mutex
	tally  tally
	routes [maxRoutes]routeTimes
	route  *route // of the last outcome; most have the same
	stride int    // one of so many hits is looked at closer
	skip   int    // hits until the next of these
	random uint32

	_ [64]byte // the next one's counters are on other cache lines
}

func newShards() []shard {
	n := min(1<<bits.Len(uint(2*runtime.GOMAXPROCS(0)-1)), maxShards)
	shards := make([]shard, n)
	for i := range shards {
		shards[i].stride, shards[i].random = 1, uint32(i+1)*2654435761
	}
	return shards
}

// spot differs between goroutines and seldom changes for one: the place of its
// stack. So the counters of a shard stay with a CPU most of the time.
func spot() uintptr {
	var here byte
	return uintptr(unsafe.Pointer(&here)) >> 10
}

// take locks a shard that nobody holds, if there is one.
func (in *Insight) take() *shard {
	first := spot() * 0x9E3779B1 >> 8
	for i := range uintptr(len(in.shards)) {
		s := &in.shards[(first+i)&uintptr(len(in.shards)-1)]
		if s.mu.TryLock() {
			return s
		}
	}
	s := &in.shards[first&uintptr(len(in.shards)-1)]
	s.mu.Lock()
	return s
}

// count adds an outcome, and says for how many it is to be looked at closer: 0
// for a hit that is not of the sample. Gaps are random, so that clients who ask
// in turns are seen alike.
func (s *shard) count(o *proxy.Outcome) (weight int) {
	s.tally.count(o)
	s.routes[s.route.number].count(o)
	if !served(o) {
		return 1
	}
	if s.skip--; s.skip > 0 {
		if o.Trace != nil { // who asked for it will look for it
			return 1
		}
		return 0
	}
	s.skip = 1
	if s.stride > 1 {
		s.random ^= s.random << 13
		s.random ^= s.random >> 17
		s.random ^= s.random << 5
		s.skip = 1 + int(s.random%uint32(2*s.stride-1))
	}
	return s.stride
}
