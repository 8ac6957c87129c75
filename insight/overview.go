package insight

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"cacheproxy/policy"
)

// Overview is what there is to know at a glance.
type Overview struct {
	Time    time.Time `json:"time"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"uptime_s"`

	Now     map[string]*float64 `json:"now"`     // the last second, by the columns of [Series]
	Windows map[string]Sum      `json:"windows"` // 5m, 1h, 24h, and total: since the start
	Levels  Levels              `json:"levels"`

	// What follows is of the last hour, or since the start.
	Since    time.Time                     `json:"since"`
	Reasons  []ReasonCount                 `json:"reasons"` // most frequent first, as those that follow
	Refused  []ReasonCount                 `json:"refused"` // why responses were not stored
	Statuses []StatusCount                 `json:"statuses"`
	Latency  map[string]map[string]float64 `json:"latency"` // hit, miss, origin: p50, p90, p99 in milliseconds
}

// Sum is what happened in a window.
type Sum struct {
	Requests    uint64            `json:"requests"`
	Actions     map[string]uint64 `json:"actions"`
	Classes     map[string]uint64 `json:"classes"`
	HitRatio    *float64          `json:"hit_ratio"`      // stale answers included; null without requests
	ByteRatio   *float64          `json:"byte_hit_ratio"` // null before anything was sent
	BytesCache  uint64            `json:"bytes_cache"`
	BytesOrigin uint64            `json:"bytes_origin"`
	Saved       uint64            `json:"saved_requests"`
	SavedTime   float64           `json:"saved_origin_s"` // estimate: by the mean origin time of each route
	Asked       uint64            `json:"origin_requests"`
	Down        uint64            `json:"origin_failures"`
	Hidden      uint64            `json:"hidden_failures"`
	Aborted     uint64            `json:"aborted"`
}

// StatusCount is how often a status was the answer.
type StatusCount struct {
	Status int    `json:"status"` // 0: none, or none that HTTP knows
	Count  uint64 `json:"count"`
}

// Overview looks at everything.
func (in *Insight) Overview() Overview {
	in.mu.Lock()
	in.collect()
	o := in.overview(time.Now())
	in.mu.Unlock()
	return o
}

// event is an overview as JSON.
func (in *Insight) event(now time.Time) []byte {
	in.mu.Lock()
	o := in.overview(now)
	in.mu.Unlock()
	data, _ := json.Marshal(o) // there is nothing in it that JSON does not know
	return data
}

func (in *Insight) overview(now time.Time) Overview {
	h := &in.history
	lately, since := h.lately(now)
	o := Overview{
		Time: now, Started: in.started, Seconds: now.Sub(in.started).Seconds(),
		Now:     map[string]*float64{},
		Windows: map[string]Sum{},
		Levels:  in.levels(now),
		Since:   since,
		Reasons: reasonCounts(&lately.reasons), Refused: reasonCounts(&lately.refused),
		Statuses: []StatusCount{}, Latency: map[string]map[string]float64{},
	}
	for name, span := range map[string]time.Duration{"5m": 5 * time.Minute, "1h": time.Hour, "24h": 24 * time.Hour} {
		o.Windows[name] = sum(h.sum(now, span))
	}
	all := h.total.Counts
	all.add(&h.second.Counts)
	o.Windows["total"] = sum(all)
	if n := len(h.seconds.points); n > 0 {
		p := &h.seconds.points[(h.seconds.next+n-1)%n]
		for _, c := range columns {
			o.Now[c.name] = c.read(p)
		}
	}
	for status, n := range lately.statuses {
		if n > 0 {
			o.Statuses = append(o.Statuses, StatusCount{status, n})
		}
	}
	slices.SortFunc(o.Statuses, func(a, b StatusCount) int { return cmp.Compare(b.Count, a.Count) })
	for k, name := range latencyNames {
		o.Latency[name] = map[string]float64{}
		for q, share := range map[string]float64{"p50": .5, "p90": .9, "p99": .99} {
			if d := lately.latency[k].quantile(share); d >= 0 {
				o.Latency[name][q] = millis(d)
			}
		}
	}
	return o
}

func sum(c Counts) Sum {
	s := Sum{
		Requests: c.Requests(), Actions: map[string]uint64{}, Classes: map[string]uint64{},
		HitRatio: share(c.Hits(), c.Requests()), ByteRatio: share(c.BytesCache, c.BytesCache+c.BytesOrigin),
		BytesCache: c.BytesCache, BytesOrigin: c.BytesOrigin,
		Saved: c.Saved, SavedTime: c.SavedTime.Seconds(), Asked: c.Asked, Down: c.Down, Hidden: c.Hidden, Aborted: c.Aborted,
	}
	for _, a := range policy.Actions() {
		s.Actions[a.String()] = c.Actions[a]
	}
	for i, name := range classes {
		s.Classes[name] = c.Classes[i]
	}
	return s
}

func reasonCounts(counts *[reasonRoom]uint64) []ReasonCount {
	all := []ReasonCount{}
	for r, n := range counts {
		if n > 0 {
			all = append(all, reasonCount(policy.Reason(r), n))
		}
	}
	slices.SortFunc(all, func(a, b ReasonCount) int { return cmp.Compare(b.Count, a.Count) })
	return all
}
