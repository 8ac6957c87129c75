package origin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Error is what RoundTrip, and reading a body, fail with.
type Error struct {
	Failure    Failure
	Target     string        // host and port, or the path of a Unix socket; "" if no target was chosen
	RetryAfter time.Duration // of Busy and Unavailable: when to come again; 0 if that is not known
	Err        error         // beneath it; may be nil
}

func (e *Error) Error() string {
	text := e.Failure.String()
	if e.Err != nil {
		text = e.Err.Error()
	}
	if e.Target == "" {
		return text
	}
	return e.Target + ": " + text
}

func (e *Error) Unwrap() error { return e.Err }

// failed is an Error in words; %w wraps.
func failed(f Failure, format string, args ...any) error {
	return &Error{Failure: f, Err: fmt.Errorf(format, args...)}
}

// invalid is the failure of an origin that does not speak HTTP as it should.
func invalid(format string, args ...any) error { return failed(Invalid, format, args...) }

// timedOut is the failure of an origin that is too slow.
func timedOut(f Failure, what string, limit time.Duration) error {
	return failed(f, "%s %s: %w", what, limit, os.ErrDeadlineExceeded)
}

// at names the target of an error.
func at(target string, err error) error {
	known, ok := err.(*Error)
	if !ok {
		return &Error{Failure: Classify(err), Target: target, Err: err}
	}
	e := *known // others may hold it
	e.Target = target
	return &e
}

// ended is why a context has ended: its own error, and the cause if that is
// another. A cause that is an Error says it all.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if known, ok := cause.(*Error); ok {
		return known
	}
	f := Canceled
	if errors.Is(err, context.DeadlineExceeded) {
		f = Timeout
	}
	if err == cause {
		return &Error{Failure: f, Err: err}
	}
	return failed(f, "%w: %w", err, cause)
}
