package load

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"

	"cacheproxy/origin"
)

// Failure is a way in which a request can fail.
type Failure uint8

// The failures.
const (
	none         Failure = iota
	Connect              // no connection, or no TLS on it
	Timeout              // no complete response in time
	Reset                // the connection was lost before the response
	ShortBody            // the content broke off
	WrongContent         // another content, or one of another length
	BadStatus            // 5xx, or one that the built-in origin would not give
	Protocol             // not valid HTTP
	Queue                // not sent: no connection was free for the whole timeout
	failureCount
)

var failureNames = [failureCount]string{"", "connect", "timeout", "reset", "short body", "wrong content", "status", "protocol", "queue"}

// String is the name of the failure in reports.
func (f Failure) String() string { return failureNames[f] }

// sent reports whether the target may have seen the request.
func (f Failure) sent() bool { return f != Connect && f != Queue }

// failureOf names the failure behind an error before the content.
func failureOf(err error) Failure {
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case err == nil:
		return none
	case errors.As(err, &op) && op.Op == "dial", errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert):
		return Connect
	case errors.Is(err, context.Canceled):
		return Timeout // those of an abort are not asked about
	}
	switch f := origin.Classify(err); {
	case f.TimedOut():
		return Timeout
	case f.Unreachable():
		return Reset
	}
	// net/http has no types for these.
	for _, text := range []string{"stream error", "GOAWAY", "client connection lost", "client connection force closed"} {
		if strings.Contains(err.Error(), text) {
			return Reset
		}
	}
	return Protocol
}

// bodyFailure names the failure behind an error amid the content.
func bodyFailure(err error) Failure {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ShortBody
	}
	return failureOf(err)
}
