// Package workload makes the requests of a load test: synthetic ones after a
// [Spec], or those of a trace or access log ([FromTrace]).
//
// A synthetic workload is a line of text, so that a report can name it and
// anyone can run it again: the same line gives the same requests, on every
// machine. Most users need no more than a preset and a setting or two:
//
//	web
//	churn,footprint=4GiB
//	cdn,ranges=0.2,seed=7
//
// Bodies, validators and variants are those of package testorigin.
//
// # Scope
//
// When a request is sent is the driver's business. Sizes are independent of
// popularity. Bodies of requests are empty.
package workload

import "cacheproxy/bench/testorigin"

// Field is a field of a request.
type Field struct{ Name, Value string }

// Request is one request to be sent.
type Request struct {
	Method string  // GET, HEAD or POST
	Host   string  // "" = that of the target URL
	Target string  // path and query
	Header []Field // in order; shared with other requests, not to be changed
	// Size of the whole representation before any encoding, in bytes.
	Size int64
	// Object is what a body of the built-in origin holds, after decoding; it
	// differs for each host, target and language.
	Object testorigin.Content
}

// Source yields the requests of a workload, one after the other. It is not safe
// for concurrent use.
type Source interface {
	// Next returns the next request; false when a trace has ended. A synthetic
	// workload never ends.
	Next() (Request, bool)
}
