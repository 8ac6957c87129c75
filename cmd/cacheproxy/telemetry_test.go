package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"cacheproxy/config"
)

// Spans of the last requests are sent before the process ends.
func TestTracesReachTheCollector(t *testing.T) {
	names := make(chan string, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData
		if !assert.NoError(t, err) || !assert.NoError(t, proto.Unmarshal(body, &data)) {
			return
		}
		for _, rs := range data.ResourceSpans {
			for _, s := range rs.ScopeSpans[0].Spans {
				names <- s.Kind.String() + " " + s.Name
			}
		}
	}))
	defer collector.Close()
	told := make(chan string, 1)
	origin := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.Header.Get("Traceparent") }))
	defer origin.Close()
	c := config.Default()
	c.Origin, c.Listen, c.Admin.Listen, c.AccessLog.Mode = origin.URL, "127.0.0.1:0", "off", "off"
	c.Tracing = config.Tracing{Endpoint: collector.URL, Sample: 1}
	a, err := start(c, slog.New(slog.DiscardHandler), io.Discard, io.Discard)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.serve(ctx) }()
	resp, err := http.Get("http://" + a.server.Addr().String() + "/")
	require.NoError(t, err)
	resp.Body.Close()
	assert.Regexp(t, "^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", <-told)
	stop()
	require.NoError(t, <-done)
	a.close()
	close(names)
	var got []string
	for name := range names {
		got = append(got, name)
	}
	assert.ElementsMatch(t, []string{
		"SPAN_KIND_SERVER GET", "SPAN_KIND_INTERNAL lookup", "SPAN_KIND_INTERNAL flight", "SPAN_KIND_CLIENT GET",
	}, got)
}

func TestAnEndpointThatIsNone(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "not a field=s3cret")
	c := config.Default()
	c.Origin, c.Listen, c.Admin.Listen, c.AccessLog.Mode = "http://127.0.0.1:1", "127.0.0.1:0", "off", "off"
	c.Tracing.Endpoint = "http://127.0.0.1:4318"
	a, err := start(c, slog.New(slog.DiscardHandler), io.Discard, io.Discard)
	a.close()
	require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_HEADERS")
	assert.NotContains(t, err.Error(), "s3cret")
}
