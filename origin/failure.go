package origin

// Failure is what went wrong between the proxy and an origin, as fine as the
// error types of RFC 9209, 2.3.
type Failure uint8

// The failures.
const (
	None           Failure = iota
	Canceled               // we gave up ourselves: the client left or broke its content off, or the proxy stops
	Unsendable             // the request cannot be sent as HTTP; the origin has not seen it
	DNS                    // no address for the name
	DNSTimeout             // none in time
	Refused                // no connection, as nobody listens
	Unroutable             // no way to the address
	ConnectTimeout         // no connection, or no TLS on it, in time
	TLSCertificate         // a certificate that is not to be trusted
	TLSProtocol            // no TLS, or none that we speak
	TLSAlert               // the origin ended TLS, for example as it wants another client certificate
	Terminated             // the connection was lost before the response head, or amid it
	Unavailable            // no target is up, or all want to be left alone
	Busy                   // no capacity: of ours, or of all targets
	Timeout                // no response head in time, or not all of the response in the total time
	ReadTimeout            // no byte of the body for too long
	WriteTimeout           // nothing of the request's content taken for too long
	Invalid                // an answer that is not valid HTTP
	HeadTooLarge           // a response head over the limit
	TransferCoding         // framing of the body that is unknown or broken
	Incomplete             // the body ended before its time
	failureCount
)

// group is what failures have in common: the status that tells of them.
type group uint8

const (
	invalidAnswer group = iota // 502
	noConnection               // 502
	late                       // 504
	noCapacity                 // 503
	ours                       // no answer to tell of
)

var failures = [failureCount]struct {
	name  string // RFC 9209, 2.3
	group group
}{
	None:           {"", ours},
	Canceled:       {"canceled", ours}, // not of the RFC
	Unsendable:     {"proxy_internal_error", invalidAnswer},
	DNS:            {"dns_error", noConnection},
	DNSTimeout:     {"dns_timeout", late},
	Refused:        {"connection_refused", noConnection},
	Unroutable:     {"destination_ip_unroutable", noConnection},
	ConnectTimeout: {"connection_timeout", late},
	TLSCertificate: {"tls_certificate_error", noConnection},
	TLSProtocol:    {"tls_protocol_error", noConnection},
	TLSAlert:       {"tls_alert_received", noConnection},
	Terminated:     {"connection_terminated", noConnection},
	Unavailable:    {"destination_unavailable", noCapacity},
	Busy:           {"connection_limit_reached", noCapacity},
	Timeout:        {"http_response_timeout", late},
	ReadTimeout:    {"connection_read_timeout", late},
	WriteTimeout:   {"connection_write_timeout", late},
	Invalid:        {"http_protocol_error", invalidAnswer},
	HeadTooLarge:   {"http_response_header_section_size", invalidAnswer},
	TransferCoding: {"http_response_transfer_coding", invalidAnswer},
	Incomplete:     {"http_response_incomplete", noConnection},
}

// String is the error type of RFC 9209, 2.3: "" for None, and for Canceled, of
// which nobody is told, "canceled".
func (f Failure) String() string {
	if f >= failureCount {
		return failures[Unsendable].name
	}
	return failures[f].name
}

// Unreachable reports whether there was no connection, or it was lost: 502.
func (f Failure) Unreachable() bool { return f < failureCount && failures[f].group == noConnection }

// TimedOut reports whether the origin was too slow: 504.
func (f Failure) TimedOut() bool { return f < failureCount && failures[f].group == late }

// NoCapacity reports whether the request had to be turned away: 503.
func (f Failure) NoCapacity() bool { return f < failureCount && failures[f].group == noCapacity }
