package origin

import (
	"context"
	"errors"
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

// Classify names the failure behind an error of RoundTrip or of reading a body.
func Classify(err error) Failure {
	var timeout net.Error
	var op *net.OpError
	switch {
	case err == nil:
		return None
	case errors.Is(err, context.Canceled):
		return Canceled
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
