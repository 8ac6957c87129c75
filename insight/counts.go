package insight

import (
	"time"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

const actions = int(policy.Fail) + 1

// classes are the names of Counts.Classes; a client that left before its
// answer, 499, counts as other.
var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}

// Counts are what happened in a span of time.
type Counts struct {
	Actions [actions]uint64 // requests by policy.Action
	Classes [len(classes)]uint64

	BytesCache, BytesOrigin uint64 // of content that was sent, by where it came from
	Aborted                 uint64 // answers that broke off

	Saved     uint64        // answers that took no request of their own to the origin
	SavedTime time.Duration // what these would have waited for the origin: the mean of their route

	Valid  uint64 // answers that count for what clients saw
	Failed uint64 // of these, with a 5xx
	Asked  uint64 // requests that asked the origin themselves
	Down   uint64 // of these, that it failed: a 5xx, or no valid answer
	Hidden uint64 // of these, answered with something better than a 5xx
}

// Requests are all.
func (c *Counts) Requests() (n uint64) {
	for _, a := range c.Actions {
		n += a
	}
	return n
}

// Hits are the requests that the store answered, stale answers included.
func (c *Counts) Hits() uint64 { return c.Actions[policy.Serve] + c.Actions[policy.ServeStale] }

func (c *Counts) add(o *Counts) { c.combine(o, func(a, b uint64) uint64 { return a + b }) }

// less takes away what was counted before.
func (c *Counts) less(o *Counts) { c.combine(o, func(a, b uint64) uint64 { return a - b }) }

func (c *Counts) combine(o *Counts, op func(a, b uint64) uint64) {
	for i := range c.Actions {
		c.Actions[i] = op(c.Actions[i], o.Actions[i])
	}
	for i := range c.Classes {
		c.Classes[i] = op(c.Classes[i], o.Classes[i])
	}
	c.BytesCache, c.BytesOrigin = op(c.BytesCache, o.BytesCache), op(c.BytesOrigin, o.BytesOrigin)
	c.Aborted, c.Saved = op(c.Aborted, o.Aborted), op(c.Saved, o.Saved)
	c.SavedTime = time.Duration(op(uint64(c.SavedTime), uint64(o.SavedTime)))
	c.Valid, c.Failed = op(c.Valid, o.Valid), op(c.Failed, o.Failed)
	c.Asked, c.Down, c.Hidden = op(c.Asked, o.Asked), op(c.Down, o.Down), op(c.Hidden, o.Hidden)
}

// count adds one outcome.
func (c *Counts) count(o *proxy.Outcome) {
	c.Actions[o.Action]++
	c.Classes[class(o.Status)]++
	c.BytesCache += uint64(o.FromCache)
	if o.Action != policy.Fail {
		c.BytesOrigin += uint64(max(o.Bytes-o.FromCache, 0))
	}
	if o.Aborted {
		c.Aborted++
	}
	if saved(o) {
		c.Saved++
	}
	failed := o.Status >= 500 && o.Status < 600
	if isValid(o) {
		c.Valid++
		if failed {
			c.Failed++
		}
	}
	if !asked(o) {
		return
	}
	c.Asked++
	if down(o) {
		c.Down++
		if !failed && o.Status != proxy.StatusClientGone {
			c.Hidden++
		}
	}
}

// class is the index in classes of a status.
func class(status int) int {
	if c := status / 100; c >= 1 && c < len(classes) && status != proxy.StatusClientGone {
		return c
	}
	return 0
}

// isValid leaves out who left before the answer, and who wanted a stored answer
// or none: a 504 is what such a client asks for.
func isValid(o *proxy.Outcome) bool {
	return o.Status != proxy.StatusClientGone && o.Reason != policy.OnlyIfCached
}

// served reports whether the store answered and the origin was not asked first.
func served(o *proxy.Outcome) bool {
	return o.Action == policy.Serve || o.Action == policy.ServeStale && o.Reason != policy.StaleIfError
}

// saved reports whether a request was spared the origin.
func saved(o *proxy.Outcome) bool { return served(o) || o.Collapsed }

// asked reports whether the origin was asked for this request alone.
func asked(o *proxy.Outcome) bool {
	return !o.Collapsed && !served(o) && (o.FwdStatus > 0 || down(o))
}

// down reports whether the origin failed.
func down(o *proxy.Outcome) bool {
	switch o.Reason {
	case policy.StaleIfError, policy.OriginUnreachable, policy.OriginTimeout, policy.OriginInvalid:
		return true
	}
	return o.FwdStatus >= 500 || o.Error != ""
}
