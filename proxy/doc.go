// Package proxy takes one request through the cache: it asks the policy,
// switches over the decision, and writes the response.
//
// # Flow
//
// [Proxy.ServeHTTP] makes an exchange of the request and accepts it: the host
// and path that count, the route, the rules that apply, the facts, the key. What must not touch the cache is passed on.
// For the rest [policy.Judge] decides, and each action has its function:
// serveEntry, fetch, fail. The [Outcome] says what was done and why; it is
// emitted once and feeds Cache-Status, log and metrics.
//
// # Scope
//
// No judgement is made here, and no origin is spoken to but through package
// revalidate. TLS, listeners and limits belong to the server.
package proxy
