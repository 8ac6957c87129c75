package main

import (
	"log/slog"
	"os"

	"cacheproxy/config"
	"cacheproxy/telemetry"
)

// openTracing begins to send spans where tracing.endpoint says to; nil otherwise.
func openTracing(c config.Config, log *slog.Logger) (*telemetry.Tracing, error) {
	if c.Tracing.Endpoint == "" {
		return nil, nil
	}
	return telemetry.Start(telemetry.Options{
		Endpoint: c.Tracing.Endpoint, Sample: c.Tracing.Sample, Version: version(), Log: log, Environment: os.LookupEnv,
	})
}
