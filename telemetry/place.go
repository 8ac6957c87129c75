package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"cacheproxy/proxy"
)

// Place gives a request its place in a trace: the one that traceparent and
// tracestate name if they are valid, otherwise a new one. See [proxy.Config].
func (t *Tracing) Place(parent, state string, trusted bool) proxy.Spans {
	p := proxy.Spans{Span: newSpanID()}
	if said := read(parent, state); said.IsValid() {
		p.ID, p.Parent = said.TraceID(), said.SpanID()
		p.State = strings.Clone(said.TraceState().String()) // the head's memory is used again
		if trusted {
			p.Sampled = said.IsSampled()
			return p
		}
	} else {
		p.ID = newTraceID()
	}
	p.Sampled = rand.Float64() < t.sample // not by the ID, which the client has chosen
	return p
}

// read reads the fields of the W3C Trace Context; without valid ones the result is
// not valid.
func read(parent, state string) trace.SpanContext {
	if parent == "" {
		return trace.SpanContext{}
	}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), fields{parent, state}))
}

// fields are a carrier to read from.
type fields struct{ parent, state string }

func (f fields) Get(name string) string {
	switch name {
	case "traceparent":
		return f.parent
	case "tracestate":
		return f.state
	}
	return ""
}

func (fields) Set(string, string) {}
func (fields) Keys() []string     { return []string{"traceparent", "tracestate"} }

// ids gives new spans the IDs that were chosen for them when a request began, or
// random ones.
type ids struct{}

// chosen is the key of a context for a *proxy.Spans whose request's span is begun,
// or for the trace.SpanID of another span.
type chosen struct{}

func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if p, ok := ctx.Value(chosen{}).(*proxy.Spans); ok {
		return p.ID, p.Span
	}
	return newTraceID(), newSpanID()
}

func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	switch c := ctx.Value(chosen{}).(type) {
	case *proxy.Spans:
		return c.Span
	case trace.SpanID:
		return c
	}
	return newSpanID()
}

func newTraceID() (id trace.TraceID) {
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64()|1) // zero is no ID
	return id
}

func newSpanID() (id trace.SpanID) {
	binary.NativeEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
