package simulate

import "context"

// Policy is a cache under test: it decides what stays. It is used by one
// goroutine.
type Policy interface {
	// Get reports whether the object is held, and counts as a use of it.
	Get(object uint32) bool
	// Set offers an object that is not held. Cost is in bytes, at least 1.
	Set(object uint32, cost int64)
}

// Result counts what a replay did.
type Result struct {
	Requests, Hits  int64
	Bytes, HitBytes int64 // as sent to clients
}

// HitRatio is the share of the requests that were hits, 0 to 1.
func (r Result) HitRatio() float64 { return share(r.Hits, r.Requests) }

// ByteHitRatio is the share of the bytes that came from hits, 0 to 1.
func (r Result) ByteHitRatio() float64 { return share(r.HitBytes, r.Bytes) }

// Misses is the number of requests that are left for the origin.
func (r Result) Misses() int64 { return r.Requests - r.Hits }

// MissBytes is the number of bytes that are left for the origin.
func (r Result) MissBytes() int64 { return r.Bytes - r.HitBytes }

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Replay sends all requests through a policy, which begins empty. Costs has the
// cost of each object; one above most is never offered. It ends early, with the
// error of the context, when that ends.
func Replay(ctx context.Context, s *Sequence, p Policy, costs []int64, most int64) (Result, error) {
	var r Result
	for i, a := range s.Accesses {
		if i&0xfff == 0 && ctx.Err() != nil {
			return r, ctx.Err()
		}
		r.Requests++
		r.Bytes += a.Bytes
		switch {
		case costs[a.Object] > most:
		case p.Get(a.Object):
			r.Hits++
			r.HitBytes += a.Bytes
		default:
			p.Set(a.Object, costs[a.Object])
		}
	}
	return r, nil
}

// Unlimited is a cache that keeps everything: no other can do better, however
// large it is.
type Unlimited map[uint32]bool

// Get reports whether the object was set.
func (u Unlimited) Get(object uint32) bool { return u[object] }

// Set keeps the object.
func (u Unlimited) Set(object uint32, _ int64) { u[object] = true }
