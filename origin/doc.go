// Package origin is the way to the servers behind the proxy: one [Origin] is
// a base URL with its connection pool and timeouts. It sends a request as it
// is given and returns the answer as it came; what an error means for the
// client is in its [Failure].
package origin
