package purge

import (
	"slices"
	"time"

	"cacheproxy/policy"
)

// Marks are the marks in force, in the order of their times. They are immutable; nil is
// none.
//
// They are kept in runs, each at least eight times as long as the next one: so one mark
// more costs little beside many, and few runs are to be asked.
type Marks struct{ runs []*run }

// run are some marks that were set after each other.
type run struct {
	first  int // index of its first mark
	marks  []Mark
	newest time.Time
	urls   map[string]pair
	tags   map[string]pair
	hosts  map[string]pair
	groups map[group]pair
	others []int // are compared with keys, one by one
}

type group struct{ origin, name string }

// pair are the newest hard mark and the newest soft one of the same value, as indexes
// plus 1.
type pair struct{ hard, soft int }

// New returns a set of marks, in the order of their times.
func New(all []Mark) *Marks { return (*Marks)(nil).With(all) }

// growth is how much longer a run is than the next one.
const growth = 8

// With returns the marks and others, which are not older.
func (m *Marks) With(newer []Mark) *Marks {
	if len(newer) == 0 {
		return m
	}
	var runs []*run
	if m != nil {
		runs = slices.Clone(m.runs)
	}
	for len(runs) > 0 && len(runs[len(runs)-1].marks) < growth*len(newer) {
		newer = slices.Concat(runs[len(runs)-1].marks, newer)
		runs = runs[:len(runs)-1]
	}
	first := 0
	if len(runs) > 0 {
		last := runs[len(runs)-1]
		first = last.first + len(last.marks)
	}
	return &Marks{append(runs, newRun(first, newer))}
}

func newRun(first int, marks []Mark) *run {
	r := &run{
		first: first, marks: marks, newest: marks[len(marks)-1].Time,
		urls: map[string]pair{}, tags: map[string]pair{}, hosts: map[string]pair{}, groups: map[group]pair{},
	}
	for n, mark := range marks {
		i := first + n
		switch mark.Kind {
		case URL:
			r.urls[mark.Value] = r.urls[mark.Value].with(mark.Soft, i)
		case Tag:
			r.tags[mark.Value] = r.tags[mark.Value].with(mark.Soft, i)
		case Host:
			r.hosts[mark.Value] = r.hosts[mark.Value].with(mark.Soft, i)
		case Group:
			g := group{mark.Origin, mark.Value}
			r.groups[g] = r.groups[g].with(mark.Soft, i)
		default:
			r.others = append(r.others, i)
		}
	}
	return r
}

func (p pair) with(soft bool, i int) pair {
	if soft {
		p.soft = i + 1
	} else {
		p.hard = i + 1
	}
	return p
}

// Finding is what marks mean for a stored response: the indexes of a hard mark and
// of a soft one that hit it, -1 for none.
type Finding struct{ Hard, Soft int }

// Find returns what the marks mean for a response that is stored under a key. One
// that was requested after the newest mark costs one comparison; it allocates
// nothing.
func (m *Marks) Find(key string, s *policy.Stored) Finding {
	f := Finding{-1, -1}
	if m == nil {
		return f
	}
	for i := len(m.runs) - 1; i >= 0 && !s.Requested.After(m.runs[i].newest); i-- {
		m.runs[i].find(&f, key, s)
	}
	return f
}

func (r *run) find(f *Finding, key string, s *policy.Stored) {
	if len(r.urls) > 0 {
		r.note(f, r.urls[key], s)
	}
	origin, host := splitHost(key)
	if len(r.hosts) > 0 {
		r.note(f, r.hosts[host], s)
		if bare := withoutPort(host); bare != host {
			r.note(f, r.hosts[bare], s)
		}
	}
	if len(r.tags) > 0 || len(r.groups) > 0 {
		s.EachTag(func(name string, isGroup bool) bool {
			if isGroup {
				r.note(f, r.groups[group{origin, name}], s)
			} else {
				r.note(f, r.tags[name], s)
			}
			return true
		})
	}
	for _, i := range r.others {
		if mark := &r.marks[i-r.first]; mark.hits(key) {
			r.note(f, pair{}.with(mark.Soft, i), s)
		}
	}
}

// note puts the marks of a pair into a finding: the oldest ones count.
func (r *run) note(f *Finding, p pair, s *policy.Stored) {
	if i := p.hard - 1; i >= 0 && !s.Requested.After(r.marks[i-r.first].Time) && (f.Hard < 0 || i < f.Hard) {
		f.Hard = i
	}
	if i := p.soft - 1; i >= 0 && !s.Requested.After(r.marks[i-r.first].Time) && (f.Soft < 0 || i < f.Soft) {
		f.Soft = i
	}
}

// Mark returns a mark, which must not be changed.
func (m *Marks) Mark(i int) *Mark {
	n := len(m.runs) - 1
	for i < m.runs[n].first {
		n--
	}
	return &m.runs[n].marks[i-m.runs[n].first]
}
