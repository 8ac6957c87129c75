//go:build linux

package soak

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// tally counts what became of requests, by how they were made and what they were.
type tally struct {
	mu   sync.Mutex
	rows map[[2]string]*row
	back time.Duration // the longest that an origin was back already when a request failed by its absence
}

// row is part of the result.
type row struct {
	Way     string        `json:"way,omitempty"`
	Kind    string        `json:"kind,omitempty"`
	Good    int           `json:"good"`   // answered as it must be
	Stored  int           `json:"stored"` // of these: without the origin
	Origin  int           `json:"origin"` // failed, and the origin caused it
	Left    int           `json:"left"`   // clients went away
	Failed  int           `json:"failed"` // failed, and the origin did not cause it
	Wrong   int           `json:"wrong"`  // bodies or versions
	Slowest time.Duration `json:"slowest_ns"`
}

func (t *tally) add(way, kind string, what func(*row)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[[2]string]*row{}
	}
	r := t.rows[[2]string{way, kind}]
	if r == nil {
		r = &row{Way: way, Kind: kind}
		t.rows[[2]string{way, kind}] = r
	}
	what(r)
}

func (t *tally) good(way, kind, cacheStatus string, took time.Duration) {
	t.add(way, kind, func(r *row) {
		r.Good++
		if strings.HasPrefix(cacheStatus, "cacheproxy; hit") {
			r.Stored++
		}
		r.Slowest = max(r.Slowest, took)
	})
}

func (t *tally) blamed(way, kind string) { t.add(way, kind, func(r *row) { r.Origin++ }) }
func (t *tally) left(way, kind string)   { t.add(way, kind, func(r *row) { r.Left++ }) }
func (t *tally) failed(way, kind string) { t.add(way, kind, func(r *row) { r.Failed++ }) }
func (t *tally) wrong(way, kind string)  { t.add(way, kind, func(r *row) { r.Wrong++ }) }

// after is how long an origin was back when a request failed by its absence.
func (t *tally) after(back time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.back = max(t.back, back)
}

// sums adds rows up that have the same name, in its order.
func (t *tally) sums(name func(*row) row) []row {
	t.mu.Lock()
	defer t.mu.Unlock()
	sums := map[string]*row{}
	for _, r := range t.rows {
		named := name(r)
		s := sums[named.Way+named.Kind]
		if s == nil {
			s = &named
			sums[named.Way+named.Kind] = s
		}
		s.Good += r.Good
		s.Stored += r.Stored
		s.Origin += r.Origin
		s.Left += r.Left
		s.Failed += r.Failed
		s.Wrong += r.Wrong
		s.Slowest = max(s.Slowest, r.Slowest)
	}
	var out []row
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, *sums[name])
	}
	return out
}

func byWay(r *row) row  { return row{Way: r.Way} }
func byKind(r *row) row { return row{Kind: r.Kind} }
func all(*row) row      { return row{} }
