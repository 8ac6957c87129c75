// Package upstream is an origin with several targets: an [Upstream] chooses one
// for each request, keeps away from those that are out of order, bounds what is
// asked of each at once, and sends again what may be sent again. It has the
// methods of an origin.Origin.
//
// # Flow
//
// RoundTrip (roundtrip.go) chooses a target (choose.go, balance.go) that is not
// blocked and has a slot free. A target is blocked while its checks say that it is
// down (health.go), while its breaker is open (breaker.go), and while it has asked
// to be left alone (hold.go); all of that is one number to compare with the time.
// Without a free slot a request waits in a queue (queue.go); how many slots a
// target has follows how it fares (limit.go). The slot is free again at the end of
// the body (body.go). What the answer, or a failure, means for another try is said in
// retry.go: the table, the wait, and all that must hold so that the request
// may be sent again; content.go keeps the content for that, budget.go bounds how
// many tries there are in all.
//
// # Scope
//
// No outlier detection by status or latency, no slow start, no zones, no sticky
// sessions. Targets come with the options and stay.
package upstream
