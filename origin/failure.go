package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Failure is what went wrong between the proxy and an origin.
type Failure uint8

// The failures.
const (
	None        Failure = iota
	Unreachable         // no connection, or it was lost before an answer
	Timeout             // no connection or no answer in time
	Invalid             // an answer that is not valid HTTP
	Canceled            // we gave up ourselves: the client left, or the proxy stops
)

// fault is an error that knows its failure.
type fault struct {
	failure Failure
	text    string
	err     error // beneath it; may be nil
}

func (f *fault) Error() string {
	if f.err == nil {
		return f.text
	}
	return f.text + ": " + f.err.Error()
}

func (f *fault) Unwrap() error { return f.err }

// invalid is the fault of an origin that does not speak HTTP as it should.
func invalid(format string, args ...any) error {
	return &fault{failure: Invalid, text: fmt.Sprintf(format, args...)}
}

// timedOut is the fault of an origin that is too slow.
func timedOut(format string, args ...any) error {
	return &fault{Timeout, fmt.Sprintf(format, args...), os.ErrDeadlineExceeded}
}

// ended is why a context has ended: its own error, and the cause if that is another.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == cause {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// Classify names the failure behind an error of RoundTrip or of reading a body.
func Classify(err error) Failure {
	var known *fault
	var timeout net.Error
	var op *net.OpError
	switch {
	case err == nil:
		return None
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.As(err, &known):
		return known.failure
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return Timeout
	case errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EPIPE),
		errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return Unreachable
	}
	if strings.Contains(err.Error(), "server closed idle connection") { // net/http has no type for it
		return Unreachable
	}
	return Invalid
}
