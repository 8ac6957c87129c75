package proxy

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// buckets holds a bucket of tokens for each of a bounded number of clients, in
// shards, so that clients seldom wait for each other.
type buckets struct {
	shards []shard
}

type shard struct {
	options RateLimitOptions
	most    int

	mu      sync.Mutex
	clients map[uint64]*bucket
	recent  bucket // head of a ring: next is the client that asked last, before the one that did not for longest
}

type bucket struct {
	client       uint64
	tokens       *rate.Limiter
	next, before *bucket
}

// enough is the number of clients from which on the table has shards.
const enough = 4096

func newBuckets(o RateLimitOptions) *buckets {
	n := 1
	if o.Clients >= enough {
		n = 64
	}
	b := &buckets{shards: make([]shard, n)}
	for i := range b.shards {
		s := &b.shards[i]
		s.options, s.most, s.clients = o, o.Clients/n, make(map[uint64]*bucket)
		s.recent.next, s.recent.before = &s.recent, &s.recent
	}
	return b
}

func (b *buckets) take(client uint64, now time.Time) (wait time.Duration, ok bool) {
	s := &b.shards[client%uint64(len(b.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.find(client)
	if t.AllowN(now, 1) {
		return 0, true
	}
	return time.Duration((1 - t.TokensAt(now)) / s.options.PerSecond * float64(time.Second)), false
}

// find returns the bucket of a client, which has asked last from now on. A
// newcomer to a full table gets the one that was not used for longest, as it is.
func (s *shard) find(client uint64) *rate.Limiter {
	b := s.clients[client]
	switch {
	case b != nil:
		b.leave()
	case len(s.clients) < s.most:
		b = &bucket{client: client, tokens: rate.NewLimiter(rate.Limit(s.options.PerSecond), s.options.Burst)}
		s.clients[client] = b
	default:
		b = s.recent.before
		b.leave()
		delete(s.clients, b.client)
		b.client = client
		s.clients[client] = b
	}
	b.next, b.before = s.recent.next, &s.recent
	b.next.before, s.recent.next = b, b
	return b.tokens
}

// leave takes a bucket out of the ring.
func (b *bucket) leave() {
	b.next.before, b.before.next = b.before, b.next
}
