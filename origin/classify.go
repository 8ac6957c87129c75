package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Classify names the failure behind an error: that of an [Error], and for
// others, of the network or of a context, what it would be before a response head.
func Classify(err error) Failure {
	var known *Error
	var timeout net.Error
	switch {
	case err == nil:
		return None
	case errors.As(err, &known):
		return known.Failure
	case errors.Is(err, context.Canceled), errors.Is(err, http.ErrBodyReadAfterClose):
		return Canceled
	}
	if f := connecting(err); f != None {
		return f
	}
	if f := securing(err); f != None {
		return f
	}
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return Timeout
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return Terminated
	}
	return Invalid
}

// connecting names a failure to make a connection, None for another one.
func connecting(err error) Failure {
	var name *net.DNSError
	var op *net.OpError
	switch dial := errors.As(err, &op) && op.Op == "dial"; {
	case errors.As(err, &name) && name.Timeout():
		return DNSTimeout
	case errors.As(err, &name):
		return DNS
	case isAny(err, syscall.ECONNREFUSED):
		return Refused
	case isAny(err, syscall.EHOSTUNREACH, syscall.ENETUNREACH):
		return Unroutable
	case !dial:
		return None
	case isAny(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL, syscall.EAGAIN):
		return Busy // no more files or ports, or the queue of a Unix socket is full
	case op.Timeout():
		return ConnectTimeout
	case isAny(err, syscall.ECONNRESET, syscall.EPIPE):
		return Terminated
	}
	return Refused
}

// securing names a failure of TLS, None for another one.
func securing(err error) Failure {
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &cert):
		return TLSCertificate
	case errors.As(err, &record):
		return TLSProtocol
	case errors.As(err, &op) && op.Op == "remote error":
		return TLSAlert
	case errors.As(err, &op) && op.Op == "local error":
		return TLSProtocol
	}
	return None
}

func isAny(err error, codes ...syscall.Errno) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
