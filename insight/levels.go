package insight

import (
	"math"
	"time"
)

// Levels say whether the service keeps its promises.
type Levels struct {
	Objective float64 `json:"objective"` // share of requests to be answered without a server error
	Client    Side    `json:"client"`    // what clients saw
	Origin    Side    `json:"origin"`    // what the origins answered
	Hidden    uint64  `json:"hidden"`    // failures of origins that no client saw, of the budget's window
	Server    Rate    `json:"server_errors"`
	Spike     Spike   `json:"client_errors"`
}

// Side is the availability on one side of the cache, and how fast its error
// budget burns.
type Side struct {
	Requests     uint64   `json:"requests"` // of the budget's window: 30 days, or since the start
	Failed       uint64   `json:"failed"`
	Availability *float64 `json:"availability"` // null without requests
	Budget       float64  `json:"budget_left"`  // share of the failures that the objective allows; below 0 when overdrawn
	Burn         []Burn   `json:"burn"`
	Alert        string   `json:"alert"` // page, ticket, or empty
}

// Burn is how many times faster than the objective allows failures come: at 1
// the budget of 30 days lasts just as long.
type Burn struct {
	Window string   `json:"window"`
	Rate   *float64 `json:"rate"` // null without requests
	Failed uint64   `json:"failed"`
}

// Rate is the share of requests in the last 5 minutes, and what it is to stay below.
type Rate struct {
	Ratio  *float64 `json:"ratio"` // null without requests
	Target float64  `json:"target"`
	Count  uint64   `json:"count"`
}

// ServerErrorTarget is what the share of 5xx is to stay below.
const ServerErrorTarget = 0.001

const budgetWindow = 30 * 24 * time.Hour

var burnWindows = []struct {
	name string
	span time.Duration
}{
	{"5m", 5 * time.Minute}, {"30m", 30 * time.Minute}, {"1h", time.Hour}, {"6h", 6 * time.Hour}, {"3d", 72 * time.Hour},
}

// alerts are the multi-window, multi-burn-rate alerts of the SRE workbook
// (chapter 5, table 5-8): the long window says that it matters, the short one
// that it still goes on.
var alerts = []struct {
	name        string
	long, short int // in burnWindows
	rate        float64
}{
	{"page", 2, 0, 14.4}, {"page", 3, 1, 6}, {"ticket", 4, 3, 1},
}

// leastFailures keeps a few failures of a quiet night from being an alert.
const leastFailures = 10

// side reads a side's failures and requests from sums over spans of time.
func side(objective float64, sum func(time.Duration) (failed, requests uint64)) Side {
	var s Side
	s.Failed, s.Requests = sum(budgetWindow)
	s.Budget = 1
	if s.Requests > 0 {
		s.Availability = share(s.Requests-s.Failed, s.Requests)
		s.Budget = 1 - float64(s.Failed)/(float64(s.Requests)*(1-objective))
	}
	rates := make([]float64, len(burnWindows))
	for i, w := range burnWindows {
		failed, requests := sum(w.span)
		b := Burn{Window: w.name, Failed: failed}
		if requests > 0 {
			rates[i] = float64(failed) / float64(requests) / (1 - objective)
			b.Rate = &rates[i]
		}
		s.Burn = append(s.Burn, b)
	}
	for _, a := range alerts {
		if rates[a.long] >= a.rate && rates[a.short] >= a.rate && s.Burn[a.long].Failed >= leastFailures {
			s.Alert = a.name
			break
		}
	}
	return s
}

// levels judges; past are the five-minute sums before the last 5 minutes.
func levels(objective float64, sum func(time.Duration) Counts, past []Counts) Levels {
	now, window := sum(5*time.Minute), sum(budgetWindow)
	return Levels{
		Objective: objective,
		Client:    side(objective, func(d time.Duration) (uint64, uint64) { c := sum(d); return c.Failed, c.Valid }),
		Origin:    side(objective, func(d time.Duration) (uint64, uint64) { c := sum(d); return c.Down, c.Asked }),
		Hidden:    window.Hidden,
		Server:    Rate{Ratio: share(now.Failed, now.Valid), Target: ServerErrorTarget, Count: now.Failed},
		Spike:     spike(now, past),
	}
}

// Spike is the share of 4xx in the last 5 minutes against what is usual.
type Spike struct {
	Ratio  *float64 `json:"ratio"` // null without requests
	Count  uint64   `json:"count"`
	Usual  *float64 `json:"usual"` // mean of the 5 minutes before, of up to a day; null while too little is known
	Limit  *float64 `json:"limit"` // what the ratio is to stay below; null while too little is known
	Is     bool     `json:"spike"`
	Reason string   `json:"why"`
}

// What a spike is.
const (
	spikeStep      = 5 * time.Minute
	spikeRequests  = 50   // least requests of 5 minutes that are looked at
	spikeSteps     = 6    // least of these before
	spikeErrors    = 20   // least 4xx of a spike
	spikeDeviation = 3    // standard deviations above the mean
	spikeFloor     = 0.01 // least distance above the mean: one request in a hundred
)

// spike compares the last 5 minutes with the mean and the standard deviation of
// the five-minute shares before: more than three deviations above, by one in a
// hundred at least, and 20 requests at least. Spans with fewer than 50 requests
// are left out, and with less than half an hour of others nothing is a spike.
func spike(now Counts, past []Counts) Spike {
	s := Spike{Ratio: share(now.Classes[4], now.Requests()), Count: now.Classes[4]}
	var n, total, squares float64
	for i := range past {
		requests := past[i].Requests()
		if requests < spikeRequests {
			continue
		}
		r := float64(past[i].Classes[4]) / float64(requests)
		n, total, squares = n+1, total+r, squares+r*r
	}
	if n < spikeSteps {
		s.Reason = "too little traffic yet to know what is usual"
		return s
	}
	mean := total / n
	limit := mean + max(spikeDeviation*math.Sqrt(max(squares/n-mean*mean, 0)), spikeFloor)
	s.Usual, s.Limit = &mean, &limit
	switch {
	case now.Requests() < spikeRequests || s.Count < spikeErrors:
		s.Reason = "too few requests in the last 5 minutes for a spike"
	case *s.Ratio > limit:
		s.Is, s.Reason = true, "more than usual"
	default:
		s.Reason = "as usual"
	}
	return s
}

// share is a part of a whole, nil when that is nothing.
func share(part, whole uint64) *float64 {
	if whole == 0 {
		return nil
	}
	r := float64(part) / float64(whole)
	return &r
}

// steps adds up the minutes before the last 5, five at a time.
func (h *history) steps(now time.Time) (sums []Counts) {
	step := -1
	for p := range h.minutes.since(now.Add(-minutes * time.Minute)) {
		age := now.Sub(p.Time)
		if age < spikeStep {
			break
		}
		if n := int(age / spikeStep); n != step {
			step, sums = n, append(sums, Counts{})
		}
		sums[len(sums)-1].add(&p.Counts)
	}
	return sums
}

// standing are the levels now, and what was counted since the start.
func (in *Insight) standing() (Levels, Counts) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.collect()
	all := in.history.total.Counts
	all.add(&in.history.second.Counts)
	return in.levels(time.Now()), all
}

// levels judges the service; the caller holds in.mu.
func (in *Insight) levels(now time.Time) Levels {
	sums := map[time.Duration]Counts{}
	return levels(in.objective, func(d time.Duration) Counts {
		c, ok := sums[d]
		if !ok {
			c = in.history.sum(now, d)
			sums[d] = c
		}
		return c
	}, in.history.steps(now))
}
