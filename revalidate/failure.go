package revalidate

import (
	"errors"
	"fmt"
	"time"

	"cacheproxy/origin"
	"cacheproxy/policy"
)

// Failure is the error of a job that got no response from the origin, or one
// for which a stale response may stand in.
type Failure struct {
	Reason     policy.Reason
	Status     int            // the origin's, when it answered
	Kind       origin.Failure // what went wrong; None when the origin answered with an error of its own
	Target     string         // host and port, or socket, of the server; empty if none was chosen
	RetryAfter time.Duration  // when the origin may be asked again; 0 = not known
	Err        error
}

func (f *Failure) Error() string {
	if f.Err != nil {
		return f.Reason.String() + ": " + f.Err.Error()
	}
	return f.Reason.String()
}

func (f *Failure) Unwrap() error { return f.Err }

// unusable is an answer that cannot be that to the request.
type unusable struct {
	status int
	target string
	text   string
}

func (u *unusable) Error() string { return fmt.Sprintf("status %d: %s", u.status, u.text) }

// failureOf turns an error of an exchange into what a client is told: 502 when
// there was no connection or no valid answer, 504 when there was none in time, 503
// when there was no capacity to ask.
func failureOf(err error) *Failure {
	out := &Failure{Reason: policy.OriginInvalid, Kind: origin.Classify(err), Err: err}
	switch {
	case out.Kind == origin.Canceled:
		out.Reason = policy.ClientGone
	case out.Kind == origin.Unavailable:
		out.Reason = policy.OriginDown
	case out.Kind.NoCapacity():
		out.Reason = policy.OriginBusy
	case out.Kind.TimedOut():
		out.Reason = policy.OriginTimeout
	case out.Kind.Unreachable():
		out.Reason = policy.OriginUnreachable
	}
	var known *origin.Error
	if errors.As(err, &known) {
		out.Target, out.RetryAfter = known.Target, known.RetryAfter
	}
	var answer *unusable
	if errors.As(err, &answer) {
		out.Kind, out.Status, out.Target = origin.Invalid, answer.status, answer.target
	}
	return out
}

// ErrorType returns the error type (RFC 9209, 2.3) of an origin's failure; empty
// when it was not the origin that failed.
func ErrorType(err error) string {
	var known *origin.Error
	if !errors.As(err, &known) || known.Failure == origin.Canceled {
		return ""
	}
	return known.Failure.String()
}
