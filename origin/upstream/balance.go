package upstream

import (
	"math"
	"net/http"
)

// balance chooses one of targets that all can have the request. It may reorder
// the list.
func (u *Upstream) balance(list []*target, t *trip) *target {
	if len(list) == 1 {
		return list[0]
	}
	switch u.o.Balance {
	case Hash:
		return rendezvous(list, t.key())
	case LeastRequests:
		return u.next(fewest(list))
	}
	return u.next(list)
}

// next takes them in turn: each gains its weight, and the one with the most gives
// up what all have gained. So each has its share, and no two of its turns are
// closer than they must be.
func (u *Upstream) next(list []*target) *target {
	u.turns.Lock()
	defer u.turns.Unlock()
	best, total := list[0], 0
	for _, t := range list {
		t.turn += t.weight
		total += t.weight
		if t.turn > best.turn {
			best = t
		}
	}
	best.turn -= total
	return best
}

// fewest keeps those with the fewest requests under way for their weight.
func fewest(list []*target) []*target {
	least, n := math.Inf(1), 0
	for i, t := range list {
		load := float64(t.slots.inUse.Load()) / float64(t.weight)
		if load < least {
			least, n = load, 0
		}
		if load == least {
			list[n], list[i] = list[i], list[n]
			n++
		}
	}
	return list[:n]
}

// rendezvous chooses by the highest score, which depends on a key and a target
// only: when a target goes, its keys go to the others by their weights, and no
// other key moves.
func rendezvous(list []*target, key uint64) *target {
	best, highest := list[0], math.Inf(-1)
	for _, t := range list {
		if s := score(key, t.seed, t.weight); s > highest {
			best, highest = t, s
		}
	}
	return best
}

// score is exponentially distributed with the weight as its mean, so that the
// chance to be the highest is in proportion to it.
func score(key, seed uint64, weight int) float64 {
	even := (float64(mix(key^seed)>>11) + 0.5) / (1 << 53) // within 0 and 1, both excluded
	return float64(weight) / -math.Log(even)
}

// mix spreads what differs in a few bits over all of them (SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

const hashStart = 14695981039346656037

// hash is FNV-1a: the same in every process, so that several proxies send a key to
// the same target.
func hash(s string) uint64 { return hashOn(hashStart, s) }

func hashOn(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// keyOf hashes Host and request URI as they are sent.
func keyOf(r *http.Request) uint64 {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	h := hashOn(hashOn(hashStart, host), "\n")
	if h = hashOn(h, r.URL.Opaque); r.URL.Opaque == "" {
		h = hashOn(h, r.URL.EscapedPath())
	}
	if r.URL.ForceQuery || r.URL.RawQuery != "" {
		h = hashOn(hashOn(h, "?"), r.URL.RawQuery)
	}
	return h
}
