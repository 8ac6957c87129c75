package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

// Budget bounds retries by the number of requests, so that an origin which is sick is
// not finished off: in any time there are at most Share of the requests in it,
// PerSecond for each second, and a burst of ten seconds' worth. It also bounds the
// content that is kept for retries: 16 MiB for all requests together.
type Budget struct {
	share, perSecond float64
	requests         atomic.Int64 // that have not been looked at
	kept             atomic.Int64 // bytes of content

	mu     sync.Mutex
	last   time.Time // when they were
	tokens float64   // one for each retry
}

const burstTime = 10 // seconds

// NewBudget returns a budget of a share of the requests, default 0.2, and so many
// retries a second whatever the requests, default 10. Negative is none.
func NewBudget(share, perSecond float64) *Budget {
	orDefault(&share, 0.2)
	orDefault(&perSecond, 10)
	b := &Budget{share: max(share, 0), perSecond: max(perSecond, 0), last: time.Now()}
	b.tokens = b.most()
	return b
}

// most bounds what is saved for later.
func (b *Budget) most() float64 {
	if b.perSecond == 0 && b.share > 0 {
		return burstTime // otherwise a share alone could never be used
	}
	return burstTime * b.perSecond
}

func (b *Budget) request() { b.requests.Add(1) }

// take takes leave for one retry.
func (b *Budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	gained := b.share*float64(b.requests.Swap(0)) + b.perSecond*now.Sub(b.last).Seconds()
	b.last = now
	b.tokens = min(b.tokens+gained, b.most())
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// mostKept bounds the content that is kept for retries.
const mostKept = 16 << 20

// hold counts so many bytes more of content as kept. It returns false, and counts
// nothing, if that is too much.
func (b *Budget) hold(size int64) bool {
	if b.kept.Add(size) > mostKept {
		b.kept.Add(-size)
		return false
	}
	return true
}

func (b *Budget) release(size int64) { b.kept.Add(-size) }
