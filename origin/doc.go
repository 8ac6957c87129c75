// Package origin is the way to the servers behind the proxy: one [Origin] is
// a base URL with its kept connections and timeouts. It sends a request as it
// is given and returns the answer as it came; what an error means for the
// client is in its [Failure].
//
// # Flow
//
// An origin of scheme http is reached by a client of our own (client.go). It
// writes the head of the request (request.go) to a kept connection (pool.go) or
// a new one, and reads the answer in the goroutine of the caller, on Linux both in
// one turn at the socket (ask_linux.go): the head
// (head.go), where the body ends (framing.go), and the body as the caller asks
// for it (body.go, chunks.go). Only the content of a request has a goroutine
// (upload.go), since an origin may answer before it has all of it. What is not
// valid HTTP is refused, not repaired. An origin of scheme https is reached by
// net/http (secure.go).
//
// # Scope
//
// No redirects, cookies, content codings or proxies; no method CONNECT; no
// transfer coding but chunked; no limit on connections in use.
package origin
