package load

import (
	"sync"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept in microseconds.
const (
	leastLatency = 1
	mostLatency  = 60_000_000
)

// late is how long after it was due a request may be sent before that counts.
const late = time.Millisecond

func newHistogram(digits int) *hdr.Histogram { return hdr.New(leastLatency, mostLatency, digits) }

// micros is a latency as a histogram takes it: what is beyond its range is
// counted at its end.
func micros(d time.Duration) int64 {
	return min(max(d.Microseconds(), leastLatency), mostLatency)
}

// recorder adds samples up. One lock for all takes less than a hundredth of the
// time at any rate that one machine can send.
type recorder struct {
	mu      sync.Mutex
	start   time.Time
	last    time.Time // end of the last sample
	results [resultCount]tally
	fields  map[string]int64
	status  [1000]int64
	failed  [failureCount]struct {
		count   int64
		example string
	}
	sent, answered, bytes int64
	late                  int64
	mostLate              time.Duration
	all, hits, misses     *hdr.Histogram
	server, via           string
	series                series
}

type tally struct{ requests, bytes int64 }

func newRecorder(start time.Time) *recorder {
	return &recorder{
		start: start, last: start, fields: make(map[string]int64),
		all: newHistogram(3), hits: newHistogram(3), misses: newHistogram(3),
		series: newSeries(start),
	}
}

// add counts a sample.
func (r *recorder) add(s *sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.end.After(r.last) {
		r.last = s.end
	}
	if s.failure.sent() {
		r.sent++
	}
	r.bytes += s.bytes
	p := r.series.now()
	p.Bytes += s.bytes
	if s.status > 0 && s.status < len(r.status) {
		r.status[s.status]++
	}
	if behind := s.sent.Sub(s.start); behind > late && s.failure != Queue {
		r.late++
		r.mostLate = max(r.mostLate, behind)
	}
	if s.header != nil && r.server == "" && r.via == "" {
		r.server, r.via = s.header.Get("Server"), s.header.Get("Via")
	}
	if s.failure != none {
		p.Errors++
		f := &r.failed[s.failure]
		if f.count++; f.count == 1 {
			f.example = s.err.Error()
		}
		return
	}
	r.answered++
	p.Requests++
	r.fields[s.field]++
	t := &r.results[s.result]
	t.requests++
	t.bytes += s.bytes
	if s.result.saved() {
		p.Saved++
	}
	r.time(s, p)
}

// time counts the latency of a sample, apart for hits and for what had to wait
// for the origin. What came with another client's answer has waited too.
func (r *recorder) time(s *sample, p *interval) {
	us := micros(s.end.Sub(s.start))
	_ = r.all.RecordValue(us) // it is in range
	switch s.result {
	case Unknown:
	case Hit, Stale:
		_ = r.hits.RecordValue(us)
		p.latency(&p.hits, us)
	default:
		_ = r.misses.RecordValue(us)
		p.latency(&p.misses, us)
	}
}

// progress says what was counted until now.
func (r *recorder) progress(now time.Time) Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := Progress{Ratio: -1, Requests: r.answered}
	for _, f := range r.failed {
		p.Errors += f.count
	}
	if known := r.answered - r.fields[noField]; known > 0 {
		p.Ratio = float64(r.results[Hit].requests+r.results[Stale].requests+r.results[Collapsed].requests) / float64(r.answered)
	}
	if d := now.Sub(r.start).Seconds(); d > 0 {
		p.PerSec = float64(r.answered) / d
	}
	return p
}
