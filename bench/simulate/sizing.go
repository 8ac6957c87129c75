package simulate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"cacheproxy/cache"
)

const (
	// Enough is the share of all hits that any size could give from which on a
	// larger cache is hardly worth its memory.
	Enough = 0.95

	sizesChosen = 8
	leastSize   = 1 << 20
	mostSize    = 1 << 40
)

// Bookkeeping is what an entry of cacheproxy is taken to count for its header
// fields and what is known of them, in bytes; body, URL and Store.Overhead come
// on top.
const Bookkeeping = 512

// Question is what [Size] answers.
type Question struct {
	Sizes     []int64        // of the caches, in bytes, ascending; none = chosen by the footprint
	Engines   []cache.Engine // at least one
	Exponent  float64        // size exponent of gdsf, 0 to 1
	MaxObject int64          // largest body that is stored, in bytes; in a cache, half of it at most
	Progress  func(done, all int)
}

// Sizing says how caches of several sizes would have done. Counters are of the
// requests that a cache could have answered.
type Sizing struct {
	Requests  int64    `json:"requests"`
	Bytes     int64    `json:"bytes"` // sent to clients
	Objects   int      `json:"objects"`
	OnceOnly  int      `json:"objects_asked_for_once"`
	TooLarge  int      `json:"objects_too_large"` // more than MaxObject
	Footprint int64    `json:"footprint_bytes"`   // of all bodies
	Memory    int64    `json:"memory_bytes"`      // that a cache which keeps all that it may would take
	Left      Left     `json:"not_cacheable"`
	Unlimited Outcome  `json:"unlimited"`
	Rows      []Row    `json:"sizes"` // by size, then by engine
	Answers   []Answer `json:"answers"`
}

// Row is the outcome for a cache.
type Row struct {
	Size   int64        `json:"cache_bytes"`
	Engine cache.Engine `json:"engine"`
	Outcome
}

// Outcome is a [Result] in the words of a report.
type Outcome struct {
	HitRatio       float64 `json:"hit_ratio"`
	ByteHitRatio   float64 `json:"byte_hit_ratio"`
	OriginRequests int64   `json:"origin_requests"`
	OriginBytes    int64   `json:"origin_bytes"`
}

func outcome(r Result) Outcome {
	return Outcome{r.HitRatio(), r.ByteHitRatio(), r.Misses(), r.MissBytes()}
}

// Answer is the smallest of the sizes that is [Enough] with an engine; where none
// is, the largest.
type Answer struct {
	Engine     cache.Engine `json:"engine"`
	EntryBytes int64        `json:"entry_bytes"` // that an object counts beside body and URL
	Size       int64        `json:"cache_bytes"`
	Enough     bool         `json:"enough"`
	Share      float64      `json:"share_of_unlimited_hits"` // 0 to 1
}

// Size replays a sequence through caches of several sizes.
func Size(ctx context.Context, s *Sequence, q Question) (*Sizing, error) {
	if len(s.Accesses) == 0 {
		return nil, fmt.Errorf("no request that a cache could answer among %d: only GET and HEAD count, with status 200, 203, 204, 206, 300, 301, 304, 404 or 410", s.Left.Requests())
	}
	if len(q.Engines) == 0 {
		return nil, errors.New("no engine to replay with")
	}
	out := &Sizing{Objects: len(s.Objects), OnceOnly: s.OnceOnly(), Footprint: s.Footprint(), Left: s.Left}
	costs := map[cache.Engine][]int64{}
	for _, e := range q.Engines {
		entry, err := q.entryBytes(e)
		if err != nil {
			return nil, err
		}
		costs[e] = q.costs(s, entry)
		out.Memory = max(out.Memory, sumStorable(costs[e]))
		out.Answers = append(out.Answers, Answer{Engine: e, EntryBytes: entry})
	}
	for _, c := range costs[q.Engines[0]] {
		if c == tooLarge {
			out.TooLarge++
		}
	}
	best, err := Replay(ctx, s, Unlimited{}, costs[q.Engines[0]], tooLarge-1)
	if err != nil {
		return nil, err
	}
	out.Requests, out.Bytes, out.Unlimited = best.Requests, best.Bytes, outcome(best)
	if len(q.Sizes) == 0 {
		q.Sizes = chooseSizes(out.Memory)
	}
	if out.Rows, err = q.replay(ctx, s, costs); err != nil {
		return nil, err
	}
	for i := range out.Answers {
		out.answer(&out.Answers[i])
	}
	return out, nil
}

const tooLarge = math.MaxInt64 // cost of what is never stored

// entryBytes is what an object counts in an engine beside body and URL.
func (q *Question) entryBytes(e cache.Engine) (int64, error) {
	probe, err := NewEngine(cache.Options{MaxCost: leastSize, Engine: e, Exponent: q.Exponent})
	if err != nil {
		return 0, err
	}
	defer probe.Close()
	return Bookkeeping + probe.Overhead(), nil
}

func (q *Question) costs(s *Sequence, entry int64) []int64 {
	costs := s.Costs(entry)
	for i, o := range s.Objects {
		if o.Size > q.MaxObject {
			costs[i] = tooLarge
		}
	}
	return costs
}

func sumStorable(costs []int64) (bytes int64) {
	for _, c := range costs {
		if c != tooLarge {
			bytes += c
		}
	}
	return bytes
}

// chooseSizes are powers of two, up to the one in which everything fits.
func chooseSizes(memory int64) (sizes []int64) {
	top := int64(leastSize)
	for top < memory && top < mostSize {
		top *= 2
	}
	for size := max(top>>(sizesChosen-1), leastSize); size <= top; size *= 2 {
		sizes = append(sizes, size)
	}
	return sizes
}

// replay runs as many replays at a time as there are CPUs.
func (q *Question) replay(ctx context.Context, s *Sequence, costs map[cache.Engine][]int64) ([]Row, error) {
	var rows []Row
	for _, size := range q.Sizes {
		for _, e := range q.Engines {
			rows = append(rows, Row{Size: size, Engine: e})
		}
	}
	errs := make([]error, len(rows))
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				errs[i] = q.row(ctx, s, costs[rows[i].Engine], &rows[i])
			}
		})
	}
	for i := range rows {
		if q.Progress != nil {
			q.Progress(i, len(rows))
		}
		work <- i
	}
	close(work)
	wg.Wait()
	return rows, errors.Join(errs...)
}

func (q *Question) row(ctx context.Context, s *Sequence, costs []int64, row *Row) error {
	e, err := NewEngine(cache.Options{MaxCost: row.Size, Engine: row.Engine, Exponent: q.Exponent})
	if err != nil {
		return err
	}
	defer e.Close()
	r, err := Replay(ctx, s, e, costs, row.Size/2) // the default of cache.max_object, a body's URL and fields apart
	row.Outcome = outcome(r)
	return err
}

func (s *Sizing) answer(a *Answer) {
	for _, row := range s.Rows {
		if row.Engine != a.Engine || a.Enough {
			continue
		}
		a.Size = row.Size
		if s.Unlimited.HitRatio > 0 {
			a.Share = row.HitRatio / s.Unlimited.HitRatio
		}
		a.Enough = a.Share >= Enough
	}
}
