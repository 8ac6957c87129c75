// Package policy is RFC 9111 as pure functions: facts and a time in, a
// decision and a reason out.
//
// # Flow
//
// A request becomes a [Request], a response of the origin a [Response]; both
// are parsed once. [Judge] looks at a request and what is stored for its URL
// and says what to do ([Decision]). When the origin has answered, [Admit] says
// whether the answer may be kept and computes everything that later judgements
// need ([Stored]), so that a hit never parses a response header again.
// [OnError] says whether a stale response may stand in for an origin that
// failed, [Freshen] which stored responses a 304 or a HEAD updates, and
// [Invalidates] what an unsafe request makes invalid.
//
// Every answer carries a [Reason]; one table gives its name, its RFC clause
// and the sentence that explains it.
//
// # Scope
//
// A shared cache. No I/O, no clock, no goroutines: time is always an argument.
// Where the RFC leaves a choice, [Rules] holds it. Not supported: storing
// multipart/byteranges, caching of CONNECT, TRACE and of methods other than
// GET, HEAD and (with Content-Location) POST.
package policy
