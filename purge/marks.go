package purge

import (
	"time"

	"cacheproxy/policy"
)

// Marks are the marks in force. They are immutable; nil is none.
type Marks struct {
	all    []Mark
	newest time.Time
	tags   map[string]pair
	hosts  map[string]pair
	groups map[group]pair
	others []int // are compared with keys, one by one
}

type group struct{ origin, name string }

// pair are the newest hard mark and the newest soft one of the same value, as
// indexes into all, plus 1.
type pair struct{ hard, soft int }

// New returns a set of marks, in the order of their times. Those of kind URL are not
// for sets.
func New(all []Mark) *Marks {
	if len(all) == 0 {
		return nil
	}
	m := &Marks{all: all, tags: map[string]pair{}, hosts: map[string]pair{}, groups: map[group]pair{}}
	for i, mark := range all {
		if mark.Time.After(m.newest) {
			m.newest = mark.Time
		}
		switch mark.Kind {
		case Tag:
			m.tags[mark.Value] = m.tags[mark.Value].with(mark.Soft, i)
		case Host:
			m.hosts[mark.Value] = m.hosts[mark.Value].with(mark.Soft, i)
		case Group:
			g := group{mark.Origin, mark.Value}
			m.groups[g] = m.groups[g].with(mark.Soft, i)
		default:
			m.others = append(m.others, i)
		}
	}
	return m
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
	if s.Requested.After(m.newest) {
		return f
	}
	origin, host := splitHost(key)
	if len(m.hosts) > 0 {
		m.note(&f, m.hosts[host], s)
		if bare := withoutPort(host); bare != host {
			m.note(&f, m.hosts[bare], s)
		}
	}
	if len(m.tags) > 0 || len(m.groups) > 0 {
		s.EachTag(func(name string, isGroup bool) bool {
			if isGroup {
				m.note(&f, m.groups[group{origin, name}], s)
			} else {
				m.note(&f, m.tags[name], s)
			}
			return f.Hard < 0
		})
	}
	for _, i := range m.others {
		if m.all[i].hits(key) {
			m.note(&f, pair{}.with(m.all[i].Soft, i), s)
		}
	}
	return f
}

// note puts the marks of a pair into a finding: the oldest ones count.
func (m *Marks) note(f *Finding, p pair, s *policy.Stored) {
	if i := p.hard - 1; i >= 0 && !s.Requested.After(m.all[i].Time) && (f.Hard < 0 || i < f.Hard) {
		f.Hard = i
	}
	if i := p.soft - 1; i >= 0 && !s.Requested.After(m.all[i].Time) && (f.Soft < 0 || i < f.Soft) {
		f.Soft = i
	}
}

// Time returns the time of a mark.
func (m *Marks) Time(i int) time.Time { return m.all[i].Time }
