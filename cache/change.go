package cache

import "time"

// Op says what an Update does to its key.
type Op uint8

const (
	Keep   Op = iota // leave it as it is
	Put              // replace the value
	Remove           // remove the value
)

// Change is the outcome of an Update; Value, Cost and TTL belong to a Put.
type Change[V any] struct {
	Op    Op
	Value V
	Cost  int64         // all that the entry counts, in bytes, from 1 to MaxCost: value, key and Overhead
	TTL   time.Duration // 0 = no expiry; negative is refused
}

// fits reports whether a Put may be taken by a store of maxCost bytes.
func (c *Change[V]) fits(maxCost int64) bool {
	return c.Cost >= 1 && c.Cost <= maxCost && c.TTL >= 0
}

// Set and Delete of both engines are an Update with one of these. They are inlined,
// so that the function needs no memory.

// putting replaces whatever there was.
func putting[V any](v V, cost int64, ttl time.Duration) func(V, bool) Change[V] {
	return func(V, bool) Change[V] {
		return Change[V]{Op: Put, Value: v, Cost: cost, TTL: ttl}
	}
}

// removing removes what there was, and notes whether there was something.
func removing[V any](was *bool) func(V, bool) Change[V] {
	return func(_ V, ok bool) Change[V] {
		*was = ok
		return Change[V]{Op: Remove}
	}
}
