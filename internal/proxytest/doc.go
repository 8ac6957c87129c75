// Package proxytest plays behaviour scripts: a scripted origin, scripted
// clients and a clock around a real proxy, joined by pipes, in the virtual
// time of a testing/synctest bubble.
//
// # Scripts
//
// A script is a text of statements, one a line. Columns are separated by two
// or more spaces, or a tab; a line that begins with white space goes on with
// the statement before it; # begins a line of comment. A script ends at the
// first statement that does not hold, with file, line, and what was expected.
//
//	config  ttl 10s  set_cookie strip            settings, named as in the configuration file
//	config  rate_limit 10 20 100                 requests a second, at once, clients; then a field
//	config  path /img/*  ttl 1h                  a rule: path, host and type come first
//	origin  GET /a  200  etag: "x"  body hello   what the origin answers from now on
//	origin  saw 2  GET /a  if-none-match = "x"   requests received so far; the last of them
//	origin  dropped 1                            answers that the proxy did not take to their end
//	origin  down | up                            connections are refused, or not
//	origin  busy 5s | unavailable 5s             it has no capacity, or no server, for so long; until up
//	client  GET /a  accept: x  expect 200  age = 0
//	client  ann  GET /a  expect 200              on a connection of her own, which is kept
//	start   ann  GET /a                          does not wait for the answer
//	peek    ann  expect 200  body = he           what she has got so far
//	reads   ann  100000                          takes so many bytes of the body by now
//	wait    ann  expect 200  body = hello        the whole answer
//	send    ann  ping                            bytes on her connection
//	leave   ann                                  closes it
//	clock   +11s
//
// # The origin
//
// The columns after the request line are done in their order. Before the
// status: "once" (for one request only, in the order written), "if name: value"
// and "if no name" (which requests), "unread" (answer before the content was
// read), "interim 103 name: value". After it: fields, then "body text",
// "bytes 5000", "trailer name: value". Anywhere: "delay 30s", "hang", "break"
// (close the connection), "raw text", "echo". The last answer that fits is
// taken; * stands for any method or path. Content-Length and Date are added
// unless given or denied ("no date"); "chunked", "close" and "http/1.0" change
// the framing.
//
// # The clients
//
// Before "expect" come fields, "body text", "bytes 5000", "chunked", "trailer
// name: value", "http/1.0", "raw text", "no host", "from 10.0.0.1" and "reads
// 5": take so many bytes of the body, and no more until "reads" or "wait". Host is
// example.com. After it: a status, and
//
//	name = text    name != text    name ~ part    name !~ part    name    no name
//
// where a name is that of a field or one of: body, bytes (as in "bytes 5000",
// "= 5000" or a span "= 10-19"), parts, interim, trailer.NAME, version,
// connection; and of the outcome: action, reason, refused, stored, collapsed,
// aborted, result, key, route, target, error,
// from, fwd-status, logged (its status), sent (bytes). The words "waiting" (no answer yet),
// "unfinished", "broken" and "closed" say how far the answer is or how it
// ended; without one it must be complete. A field that comes twice is joined by
// a comma.
//
// In all values {now}, {now+10s} and {-10s} (before the start of the script)
// become HTTP dates; in text for the wire \r, \n, \t and \s (space) are escapes.
// {20000*a} is so many times a.
package proxytest
