// Package origin is the way to the servers behind the proxy: one [Origin] is
// a base URL with its kept connections and timeouts. It sends a request as it
// is given and returns the answer as it came; what an error means for the
// client is in its [Failure].
//
// # Flow
//
// HTTP/1.1 is spoken by a client of our own (client.go), over TCP, a Unix socket
// or TLS. It writes the head of the request (request.go) to a kept connection
// (pool.go) or a new one (dial.go, spread.go), and reads the answer in the goroutine
// of the caller, in clear on Linux both in one turn at the socket (ask_linux.go): the
// head (head.go), where the body ends (framing.go), and the body as the caller asks
// for it (body.go, chunks.go). Only the content of a request has a goroutine
// (upload.go), since an origin may answer before it has all of it. What is not
// valid HTTP is refused, not repaired.
//
// An origin of scheme https chooses between HTTP/1.1 and HTTP/2 when TLS is made
// (secure.go). HTTP/2 is left to net/http, under watch (http2.go, content.go,
// stream.go).
//
// The addresses of a name are looked up for each new connection, and in the
// background while there are connections (names.go).
//
// # Scope
//
// No redirects, cookies, content codings or proxies; no method CONNECT; no
// transfer coding but chunked; no HTTP/2 in clear; no limit on connections in use.
package origin
