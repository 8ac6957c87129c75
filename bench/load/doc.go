// Package load sends the requests of a workload to an HTTP server and measures
// what comes back: latencies, hits and misses, errors.
//
// # Flow
//
//	Run        warm-up, reset of all counters, measured part, report
//	feed       gives out requests until a limit is reached
//	closed     each connection sends its next request when the last was answered
//	open       requests are due at fixed times, whatever became of those before
//	exchange   one request and its response: sent, read, checked, judged
//	recorder   adds samples up, into one table and one series
//
// # Scope
//
// Latency ends with the last byte of the content. Failed requests are counted,
// and are not in the latencies. Redirects are not followed, cookies not kept,
// contents not decoded.
package load
