// Package lint finds, in passing, what origins could say better in the headers of
// their responses.
//
// # Flow
//
// [Linter.Observe] gets every response of an origin; answers from the store say
// nothing new. [Check] looks at one response by itself. What only several of them
// show, such as a Vary or a parameter that makes a new variant of every request,
// is estimated in small tables. [Linter.Findings] returns what was found, what
// costs the most first.
//
// # Scope
//
// Pure but for a lock: no I/O, no goroutines, no clock. Memory is bounded by about
// 4 MiB: tables of a fixed size, in which a newcomer takes the place of another, and
// at most [MostFindings] findings. So counts of what happens per URL are estimates
// from below. Nothing is changed or decided by findings.
package lint
