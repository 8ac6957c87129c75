package insight

import (
	"cacheproxy/policy"
	"cacheproxy/proxy"
)

const (
	reasonRoom = 128 // more than there are reasons
	statusRoom = 600
)

// The kinds of latency.
const (
	latencyHit    = iota // requests that the store answered
	latencyMiss          // requests that were fetched or validated
	latencyOrigin        // from the request sent to the origin to its response head
	latencies
)

var latencyNames = [latencies]string{"hit", "miss", "origin"}

// tally is everything that is counted.
type tally struct {
	Counts
	reasons  [reasonRoom]uint64
	refused  [reasonRoom]uint64
	statuses [statusRoom]uint64 // by code; 0 is any that is none
	latency  [latencies]histogram
}

func (t *tally) count(o *proxy.Outcome) {
	t.Counts.count(o)
	t.reasons[o.Reason%reasonRoom]++
	if o.Refused != policy.ReasonNone {
		t.refused[o.Refused%reasonRoom]++
	}
	if o.Status > 0 && o.Status < statusRoom {
		t.statuses[o.Status]++
	} else {
		t.statuses[0]++
	}
	switch {
	case served(o):
		t.latency[latencyHit][bucket(o.Duration)]++
	case o.Action == policy.Fetch || o.Action == policy.Validate:
		t.latency[latencyMiss][bucket(o.Duration)]++
	}
	if o.OriginTime > 0 && !o.Collapsed {
		t.latency[latencyOrigin][bucket(o.OriginTime)]++
	}
}

func (t *tally) add(o *tally) {
	t.Counts.add(&o.Counts)
	for i := range t.reasons {
		t.reasons[i] += o.reasons[i]
		t.refused[i] += o.refused[i]
	}
	for i := range t.statuses {
		t.statuses[i] += o.statuses[i]
	}
	for k := range t.latency {
		for i := range t.latency[k] {
			t.latency[k][i] += o.latency[k][i]
		}
	}
}

// less takes away what was counted before.
func (t *tally) less(o *tally) {
	t.Counts.less(&o.Counts)
	for i := range t.reasons {
		t.reasons[i] -= o.reasons[i]
		t.refused[i] -= o.refused[i]
	}
	for i := range t.statuses {
		t.statuses[i] -= o.statuses[i]
	}
	for k := range t.latency {
		for i := range t.latency[k] {
			t.latency[k][i] -= o.latency[k][i]
		}
	}
}
