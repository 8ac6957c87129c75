package insight

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

const (
	topKeys = 512       // URLs that one ranking knows of
	topSpan = time.Hour // after which rankings begin anew; the ones before are kept as long
	topText = 512       // bytes of a URL that are kept
)

// The rankings.
const (
	byRequests = iota
	byMisses
	byBytes
	byOriginTime
	rankings
)

var rankingNames = [rankings]string{"requests", "misses", "bytes", "origin_time"}

// URL is one of those that count most. Its figures are of the time since it
// came into the ranking, and estimates while hits are sampled.
type URL struct {
	URL        string        `json:"url"` // host and target, cut after 512 bytes
	Requests   int64         `json:"requests"`
	Misses     int64         `json:"misses"` // requests that asked the origin
	Bytes      int64         `json:"bytes"`
	OriginTime time.Duration `json:"-"`
	OriginMS   float64       `json:"origin_ms"` // of all its misses
	Weight     int64         `json:"weight"`    // by which it is ranked; origin time in microseconds
	Error      int64         `json:"error"`     // the true weight is lower by this at most
	Reasons    []ReasonCount `json:"reasons"`   // of the misses, most frequent first, six at most
}

// ReasonCount is how often a reason was given.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
	Text   string `json:"text"`
	Group  string `json:"group"`
}

// top ranks URLs in two generations: one that grows for an hour, and the one before.
type top struct {
	mu            sync.Mutex
	now, before   [rankings]summary
	since, change time.Time // of before, and when now began
	seed          maphash.Seed
}

func (t *top) begin(now time.Time) { t.since, t.change, t.seed = now, now, maphash.MakeSeed() }

// turn begins a new generation when it is time.
func (t *top) turn(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.change) < topSpan {
		return
	}
	t.before, t.now = t.now, [rankings]summary{}
	t.since, t.change = t.change, now
}

// add counts an outcome that stands for weight of them.
func (t *top) add(o *proxy.Outcome, weight int) {
	if o.Host == "" && o.URI == "" {
		return // the head of the request was never understood
	}
	n := int64(weight)
	s := sample{requests: n, bytes: o.Bytes * n, reason: why(o)}
	if asked(o) {
		s.misses, s.origin = n, max(o.OriginTime, time.Microsecond)
		if o.OriginTime == 0 {
			s.origin = o.Duration
		}
	}
	weights := [rankings]int64{s.requests, s.misses, s.bytes, s.origin.Microseconds()}
	t.mu.Lock()
	defer t.mu.Unlock()
	var h maphash.Hash
	h.SetSeed(t.seed)
	h.WriteString(o.Host)
	h.WriteString(o.URI)
	id := h.Sum64()
	for i := range t.now {
		if weights[i] > 0 {
			t.now[i].add(id, o.Host, o.URI, weights[i], &s)
		}
	}
}

// Top returns the URLs with the most requests, misses, bytes or origin_time of
// the last hour or two, most first, limit at most, and since when that counts.
// It returns false for any other ranking.
//
// Each hour a ranking follows the 512 URLs that weigh most (Space-Saving): every
// URL with more than 1/512 of the whole weight is among them, and URL.Error
// says by how much one may be overrated that came in late.
func (in *Insight) Top(by string, limit int) (urls []URL, since time.Time, ok bool) {
	i := slices.Index(rankingNames[:], by)
	if i < 0 {
		return nil, since, false
	}
	t := &in.top
	t.mu.Lock()
	merged := map[uint64]entry{}
	for _, s := range []*summary{&t.before[i], &t.now[i]} {
		for _, e := range s.entries {
			old := merged[e.id]
			old.merge(e)
			merged[e.id] = old
		}
	}
	since = t.since
	urls = make([]URL, 0, len(merged))
	for _, e := range merged {
		urls = append(urls, e.url())
	}
	t.mu.Unlock()
	slices.SortFunc(urls, func(a, b URL) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.URL, b.URL))
	})
	return urls[:min(limit, len(urls))], since, true
}

func (e *entry) url() URL {
	u := URL{
		URL: string(e.text), Requests: e.requests, Misses: e.misses, Bytes: e.bytes, OriginTime: e.origin,
		OriginMS: millis(e.origin), Weight: e.weight, Error: e.error, Reasons: []ReasonCount{},
	}
	for _, r := range e.reasons {
		if r.n > 0 {
			u.Reasons = append(u.Reasons, reasonCount(r.reason, uint64(r.n)))
		}
	}
	slices.SortFunc(u.Reasons, func(a, b ReasonCount) int { return cmp.Compare(b.Count, a.Count) })
	return u
}

func reasonCount(r policy.Reason, n uint64) ReasonCount {
	info := r.Info()
	return ReasonCount{info.Name, n, info.Text, info.Group.String()}
}

// millis is a duration in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
