// Package telemetry sends spans of requests to a collector (OpenTelemetry, OTLP
// over HTTP).
//
// # Flow
//
// [Tracing.Place] gives each request its place in a trace, and says whether its
// spans are wanted. Nothing more happens while it is answered, but for
// [Tracing.Attempt], which makes a span of each request to an origin, as it is
// sent. [Tracing.Observe] makes the others afterwards, of what the outcome says:
//
//	GET                 server    the request
//	  lookup            internal  the store was asked; not for answers that are plain hits
//	  flight            internal  the wait for an answer of the origin
//	    GET             client    a request to the origin, and one for each retry
//
// What goes to the origin names the span of its attempt in traceparent. A flight
// that another request began has a link to that one's flight, in place of attempts.
// Attempts of a refresh in the background, and of what passes the cache by, are
// children of the request that caused them. An attempt ends with the head of the
// response. Attributes are those of the semantic conventions for HTTP, and cacheproxy.*.
//
// Spans wait in a bounded queue for a goroutine that sends them. When the collector
// is slow or down they are dropped; requests never wait.
//
// # Whom to believe
//
// The trace's ID is taken over from anybody. Whether the trace is sampled is
// believed of trusted peers only: for all others, and for traces that begin here,
// chance decides by [Options.Sample], since a client could otherwise have every
// request of its own recorded. What goes to the origin says what was decided.
//
// # Environment
//
// Besides the options, the standard names count: OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES (who we are), OTEL_BSP_* (queue and batches), OTEL_SPAN_*_LIMIT,
// OTEL_ATTRIBUTE_*_LIMIT, OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_TRACES_HEADERS
// (fields such as Authorization for the collector). Those that name an endpoint or
// a sampler do not count.
package telemetry
