// Package explain tells why a request was, or was not, answered from the store.
//
// # Flow
//
// [Run] puts a request through a proxy in the same process, with a trace, and
// makes a [Report] of it: the steps as a person would tell them, what came of it,
// what is stored now, and what to change to get another result. [Offline] does
// the same with a proxy of its own, straight at the origin. [Ring] keeps the
// traces of the latest requests that asked for one.
//
// # Scope
//
// Nothing is decided or found out here: package policy has the steps, their
// sentences and the advice, and the code that decides notes them.
package explain
