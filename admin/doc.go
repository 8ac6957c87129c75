// Package admin is the operator's side of the proxy: metrics, health, profiles
// and the access log. It has a listener of its own and never sees a client.
//
// # Flow
//
// Every request ends in a [proxy.Outcome]. [Metrics] counts it and [Log] may
// write a line for it; neither keeps it. [New] serves what operators ask for:
//
//	/healthz        200 while the process runs
//	/readyz         200, or 503 and why no requests should be sent here
//	/metrics        Prometheus text; docs/metrics.md defines each name
//	/api/upstreams  the servers of all upstreams as JSON; see [TargetState]
//	/api/purge      POST: throws stored responses away
//	/api/purges     the last purges
//	/api/refresh    POST: URLs to fetch anew; see [RefreshRequest]
//	/api/snapshot   all that is stored, as package snapshot has it; POST: load it
//	/api/explain    POST: puts a request through the proxy, and explains what came of it
//	/debug/pprof    Go's profiles, when switched on
//
// # Scope
//
// Nothing here changes what the proxy does, but what is stored can be thrown away, fetched
// anew, saved and loaded. There is no TLS on this side: an
// address that other machines can reach needs a token, which package config
// sees to, and a network that may be listened to needs a tunnel. With a token, only /healthz
// and the verdict of /readyz are open to everybody, for the probes of load
// balancers. Requests that a page of another site may have caused are refused;
// without a token, so are those that call this machine by another name than
// localhost, 127.0.0.1 or [::1].
package admin
