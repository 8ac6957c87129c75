package telemetry

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"cacheproxy/revalidate"
)

// full is a URL without user, password and what signs it, as the conventions for
// url.full want it.
func full(u *url.URL) string {
	shown := *u
	if u.User != nil {
		shown.User = url.UserPassword("REDACTED", "REDACTED")
	}
	shown.RawQuery = redacted(u.RawQuery)
	return shown.String()
}

// Attempt makes a span of a request to an origin, and tells the origin of it. The
// traceparent of the request, which the proxy has set, names the span's parent. See
// upstream.Options.
func (t *Tracing) Attempt(r *http.Request, resend int, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	parent := read(r.Header.Get("Traceparent"), r.Header.Get("Tracestate"))
	if !parent.IsSampled() {
		return send(r)
	}
	name, attributes := methodOf(r.Method)
	host, port := split(r.URL.Host)
	if port == "" && !strings.HasPrefix(host, "/") { // a socket has none
		port = map[string]string{"http": "80", "https": "443"}[r.URL.Scheme]
	}
	number(&attributes, semconv.ServerPortKey, port)
	attributes = append(attributes, semconv.ServerAddress(host), semconv.URLFull(full(r.URL)))
	if resend > 0 {
		attributes = append(attributes, semconv.HTTPRequestResendCount(resend))
	}
	ctx, span := t.tracer.Start(
		trace.ContextWithSpanContext(context.Background(), parent.WithRemote(false)), name,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...),
	)
	defer span.End()
	out := *r // whoever sends it again wants it as it was
	out.Header = maps.Clone(r.Header)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(out.Header))
	resp, err := send(&out)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(semconv.ErrorTypeKey.String(cmp.Or(revalidate.ErrorType(err), "canceled")))
		return resp, err
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(resp.StatusCode), semconv.NetworkProtocolVersion(version(resp.Proto)))
	if resp.StatusCode >= 400 {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(resp.StatusCode)))
	}
	return resp, nil
}
