// Package cacheproxy is the root of an HTTP caching reverse proxy: a shared
// cache after RFC 9111 that stands before one or more origin servers. The
// program is in cmd/cacheproxy; this package holds no code, only the overview
// and the test of the import rules.
//
// # Flow
//
// policy judges, cache keeps, revalidate fetches, proxy serves.
//
// A request comes in through server (sockets, TLS, the fast lane for plain
// hits) and proxy (everything else). The stored entry is looked up in cache,
// policy decides from the request, the stored facts and the time what to do
// with it, and names the reason. What has to come from the origin comes
// through revalidate: one flight per key, shared by everyone who may share it.
// Policy also decides what of a response may be kept. At the end one outcome
// per request feeds the Cache-Status header, the log and the metrics.
//
// # Packages
//
//	cmd/cacheproxy  commands, flags, wiring, signals; the only package that knows all others
//	config          one documented struct: defaults, file, environment, validation
//	server          client-side sockets: listeners, TLS, the fast lane, HTTP/2, draining
//	proxy           one request through the cache
//	policy          RFC 9111 as pure functions: facts and a time in, a decision and a reason out
//	cache           cost-bounded store with two engines; knows bytes and keys, not HTTP
//	memory          keeps the process within its bound
//	revalidate      flights to the origin: fetch, collapse, validate, refresh
//	origin          upstreams: transport, pools, retries
//	admin           operator side on its own listener: health, metrics, purge
//	bench           traces, workloads, load driver, simulator, recorded results
//	internal        support for tests, and the tests of the whole program
//
// Imports run downward only; arch_test.go holds the rule.
//
// # Scope
//
// A private cache, a forward proxy and a web server are not in scope. The
// store is memory only and may forget an entry at any time.
//
// Start reading at policy, then proxy, revalidate and cache.
package cacheproxy
