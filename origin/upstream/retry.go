package upstream

import (
	"net/http"
	"time"

	"cacheproxy/origin"
)

// Row is what is done about an answer.
type Row uint8

// The rows of the table.
const (
	Never           Row = iota
	Now                 // sent again at once, on a new connection
	AfterRetryAfter     // sent again after Retry-After, if the wait is not too long; without that field as Backoff
	Backoff             // sent again after a wait: random, and up to twice as long each time
)

// connection is the row of failures to get any answer.
const connection = 0

// table is what is done about each status where the options do not say otherwise.
func table(changes map[int]Row) (rows [600]Row) {
	rows[http.StatusRequestTimeout] = Now
	rows[http.StatusTooManyRequests] = AfterRetryAfter
	rows[http.StatusServiceUnavailable] = AfterRetryAfter
	rows[http.StatusBadGateway] = Backoff
	rows[http.StatusGatewayTimeout] = Backoff
	rows[connection] = Backoff
	for status, row := range changes {
		rows[status] = row
	}
	return rows
}

// outcome is what came of one try.
type outcome struct {
	resp    *http.Response // nil after a failure
	failure origin.Failure
	took    time.Duration
}

func (u *Upstream) row(o outcome) Row {
	if o.resp == nil {
		if !o.failure.Unreachable() && !o.failure.TimedOut() || o.failure == origin.WriteTimeout {
			return Never
		}
		return u.rows[connection]
	}
	if o.resp.StatusCode >= len(u.rows) {
		return Never
	}
	return u.rows[o.resp.StatusCode]
}

// again decides whether a request is sent again after an outcome with a row other
// than Never, and how long it waits before. The target is left alone if it has asked
// for that, unless this request waits it out.
func (u *Upstream) again(t *trip, c *target, o outcome) (time.Duration, bool) {
	row := u.row(o)
	asked, told := time.Duration(0), false
	if row == AfterRetryAfter && o.resp != nil {
		asked, told = retryAfter(o.resp.Header, time.Now())
	}
	var off *target // it will not be asked meanwhile
	if told {
		off = c
	}
	another := u.another(t, off)
	wait := asked
	switch {
	case told && another, row == Now, unsent(o.failure) && another:
		wait = 0
	case !told:
		wait = time.Duration(u.jitter(int64(doubled(u.o.Retry.Base, u.o.Retry.Max, len(t.had)-1)) + 1))
	}
	ok := u.may(t, o, another) && t.fits(u.o.Retry.Time, wait, o.waste(another)) && (another || u.upIn(wait)) &&
		t.content.repeatable() && u.budget.take() && t.content.rewind()
	if told && (another || !ok) {
		c.hold(asked)
	}
	t.anew = row == Now
	return wait, ok
}

// may reports whether the request can be sent again after an outcome, by what its
// method means (RFC 9110, 9.2.2): if nothing was sent, if sending it twice is like
// sending it once, or if the status says that nothing was done and that is believed.
func (u *Upstream) may(t *trip, o outcome, another bool) bool {
	switch {
	case len(t.had) >= u.o.Retry.Attempts, t.r.Context().Err() != nil:
		return false
	case o.failure == origin.Timeout && !another: // who was too slow is not asked the same again
		return false
	case o.resp == nil && unsent(o.failure), idempotent(t.r.Method):
		return true
	case !u.o.Retry.Unsafe || o.resp == nil:
		return false
	}
	switch o.resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	}
	return false
}

// idempotent reports whether a method is (RFC 9110, 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// unsent reports whether a failure came before any of the request was sent.
func unsent(f origin.Failure) bool {
	switch f {
	case origin.DNS, origin.DNSTimeout, origin.Refused, origin.Unroutable, origin.ConnectTimeout, origin.TLSCertificate:
		return true
	}
	return false
}

// waste is how much of the time for waiting a timeout has taken. To have found no
// connection in time is no reason not to try another target.
func (o outcome) waste(another bool) time.Duration {
	if !o.failure.TimedOut() || unsent(o.failure) && another {
		return 0
	}
	return o.took
}

// fits reports whether there is time for a wait, and takes note of it.
func (t *trip) fits(most, wait, waste time.Duration) bool {
	if end, ok := t.r.Context().Deadline(); ok && time.Until(end) <= wait || t.waited+wait+waste > most {
		return false
	}
	t.waited += wait + waste
	return true
}
