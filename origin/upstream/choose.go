package upstream

import (
	"slices"
	"time"
)

// standing is what can be had of the targets.
type standing uint8

const (
	granted standing = iota
	full             // some are up, and all their slots are taken
	none             // none is up
)

// choose waits for a target that can have the request.
func (u *Upstream) choose(t *trip) (permit, error) {
	if u.queue.length.Load() == 0 { // otherwise it is not its turn
		switch p, s := u.pick(t); s {
		case granted:
			return p, nil
		case none:
			return permit{}, u.unavailable()
		}
	}
	return u.wait(t)
}

// pick chooses a target that is up and has a slot free: if it can, one that
// has not had this request yet.
func (u *Upstream) pick(t *trip) (permit, standing) {
	for {
		now := u.now()
		var room [8]*target
		up, free := u.free(now, room[:0])
		switch {
		case !up:
			return permit{}, none
		case len(free) == 0:
			return permit{}, full
		}
		if p, ok := u.balance(t.fresh(free), t).admit(now); ok {
			return p, granted
		} // it went to somebody else
	}
}

// free appends the targets with a slot free to list: of the primaries, or if
// none of them is up, of the backups. It reports whether any is up.
func (u *Upstream) free(now time.Duration, list []*target) (bool, []*target) {
	for _, group := range u.groups {
		up := false
		for _, t := range group {
			if time.Duration(t.blocked.Load()) > now {
				u.wanted.Store(int64(now))
				continue
			}
			up = true
			if t.slots.free() {
				list = append(list, t)
			}
		}
		if up {
			return true, list
		}
	}
	return false, list
}

// fresh keeps those that have not had the request, unless all have.
func (t *trip) fresh(list []*target) []*target {
	if len(t.had) == 0 {
		return list
	}
	n := 0
	for i, c := range list {
		if !slices.Contains(t.had, c) {
			list[n], list[i] = list[i], list[n]
			n++
		}
	}
	if n == 0 {
		return list
	}
	return list[:n]
}

// another reports whether a target that has not had the request could have it now;
// without, if it is not nil, is one that will not be up.
func (u *Upstream) another(t *trip, without *target) bool {
	now := u.now()
	for _, group := range u.groups {
		up := false
		for _, c := range group {
			if c == without || time.Duration(c.blocked.Load()) > now {
				continue
			}
			if !slices.Contains(t.had, c) {
				return true
			}
			up = true
		}
		if up {
			return false
		}
	}
	return false
}

// upIn reports whether some target can be asked after a wait, as far as is known.
func (u *Upstream) upIn(wait time.Duration) bool {
	at := u.now() + wait
	return slices.ContainsFunc(u.targets, func(t *target) bool { return time.Duration(t.blocked.Load()) <= at })
}
