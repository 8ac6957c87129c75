// Package h2 is the server's side of HTTP/2 (RFC 9113), for a proxy that
// answers most requests from memory. Frames and HPACK are those of
// golang.org/x/net; what is here is the connection, its streams, and what they
// may cost.
//
// # Flow
//
// One goroutine reads a connection. What [Server.Hit] can answer it answers at
// once: header and content go to the connection's buffer, and the buffer is
// written when nothing more has arrived, so that requests which came together
// are answered together. Every other request gets a goroutine that runs
// [Server.Handler]; what it writes goes to the same buffer.
//
// Content that does not fit in the client's windows or in the buffer waits in a
// queue, from which the streams are served in turn, a frame each.
//
// A write may block when the client does not read. The goroutine that reads
// then stays with its write, and another one goes on reading: a client whose
// own writes block may have to be read from before it reads.
//
// # Scope
//
// No server push, no extended CONNECT, no priorities (RFC 9218), no upgrade from
// HTTP/1.1; content types are not guessed. Frames are sent with at most 16 KiB,
// which every client takes.
package h2
