package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cacheproxy/origin"
)

// Target is one server.
type Target struct {
	URL    string // as origin.New takes it
	Weight int    // its share beside the others, 1 to 1000; default 1
	Backup bool   // gets requests only while no target that is none is up
}

// Balance is how requests are shared out among the targets that are up.
type Balance uint8

// The ways to balance. All follow the weights.
const (
	RoundRobin    Balance = iota // in turn, spread evenly
	LeastRequests                // to the target with the fewest under way for its weight; in turn among equals
	Hash                         // by Host and request URI: always to the same target, as far as it is up and has a slot free
)

// Options describe an upstream. Zero means the default.
type Options struct {
	Name    string         // for errors
	Targets []Target       // at least one that is no backup
	Origin  origin.Options // of each target
	Balance Balance        // default RoundRobin

	MaxRequests int           // at once for each target, to the end of the body; default 1024; negative = no bound
	FixedLimit  bool          // the bound stays where it is; otherwise it follows how the target fares
	Queue       int           // requests that wait for a slot, of any target; default 1024; negative = none
	QueueTime   time.Duration // most that one waits; default 5 s

	Health   *Health // nil = no active checks
	Ejection Ejection
	Retry    Retry

	// Attempt sees every try: it calls send once, with the request or a copy, and
	// returns what that returns. resend is how many tries came before. nil = nobody
	// looks on.
	Attempt func(r *http.Request, resend int, send func(*http.Request) (*http.Response, error)) (*http.Response, error)
}

// Health are active checks: a GET of Path on each target, which tells whether it is
// up. All are taken for up at first.
type Health struct {
	Path     string        // path and query; begins with /
	Host     string        // Host field; default that of the target
	Interval time.Duration // from one check to the next; default 5 s
	Timeout  time.Duration // most until the head of the answer; default 2 s
	Statuses []Statuses    // that are good; default 200 to 399
	Rise     int           // good checks in a row that make a target up; default 2
	Fall     int           // bad ones that make it down; default 3
}

// Statuses are status codes, both ends included.
type Statuses struct{ First, Last int }

// Ejection says when a target's breaker opens, so that it gets no requests for a
// while. What counts are connection failures; timeouts, if nobody has had an answer
// since the request was sent; and answers that are not valid HTTP or break off, if
// another target is up. No status does, and no client that leaves. After Time one
// request goes through on trial, and another each time it takes so long: an answer
// closes the breaker, a failure opens it for twice as long.
type Ejection struct {
	Failures int           // in a row; default 5; negative = never
	Time     time.Duration // the first time; default 1 s
	MaxTime  time.Duration // at most; default 30 s
}

// Retry says what is sent again. docs/retries.md has all of it.
type Retry struct {
	Attempts int           // in all, with the first; 1 to 10; default 3
	Time     time.Duration // most waiting between them, of one request; default 3 s
	Base     time.Duration // the first backoff is up to this, the next up to twice as much; default 100 ms
	Max      time.Duration // at most; default 1 s
	Rows     map[int]Row   // changes to the table, by status 400 to 599; 0 = connection failures
	Unsafe   bool          // 408, 429 and 503 let non-idempotent methods be sent again too
	KeepBody int64         // bytes of content kept for another try; default 64 KiB; negative = none
	Budget   *Budget       // shared by all upstreams of a process; default one of its own
}

// maxAttempts bounds Retry.Attempts.
const maxAttempts = 10

func orDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

func (o Options) withDefaults() Options {
	orDefault(&o.MaxRequests, 1024)
	if o.MaxRequests < 0 {
		o.MaxRequests = 1 << 30
	}
	orDefault(&o.Queue, 1024)
	orDefault(&o.QueueTime, 5*time.Second)
	orDefault(&o.Ejection.Failures, 5)
	orDefault(&o.Ejection.Time, time.Second)
	orDefault(&o.Ejection.MaxTime, max(30*time.Second, o.Ejection.Time))
	orDefault(&o.Retry.Attempts, 3)
	orDefault(&o.Retry.Time, 3*time.Second)
	orDefault(&o.Retry.Base, 100*time.Millisecond)
	orDefault(&o.Retry.Max, max(time.Second, o.Retry.Base))
	orDefault(&o.Retry.KeepBody, 64<<10)
	if o.Retry.Budget == nil {
		o.Retry.Budget = NewBudget(0, 0)
	}
	if o.Health != nil {
		h := *o.Health
		orDefault(&h.Interval, 5*time.Second)
		orDefault(&h.Timeout, 2*time.Second)
		orDefault(&h.Rise, 2)
		orDefault(&h.Fall, 3)
		if h.Statuses == nil {
			h.Statuses = []Statuses{{200, 399}}
		}
		o.Health = &h
	}
	return o
}

// validate reports all that is wrong with options that have their defaults.
func (o Options) validate() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("upstream %q: "+format, append([]any{o.Name}, args...)...))
		}
	}
	primaries := 0
	for _, t := range o.Targets {
		wrong(t.Weight < 0 || t.Weight > 1000, "target %s: weight %d is out of range; use 1 to 1000", t.URL, t.Weight)
		if !t.Backup {
			primaries++
		}
	}
	wrong(primaries == 0, "no target that is not a backup; give at least one")
	wrong(o.Balance > Hash, "balance %d is unknown", o.Balance)
	for name, d := range map[string]time.Duration{
		"queue time": o.QueueTime, "ejection time": o.Ejection.Time, "retry time": o.Retry.Time,
		"retry base": o.Retry.Base,
	} {
		wrong(d < 0, "%s %s is negative; use 0 for the default, or more", name, d)
	}
	wrong(o.Ejection.MaxTime < o.Ejection.Time, "longest ejection %s is less than the first, %s; raise it", o.Ejection.MaxTime, o.Ejection.Time)
	r := o.Retry
	wrong(r.Attempts < 1 || r.Attempts > maxAttempts, "%d attempts are out of range; use 1 to %d", r.Attempts, maxAttempts)
	wrong(r.Max < r.Base, "longest backoff %s is less than the first, %s; raise it", r.Max, r.Base)
	for status, row := range r.Rows {
		wrong(status != 0 && (status < 400 || status > 599), "retries for status %d: only those from 400 to 599 can be retried, and 0 for connection failures", status)
		wrong(row > Backoff, "retries for status %d: way %d is unknown", status, row)
	}
	if h := o.Health; h != nil {
		_, err := url.Parse("http://host" + h.Path)
		wrong(!strings.HasPrefix(h.Path, "/") || err != nil, "health check of %q: want a path that begins with /, as it is sent", h.Path)
		wrong(h.Interval < 0 || h.Timeout < 0, "health checks each %s, for %s: neither can be negative", h.Interval, h.Timeout)
		wrong(h.Rise < 0 || h.Fall < 0, "health checks with rise %d and fall %d: neither can be negative", h.Rise, h.Fall)
		for _, s := range h.Statuses {
			wrong(s.First < 100 || s.Last > 599 || s.First > s.Last, "health check for statuses %d to %d: want a range within 100 to 599", s.First, s.Last)
		}
	}
	return errors.Join(errs...)
}
