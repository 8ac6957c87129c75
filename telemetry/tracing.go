package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// Options of tracing.
type Options struct {
	// Endpoint is the collector: an http or https URL. Without a path it is
	// /v1/traces, as OTLP has it.
	Endpoint string
	// Sample is the share of requests whose spans are sent, 0 to 1, where no
	// trusted peer has decided.
	Sample float64
	// Version of this program.
	Version string
	// Log is told when spans cannot be sent, at most once a minute.
	Log *slog.Logger
	// Environment is os.LookupEnv.
	Environment func(string) (string, bool)
}

// Tracing makes spans and sends them. A nil one makes none.
type Tracing struct {
	sample   float64
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// closeTime is how long a stop waits for the last spans to be sent.
const closeTime = 3 * time.Second

// Start begins tracing; Close ends it. The collector need not be there yet. The
// error says what is wrong with an option or the environment.
func Start(o Options) (*Tracing, error) {
	c, err := newCollector(o.Endpoint, o.Environment)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	exporter, err := otlptrace.New(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	self, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("cacheproxy"), semconv.ServiceVersion(o.Version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("tracing: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	often := rate.Sometimes{Interval: time.Minute}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { // the library has one for the whole process
		often.Do(func() { o.Log.Warn("spans are lost", "error", err) })
	}))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), sdktrace.WithResource(self),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), // of what Place has chosen
		sdktrace.WithIDGenerator(ids{}),
	)
	return &Tracing{
		sample: o.Sample, provider: provider,
		tracer: provider.Tracer("cacheproxy", trace.WithInstrumentationVersion(o.Version), trace.WithSchemaURL(semconv.SchemaURL)),
	}, nil
}

// Close sends what is left, in a few seconds at most.
func (t *Tracing) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		otel.Handle(err)
	}
}
