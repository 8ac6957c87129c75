package admin

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"cacheproxy/proxy"
)

// kind is what decides into which series an outcome is counted.
type kind struct {
	action, reason, refused, status int
	confirmed                       bool // the origin said that what is stored still holds
	route                           string
}

// tally is what was counted of one kind. The series of /metrics are sums over
// kinds, so that an outcome takes few additions.
type tally struct {
	kind
	actionName, reasonName, refusedName string
	from, result                        string

	took                             timings
	cacheBytes, originBytes, aborted atomic.Int64
}

// tallies are those of all kinds that were seen.
type tallies struct {
	recent [64]atomic.Pointer[tally]       // some of them, by slot; most outcomes are of few kinds
	all    atomic.Pointer[map[kind]*tally] // never changed, but replaced
	mu     sync.Mutex                      // held to replace it
}

// Observe counts an outcome, and does not keep it. It takes no lock and does
// not allocate, except for the first outcome of each kind.
func (m *Metrics) Observe(o *proxy.Outcome) {
	t := m.tallies.of(o)
	t.took.add(o.Duration)
	if o.FromCache > 0 {
		t.cacheBytes.Add(o.FromCache)
	}
	if n := o.Bytes - o.FromCache; n > 0 && t.from != "proxy" {
		t.originBytes.Add(n)
	}
	if o.Aborted {
		t.aborted.Add(1)
	}
	if o.OriginTime > 0 && !o.Collapsed {
		m.origin.Observe(o.OriginTime.Seconds())
	}
}

// of finds the tally for an outcome.
func (ts *tallies) of(o *proxy.Outcome) *tally {
	k := kind{int(o.Action), int(o.Reason), int(o.Refused), o.Status, o.FwdStatus == http.StatusNotModified, o.Route}
	if class(k.status) == 0 {
		k.status = 0 // all of them are one kind
	}
	slot := &ts.recent[(uint(k.action)+uint(k.reason)*5+uint(k.status)*11+uint(len(k.route)))%uint(len(ts.recent))]
	t := slot.Load()
	if t == nil || t.kind != k {
		if t = (*ts.all.Load())[k]; t == nil {
			t = ts.meet(k, o)
		}
		slot.Store(t)
	}
	return t
}

// meet adds the tally of a kind that was not seen before. The map is replaced
// as a whole, so that it is read without a lock.
func (ts *tallies) meet(k kind, o *proxy.Outcome) *tally {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	known := *ts.all.Load()
	if t := known[k]; t != nil {
		return t // two outcomes of a new kind came at once
	}
	k.route = strings.Clone(k.route) // the outcome's may be part of something larger
	t := &tally{
		kind: k, actionName: o.Action.String(), reasonName: o.Reason.String(), refusedName: o.Refused.String(),
		from: o.From(), result: result(o.Action.String()),
	}
	next := maps.Clone(known)
	next[k] = t
	ts.all.Store(&next)
	return t
}

var results = []string{"hit", "stale", "miss", "pass", "fail"}

// result says in one word what the cache did.
func result(action string) string {
	switch action {
	case "serve":
		return "hit"
	case "serve-stale":
		return "stale"
	case "fetch", "validate":
		return "miss"
	}
	return action
}

var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

// class is the index in classes of a status.
func class(status int) int {
	if c := status / 100; c >= 1 && c < len(classes) {
		return c
	}
	return 0
}

// statusLabel is a status as a label: of a hostile origin's there are not many.
func statusLabel(status int) string {
	if class(status) == 0 {
		return classes[0]
	}
	return strconv.Itoa(status)
}
