package telemetry

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"cacheproxy/policy"
	"cacheproxy/proxy"
)

// Observe makes the spans of a request, if they are wanted.
func (t *Tracing) Observe(o *proxy.Outcome) {
	if t == nil || o.Spans == nil || !o.Spans.Sampled {
		return
	}
	p := o.Spans
	ctx := context.WithValue(context.Background(), chosen{}, p)
	if p.Parent != [8]byte{} {
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: p.ID, SpanID: p.Parent, TraceFlags: trace.FlagsSampled, TraceState: read(placeholder, p.State).TraceState(), Remote: true,
		}))
	}
	end := o.Start.Add(o.Duration)
	method, attributes := describe(o)
	ctx, span := t.tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(o.Start), trace.WithAttributes(attributes...))
	if o.Status >= 500 { // what is wrong with a client is none of ours
		span.SetStatus(codes.Error, "")
	}
	t.step(ctx, "lookup", p.Lookup, newSpanID(), end)
	var links []trace.Link
	if shared := read(p.Shared, ""); shared.IsValid() {
		links = []trace.Link{{SpanContext: shared}}
	}
	t.step(ctx, "flight", p.Flight, p.Board, end, links...)
	span.End(trace.WithTimestamp(end))
}

// placeholder is a traceparent for those who only want to read a tracestate.
const placeholder = "00-00000000000000000000000000000001-0000000000000001-00"

// step makes the span of a step, if there was one.
func (t *Tracing) step(ctx context.Context, name string, s proxy.Step, id trace.SpanID, end time.Time, links ...trace.Link) {
	if s.Begin.IsZero() {
		return
	}
	if !s.End.IsZero() { // otherwise the request ended in it
		end = s.End
	}
	_, span := t.tracer.Start(context.WithValue(ctx, chosen{}, id), name, trace.WithTimestamp(s.Begin), trace.WithLinks(links...))
	span.End(trace.WithTimestamp(end))
}

// describe returns the name and the attributes of a request's span. Strings are
// copied: those of an outcome may lie in memory that is used again.
func describe(o *proxy.Outcome) (name string, all []attribute.KeyValue) {
	name, method := methodOf(o.Method)
	path, query, _ := strings.Cut(strings.Clone(o.URI), "?")
	all = append(method, semconv.URLPath(path))
	text := func(key attribute.Key, value string) {
		if value != "" {
			all = append(all, key.String(strings.Clone(value)))
		}
	}
	text(semconv.URLQueryKey, redacted(query))
	if scheme, _, ok := strings.Cut(o.Key, "://"); ok {
		text(semconv.URLSchemeKey, scheme)
	}
	host, port := split(o.Host)
	text(semconv.ServerAddressKey, host)
	number(&all, semconv.ServerPortKey, port)
	peer, port := split(o.Remote)
	text(semconv.NetworkPeerAddressKey, peer)
	number(&all, semconv.NetworkPeerPortKey, port)
	text(semconv.NetworkProtocolVersionKey, version(o.Proto))
	text(semconv.UserAgentOriginalKey, o.UserAgent)
	all = append(all,
		semconv.HTTPResponseStatusCode(o.Status),
		semconv.HTTPResponseBodySize(int(o.Bytes)),
		attribute.String("cacheproxy.action", o.Action.String()),
		attribute.String("cacheproxy.reason", o.Reason.String()),
	)
	if o.Refused != policy.ReasonNone {
		text("cacheproxy.refused", o.Refused.String())
	}
	text("cacheproxy.route", o.Route)
	text("cacheproxy.request_id", o.RequestID)
	text("cacheproxy.target", o.Target)
	flag := func(key attribute.Key, is bool) {
		if is {
			all = append(all, key.Bool(true))
		}
	}
	flag("cacheproxy.stored", o.Stored)
	flag("cacheproxy.collapsed", o.Collapsed)
	flag("cacheproxy.aborted", o.Aborted)
	if o.HasTTL {
		all = append(all, attribute.Float64("cacheproxy.ttl", o.TTL.Seconds()))
	}
	switch {
	case o.Error != "":
		text(semconv.ErrorTypeKey, o.Error)
	case o.Status >= 500:
		text(semconv.ErrorTypeKey, strconv.Itoa(o.Status))
	}
	return name, all
}

// methodOf returns the name of a span, and the method as attributes: those that
// are not well known would make too many names.
func methodOf(method string) (name string, all []attribute.KeyValue) {
	for _, known := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"} {
		if method == known {
			return known, []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(known)}
		}
	}
	return "HTTP", []attribute.KeyValue{semconv.HTTPRequestMethodOther, semconv.HTTPRequestMethodOriginal(strings.Clone(method))}
}

// split splits a host from its port, which may be missing.
func split(s string) (host, port string) {
	if h, p, err := net.SplitHostPort(s); err == nil {
		return h, p
	}
	return strings.Trim(s, "[]"), ""
}

func number(all *[]attribute.KeyValue, key attribute.Key, digits string) {
	if n, err := strconv.Atoi(digits); err == nil {
		*all = append(*all, key.Int(n))
	}
}

// version is that of a protocol: 1.1 of HTTP/1.1, and 2 of HTTP/2.0.
func version(proto string) string {
	return strings.TrimSuffix(strings.TrimPrefix(proto, "HTTP/"), ".0")
}

// secretParameters sign a URL: who has their values can use it. The conventions for
// url.query want them hidden.
var secretParameters = []string{"AWSAccessKeyId", "Signature", "sig", "X-Amz-Signature", "X-Amz-Security-Token", "X-Goog-Signature"}

// redacted returns a query without the values of such parameters.
func redacted(query string) string {
	members := strings.Split(query, "&")
	for i, m := range members {
		name, _, has := strings.Cut(m, "=")
		if has && slices.ContainsFunc(secretParameters, func(s string) bool { return strings.EqualFold(s, name) }) {
			members[i] = name + "=REDACTED"
		}
	}
	return strings.Join(members, "&")
}
