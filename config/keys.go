package config

import (
	"regexp"
	"strings"
)

// key describes one key for docs/config.md and for hints in errors. Defaults come
// from Default; unset tells what holds when a key without a default is absent.
type key struct {
	path    string
	meaning string
	values  string // unit and range
	unset   string
	example string // a value; for rules[] the lines of a rule
}

var keys = []key{
	{path: "origin", meaning: "Where requests go: the short form, one route for everything that no entry of `routes` takes.", values: "URL, `http` or `https`, without path; `unix:/path` of a socket; or the name of an entry of `upstreams`", unset: "none; this or `routes` is needed", example: "http://127.0.0.1:3000"},
	{path: "listen", meaning: "Address for clients.", values: "`host:port`; `:port` is every interface", example: `":8080"`},
	{path: "tls.listen", meaning: "Address for clients over TLS, beside `listen`: HTTP/1.1 and HTTP/2.", values: "`host:port`; `:port` is every interface", unset: "none, no TLS", example: `":8443"`},
	{path: "tls.certificates", meaning: "PEM files of the certificates: `cert` with what stands between it and its root, and its `key`, which may be in the same file. The client's name for us (SNI) chooses: exact, then wildcard, else the first. Changed files come to use without a restart. Flags and environment give one, in place of the list.", values: "list of at most 256 `{cert: FILE, key: FILE}`", unset: "none", example: "[{cert: /etc/cacheproxy/cert.pem, key: /etc/cacheproxy/key.pem}]"},
	{path: "tls.self_signed", meaning: "For development: a CA, kept in the user's configuration folder, makes certificates for any name. Contradicts `tls.certificates`.", values: "`true`, `false`", example: "true"},
	{path: "fast_lane", meaning: "Answer plain requests for what is fresh on the shortest way. `false` sends every request to the handler, and over HTTP/1.1 through `net/http`: for comparison and trouble shooting.", values: "`true`, `false`", example: "false"},
	{path: "admin.listen", meaning: "Address of the operator's side: health and metrics.", values: "`host:port`, or `off` for none", example: "127.0.0.1:8081"},
	{path: "admin.token", meaning: "What operators send as `Authorization: Bearer`. Needed when `admin.listen` can be reached from other machines.", values: "visible ASCII, no spaces", unset: "none", example: "s3cret-of-the-operators"},
	{path: "admin.debug_token", meaning: "Clients that send it as `Cacheproxy-Debug` get the key, and how the request was decided, in the response.", values: "visible ASCII, no spaces", unset: "none", example: "s3cret-of-the-developers"},
	{path: "admin.pprof", meaning: "Serve Go's profiles under `/debug/pprof/` of the operator's side.", values: "`true`, `false`", example: "true"},
	{path: "admin.objective", meaning: "Availability that is promised: the share of requests that get no 5xx. Error budget and burn rate are judged by it.", values: "above 0, below 1", example: "0.9995"},
	{path: "profile", meaning: "What is stored when no rule says otherwise. `default` is careful: other 4xx and 5xx never, no response with Set-Cookie. `rfc9111` stores and reuses all that the RFCs let a shared cache reuse.", values: "`default`, `rfc9111`", example: "rfc9111"},
	{path: "drain_timeout", meaning: "How long a stop waits for requests under way.", values: "duration, `0s` to `1h`", example: "10s"},
	{path: "cache.size", meaning: "Memory for the store, with keys, headers and bookkeeping. The whole process takes up to 15 % and 64 MiB more; what connections need beyond that is taken from the store, down to a quarter of its size; then the slowest transfers are ended.", values: "size, `1MiB` to `1TiB`; or a share of the memory of the container or machine, `1%` to `80%`", example: "2GiB"},
	{path: "cache.engine", meaning: "What is kept when there is no room for all. `ristretto` keeps what is asked for often. `gdsf` also looks at the size, keeps more small objects for it, and answers more requests.", values: "`ristretto`, `gdsf`", example: "gdsf"},
	{path: "cache.size_exponent", meaning: "For `gdsf`: how much the size counts. `0`: not at all, for the fewest bytes from the origin; `1`: fully, for the fewest requests to it.", values: "0 to 1", example: "0.25"},
	{path: "cache.max_object", meaning: "Largest body that is stored; larger ones are only passed on.", values: "size, 1 byte to `cache.size`", example: "16MiB"},
	{path: "cache.max_variants", meaning: "Variants (`Vary`) kept per URL.", values: "1 to 1024", example: "16"},
	{path: "snapshot.file", meaning: "File that keeps the cache over a restart: loaded at the start, before clients are served, and written at the stop, after the drain. Only its owner can read it, as it holds all that is stored. What is purged is noted beside it, in a file with `.purged` at the end of its name, so that it does not come back after a crash of the process (should the machine fail, the last seconds of that file may be lost); what unsafe requests invalidated since it was written last does.", values: "file path", unset: "none", example: "/var/lib/cacheproxy/cache.snapshot"},
	{path: "snapshot.every", meaning: "Also write the file so often while the proxy runs, for what a crash would lose.", values: "duration, `0s` (never) or `10s` to `24h`", example: "10m"},
	{path: "access_log.mode", meaning: "What is logged: nothing; one of `sample` requests and every 5xx; or every request.", values: "`off`, `sampled`, `full`", example: "full"},
	{path: "access_log.format", meaning: "One JSON object a line, or Apache's combined format.", values: "`json`, `combined`", example: "combined"},
	{path: "access_log.sample", meaning: "In mode `sampled`, one of so many requests is logged.", values: "1 to 1000000", example: "1000"},
	{path: "access_log.output", meaning: "Where the lines go.", values: "`stdout`, `stderr`, or a file path", example: "/var/log/cacheproxy/access.log"},
	{path: "tracing.endpoint", meaning: "Collector for traces of requests (OpenTelemetry, OTLP over HTTP in protobuf). The trace of `traceparent` is taken over, and passed on to the origin. `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_BSP_*`, `OTEL_SPAN_*_LIMIT`, `OTEL_ATTRIBUTE_*_LIMIT` and `OTEL_EXPORTER_OTLP_HEADERS` in the environment count too.", values: "URL, `http` or `https`; without path it is `/v1/traces`", unset: "none, no traces", example: "http://127.0.0.1:4318"},
	{path: "tracing.sample", meaning: "Share of requests that are traced. Peers in `trusted_proxies` decide for theirs, with the sampled flag of `traceparent`; of others only the ID of the trace is believed.", values: "0 to 1", example: "1"},
	{path: "headers.cache_status", meaning: "Name of this cache in `Cache-Status` (RFC 9211).", values: "name that begins with a letter", example: "edge-1"},
	{path: "headers.x_cache_status", meaning: "Also send `X-Cache-Status: HIT`, `MISS`, and so on.", values: "`true`, `false`", example: "true"},
	{path: "headers.via", meaning: "Pseudonym in `Via` and `CDN-Loop`; a request that already carries it is a loop.", values: "token", unset: "`cacheproxy-` and a random number, new at every start", example: "edge-1"},
	{path: "headers.debug_key", meaning: "Show the cache key in `Cache-Status`.", values: "`true`, `false`", example: "true"},
	{path: "headers.server_timing", meaning: "Also send `Server-Timing`: what the cache did, how long the origin took, and the whole.", values: "`true`, `false`", example: "true"},
	{path: "headers.underscores", meaning: "Pass on request fields with `_` in their names. Origins of CGI, WSGI or PHP cannot tell them from those with `-`: a client could change by `Accept_Language` what others get for `Vary: Accept-Language`.", values: "`true`, `false`", example: "true"},
	{path: "trusted_proxies", meaning: "Peers whose `Forwarded`, `X-Forwarded-*` and `X-Request-ID` are believed. `X-Forwarded-Proto` and `X-Forwarded-Host` of such peers give scheme and host of the request: for key, routes and rules.", values: "list of addresses and CIDRs", unset: "nobody", example: "[10.0.0.0/8, 192.0.2.7]"},
	{path: "purge_from", meaning: "Clients that may use the methods PURGE, PURGEKEYS and PURGETAGS; `[]` is nobody. With a server before this one that adds no `Via`, `Forwarded` or `X-Forwarded-For` (nginx by default) all its clients have its address.", values: "list of addresses and CIDRs", example: "[127.0.0.0/8, 10.0.0.0/8]"},
	{path: "timeouts.connect", meaning: "Connecting to the origin, TLS included.", values: "duration, `1ms` to `24h`", example: "2s"},
	{path: "timeouts.response_header", meaning: "From the request to the head of the origin's response.", values: "duration, `1ms` to `24h`", example: "20s"},
	{path: "timeouts.response_body", meaning: "Without a byte of the origin's response body. Event streams may be silent for longer.", values: "duration, `1ms` to `24h`", example: "20s"},
	{path: "timeouts.exchange", meaning: "The whole exchange with the origin, to the last byte of its response. Not for event streams and upgrades.", values: "duration, `0s` (none) to `24h`", example: "5m"},
	{path: "timeouts.read_header", meaning: "For a client to send the head of a request.", values: "duration, `1ms` to `24h`", example: "5s"},
	{path: "timeouts.read_body", meaning: "How long a client may take for 64 KiB of a request's content, or for what is left of it; then 408. A connection of HTTP/2 on which a frame of content stays incomplete for so long ends.", values: "duration, `1ms` to `24h`", example: "20s"},
	{path: "timeouts.idle", meaning: "How long unused connections are kept, to clients and to origins.", values: "duration, `1ms` to `24h`", example: "75s"},
	{path: "timeouts.write", meaning: "How long a client may take for 64 KiB of a response, or for what is left of it.", values: "duration, `1ms` to `24h`", example: "30s"},

	{path: "limits.connections", meaning: "Connections of clients at once, per listener. What comes beyond gets 503 and is closed. Keep it below the limit on open files.", values: "0 (none) to 1048576", example: "50000"},
	{path: "limits.client_connections", meaning: "The same for one client: an IPv4 address, or a /64 of IPv6. Trusted proxies are exempt.", values: "0 (none) to 1048576", example: "100"},
	{path: "limits.header_size", meaning: "Bytes of the head of a request, and of its trailer; more gets 431.", values: "size, `4KiB` to `1MiB`", example: "32KiB"},
	{path: "limits.header_fields", meaning: "Field lines of a request; more get 431.", values: "16 to 4096", example: "100"},
	{path: "limits.uri_size", meaning: "Bytes of the target of a request; more get 414.", values: "size, `1KiB` to `limits.header_size`", example: "8KiB"},
	{path: "limits.request_body", meaning: "Bytes of a request's content; more get 413: before anything is forwarded where the length is known, otherwise on the way.", values: "size, 0 (none) to `1024TiB`", example: "10MiB"},
	{path: "limits.requests", meaning: "Requests that are with origins at once. What comes beyond gets a stale response where one may be used, otherwise 503. Hits never count.", values: "0 (none) to 1048576", example: "1000"},
	{path: "limits.client_requests", meaning: "Of those, from one client: an IPv4 address, or a /64 of IPv6. Fetches that go on when it has left count, too. Trusted proxies and clients on this machine are exempt.", values: "0 (none) to 1048576", example: "100"},
	{path: "limits.target_requests", meaning: "Of `limits.requests`, at one target of an origin. What comes beyond waits in the queue.", values: "0 (none) to 1048576", example: "100"},
	{path: "limits.queue", meaning: "Requests that wait for a target of an origin to be free; what comes beyond gets stale or 503.", values: "0 to 1048576", example: "100"},
	{path: "limits.queue_time", meaning: "How long a request waits in the queue at most.", values: "duration, `0s` to `24h`", example: "2s"},
	{path: "limits.adaptive", meaning: "Lower `limits.target_requests` for a while when the target's answers get slow, are 503, or do not come.", values: "`true`, `false`", example: "false"},
	{path: "rate_limit.rate", meaning: "Requests a second of each client, hits included; more get 429.", values: "0 (none) to 1000000, also a fraction", example: "50"},
	{path: "rate_limit.burst", meaning: "Requests that a client which has been quiet may send at once.", values: "1 to 1000000", example: "200"},
	{path: "rate_limit.by", meaning: "What tells clients apart: their address (as trusted proxies forward it; a /64 of IPv6), or the value of a field.", values: "`address`, or the name of a field", example: "X-Api-Key"},
	{path: "rate_limit.clients", meaning: "How many clients are remembered; beyond that the one that has been quiet the longest is forgotten.", values: "1024 to 16777216", example: "100000"},
	{path: "retry.attempts", meaning: "How often a request is sent to the origin, the first time included.", values: "1 (no retries) to 10", example: "2"},
	{path: "retry.time", meaning: "How long a request waits between attempts, in all.", values: "duration, `0s` to `5m`", example: "1s"},
	{path: "retry.budget", meaning: "Share of requests to all origins that may be retries, beyond 10 a second. `0`: none may be.", values: "0 to 1", example: "0.1"},
	{path: "retry.body", meaning: "Largest request content that is kept so that it can be sent again.", values: "size, 0 to `16MiB`", example: "1MiB"},
	{path: "retry.unsafe", meaning: "Retry 408, 429 and 503 also for methods that are not idempotent, such as POST.", values: "`true`, `false`", example: "true"},
	{path: "retry.on", meaning: "What is done about an answer: nothing; `now` once more; `wait` for `Retry-After`, without one as `backoff`; `backoff`, for idempotent methods, after a random part of a time that doubles. While a target waits for `Retry-After` no client gets anything new from it: for an origin that turns single clients away with 429, say `429: never`. See [retries](retries.md).", values: "status 408, 429, 502, 503, 504, or `connection`: `never`, `now`, `wait`, `backoff`", unset: "`{408: now, 429: wait, 503: wait, 502: backoff, 504: backoff, connection: backoff}`; in profile `rfc9111` only `connection`", example: "{502: never}"},
	{path: "breaker.failures", meaning: "Failures of a target in a row after which it gets no requests for a while: no connection; no answer in time, if meanwhile nobody got one; no valid answer, if another target is up.", values: "0 (never) to 1000", example: "10"},
	{path: "breaker.time", meaning: "For how long, at first. Then a single request is let through, and another each time that it takes as long; if it fails, the time doubles.", values: "duration, `100ms` to `1h`", example: "5s"},
	{path: "breaker.max_time", meaning: "For how long at most.", values: "duration, `breaker.time` to `1h`", example: "1m"},

	{path: "upstreams[].name", meaning: "What `origin` and `routes` call it.", values: "letters, digits, `-` and `_`, a letter first", unset: "none; needed", example: "api"},
	{path: "upstreams[].targets", meaning: "The servers that answer alike: `url` as in `origin`; `weight`, the share of requests; `backup: true`, only when no other is up.", values: "list of at most 256 `{url: URL, weight: 1 to 1000, backup: true}`", unset: "none; needed", example: "[{url: http://10.0.0.1:3000, weight: 3}, {url: http://10.0.0.2:3000}, {url: http://10.0.0.3:3000, backup: true}]"},
	{path: "upstreams[].balance", meaning: "Which target gets a request: each in turn by weight; the one with the fewest under way; or the same one for the same URL.", values: "`round_robin`, `least_requests`, `hash`", unset: "`round_robin`", example: "hash"},
	{path: "upstreams[].http2", meaning: "Speak HTTP/2 with targets of scheme `https` that can.", values: "`true`, `false`", unset: "`true`", example: "false"},
	{path: "upstreams[].tls", meaning: "For targets of scheme `https`. `server_name`: name for SNI and certificate in place of the URL's. `ca`: PEM file of the only CAs to trust. `cert`, `key`: PEM files of our own certificate. `verify: false`: believe any certificate. Changed files come to use without a restart, as those of `tls.certificates` do.", values: "block of `server_name`, `ca`, `cert`, `key`, `verify`", unset: "the system's CAs, no certificate of our own", example: "{server_name: api.internal, ca: /etc/cacheproxy/ca.pem}"},
	{path: "upstreams[].health", meaning: "Ask each target for `path` (with `host` as Host) every `interval` (5s); `fall` (3) answers in a row with another `status`, or none within `timeout` (2s), and it gets no requests until `rise` (2) good ones.", values: "block of `path`, `host`, `interval`, `timeout`, `status` (list of codes and ranges), `rise`, `fall`", unset: "not asked", example: `{path: /healthz, interval: 2s, status: ["200-299"]}`},

	{path: "routes[].host", meaning: "Host of the request, without port, in any case of letters.", values: "`shop.example.com`, or `*.example.com` for all hosts below", unset: "any host", example: "shop.example.com"},
	{path: "routes[].path", meaning: "Prefix of the path, taken literally: `/api` takes `/apis` too, `/api/` does not. It is compared with the path as in `match` of a rule.", values: "begins with `/`", unset: "`/`", example: "/api/"},
	{path: "routes[].origin", meaning: "Where these requests go.", values: "as in `origin`", unset: "none; needed", example: "http://127.0.0.1:3001"},
	{path: "routes[].host_header", meaning: "`Host` for the origin. `auto` is the client's for `http` origins and the origin's own for `https`.", values: "`auto`, `client`, `origin`, or a host", unset: "`auto`", example: "www.example.com"},
	{path: "routes[].rules", meaning: "Rules for this route only, applied after the global ones.", values: "list, see [Rules](#rules)", unset: "none", example: "[{ttl: 1m}]"},

	{path: "rules[].match", meaning: "Which traffic the rule is for. All globs given must match; an empty or absent one matches anything. `path` is the path without query, decoded, dot segments resolved, repeated slashes merged: `/a b/*` takes `/a%20b/c` and `/x/..//a%20b/c`; `host` the host without port, `type` the response's content type without parameters. A rule with `type` cannot hold what is decided before the response is there: `bypass`, `ignore_cookies`, `query`, `request_headers`, `client_bypass`.", values: "globs: `*` is any run of characters, `/` included; `?` is exactly one", unset: "everything", example: `match: {path: "/static/*", host: "*.example.com", type: "image/*"}
ttl: 1h`},
	{path: "rules[].bypass", meaning: "Never look up and never store; only pass on.", values: "`true`, `false`", unset: "`false`", example: `match: {path: "/account/*"}
bypass: true`},
	{path: "rules[].ttl", meaning: "Lifetime of what is stored, whatever the origin says about it. It counts from the receipt of the response, whatever `Age` or `Date` say.", values: "duration, `0s` to `3650d`", unset: "the origin decides", example: `match: {path: "/news/*"}
ttl: 1h`},
	{path: "rules[].min_ttl", meaning: "Raises a shorter lifetime that the origin gave. Contradicts `ttl` in the same rule.", values: "duration, `0s` to `3650d`", unset: "no lower clamp", example: `match: {path: "/feed.xml"}
min_ttl: 1s`},
	{path: "rules[].max_ttl", meaning: "Lowers a longer lifetime that the origin gave. Contradicts `ttl` in the same rule.", values: "duration, `1s` to `3650d`", unset: "no upper clamp", example: `match: {type: "text/html"}
max_ttl: 24h`},
	{path: "rules[].status_ttl", meaning: "Lifetime by status when the origin says nothing about it. It counts from the receipt of the response, whatever `Age` or `Date` say.", values: "final status other than 304: duration", unset: "the heuristic, where the status allows it", example: `match: {path: "/img/*"}
status_ttl: {200: 1h, 404: 30s}`},
	{path: "rules[].store", meaning: "Overrides the status table of the profile: a response with this status is `never` stored, only with an `explicit` lifetime, or also with a `heuristic` one.", values: "final status other than 304: `never`, `explicit`, `heuristic`", unset: "the status table of `profile`", example: `match: {path: "/old/*"}
store: {302: heuristic, 404: never}`},
	{path: "rules[].set_cookie", meaning: "A response with `Set-Cookie` is not stored (`refuse`), stored without that field (`strip`), or stored as it is (`keep`; every client gets the same cookie). With `strip`, responses that are stored lose the field, for everybody; others keep it.", values: "`refuse`, `strip`, `keep`", unset: "by `profile`: `refuse`; `keep` in `rfc9111`", example: `match: {path: "/static/*"}
set_cookie: strip`},
	{path: "rules[].ignore_cookies", meaning: "Cookies removed from requests before look-up and forwarding.", values: "list of globs on cookie names", unset: "none", example: `ignore_cookies: [_ga, "utm_*"]`},
	{path: "rules[].query", meaning: "Edits the query before look-up and forwarding: `drop` removes parameters, `keep` removes all others (one of the two), `sort: true` orders them by name. `keep: []` removes all.", values: "`drop`, `keep`: list of globs on names; `sort`: `true`, `false`", unset: "the query as it comes", example: `query: {drop: ["utm_*", fbclid], sort: true}`},
	{path: "rules[].request_headers", meaning: "Edits what is sent to the origin. `set` replaces a field, `remove` deletes it.", values: "`set`: field: value; `remove`: list of fields", unset: "no edit", example: `match: {path: "/api/*"}
request_headers: {set: {X-From: cache}, remove: [X-Debug]}`},
	{path: "rules[].response_headers", meaning: "Edits the origin's answer before it is judged and stored.", values: "`set`: field: value; `remove`: list of fields", unset: "no edit", example: `match: {type: "image/*"}
response_headers: {set: {X-Content-Type-Options: nosniff}, remove: [Vary]}`},
	{path: "rules[].client_bypass", meaning: "Whether a client's `no-cache`, `no-store`, `max-age`, `min-fresh` and `Pragma` are obeyed.", values: "`honor`, `ignore`", unset: "`honor`", example: `match: {path: "/static/*"}
client_bypass: ignore`},
	{path: "rules[].stale_while_revalidate", meaning: "How long past its lifetime a response is served while one refresh runs, when the origin does not say. What the origin says or forbids comes first.", values: "duration, `0s` to `3650d`", unset: "`0s`", example: `match: {path: "/news/*"}
stale_while_revalidate: 30s`},
	{path: "rules[].stale_if_error", meaning: "How long past its lifetime a response is served when the origin fails, when the origin does not say. What the origin says or forbids comes first.", values: "duration, `0s` to `3650d`", unset: "`1h`", example: `stale_if_error: 24h`},
	{path: "rules[].targeted", meaning: "Fields that speak to this cache instead of `Cache-Control` (RFC 9213); the first valid one wins. `[]` is none.", values: "list of field names", unset: "`[CDN-Cache-Control]`", example: `targeted: [Edge-Cache-Control, CDN-Cache-Control]`},
	{path: "rules[].heuristic", meaning: "Lifetime of what names none: `fraction` of the time since `Last-Modified`, at most `max` (RFC 9111, 4.2.2).", values: "`fraction`: 0 to 1; `max`: duration", unset: "`{fraction: 0.1, max: 24h}`", example: `heuristic: {fraction: 0.05, max: 1h}`},
	{path: "rules[].type_guard", meaning: "Against cache deception: do not store a response whose `Content-Type` contradicts how the path ends, such as HTML under `/account/x.css`.", values: "`true`, `false`", unset: "`false`", example: "type_guard: true"},
	{path: "rules[].tags", meaning: "Fields of the origin's answer that name tags to purge by (up to 256 tags; with more the response is not stored). Clients do not get these fields unless `keep: true`. In `Surrogate-Key` white space stands between tags, in `Xkey` that or commas, in others commas.", values: "`fields`: list of field names; `keep`: `true`, `false`", unset: "`{fields: [Cache-Tag, Surrogate-Key, Edge-Cache-Tag, CDN-Tag, xkey], keep: false}`", example: "tags: {fields: [X-Page-Tags], keep: true}"},
}

var (
	indexes   = regexp.MustCompile(`\[\d+\]`)
	routeRule = "routes[]."
)

// describe finds the row of a path such as routes[0].rules[1].ttl, or of the key
// that holds it.
func describe(path string) (key, bool) {
	path = indexes.ReplaceAllString(path, "[]")
	if strings.HasPrefix(path, routeRule+"rules[]") {
		path = strings.TrimPrefix(path, routeRule)
	}
	for path != "" {
		for _, k := range keys {
			if k.path == path {
				return k, true
			}
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return key{}, false
}

// forExample is the end of an error message about the form of a value.
func forExample(path string) string {
	k, ok := describe(path)
	if !ok {
		return ""
	}
	if strings.HasPrefix(k.path, "rules[]") {
		lines := strings.Split(k.example, "\n")
		name := strings.TrimPrefix(k.path, "rules[].")
		for _, line := range lines {
			if strings.HasPrefix(line, name+":") {
				return "; write for example " + line
			}
		}
	}
	name := k.path[strings.LastIndex(k.path, ".")+1:]
	return "; write for example " + name + ": " + k.example
}
