package main

import (
	"bytes"
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/config"
)

// What a reload cannot change is said each time, until what the proxy was
// started with is back.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	started := config.Default()
	started.Origin, started.Listen, started.Admin.Listen = "http://127.0.0.1:1", "127.0.0.1:0", "off"
	started.AccessLog.Mode = "off"
	for _, tc := range []struct {
		change func(*config.Config)
		want   string // settings in the warning; empty for no warning
	}{
		{func(c *config.Config) { c.Listen = "127.0.0.1:1" }, "listen"},
		{func(c *config.Config) { c.TLS = config.TLS{Listen: "127.0.0.1:1", SelfSigned: true} }, "tls.listen"},
		{func(c *config.Config) { c.Snapshot.File = "cache.snapshot" }, "snapshot.file"},
		{func(c *config.Config) { c.Snapshot.Every = c.Timeouts.Idle }, "snapshot.every"},
		{func(c *config.Config) { c.FastLane = false }, "fast_lane"},
		{func(c *config.Config) { c.Admin.Listen = "127.0.0.1:1" }, "admin.listen"},
		{func(c *config.Config) { c.Admin.Token = "s3cret" }, "admin.token"},
		{func(c *config.Config) { c.Admin.Pprof = true }, "admin.pprof"},
		{func(c *config.Config) { c.Tracing.Endpoint = "http://127.0.0.1:1" }, "tracing.endpoint"},
		{func(c *config.Config) { c.Tracing.Sample = 1 }, "tracing.sample"},
		{func(c *config.Config) { c.Timeouts.ReadHeader++ }, "timeouts.read_header"},
		{func(c *config.Config) { c.Timeouts.Idle++ }, "timeouts.idle"},
		{func(c *config.Config) { c.Timeouts.ReadHeader++; c.Timeouts.Idle++ }, `"timeouts.read_header, timeouts.idle"`},
		{func(c *config.Config) {
			c.Timeouts.Write, c.Timeouts.Connect, c.DrainTimeout = c.Timeouts.Write+1, c.Timeouts.Connect+1, 0
			c.Cache.Size, c.Profile, c.Headers.Via = 32<<20, "rfc9111", "edge-1"
		}, ""},
	} {
		t.Run(tc.want, func(t *testing.T) {
			var log bytes.Buffer
			a, err := start(started, slog.New(slog.NewTextHandler(&log, nil)), io.Discard, io.Discard)
			require.NoError(t, err)
			defer a.close()
			next := started
			tc.change(&next)
			for range 2 {
				log.Reset()
				require.NoError(t, a.apply(next))
				if tc.want == "" {
					assert.Empty(t, log.String())
				} else {
					assert.Contains(t, log.String(), "level=WARN")
					assert.Contains(t, log.String(), "settings="+tc.want+"\n")
				}
				assert.NotContains(t, log.String(), "s3cret")
			}
			log.Reset()
			require.NoError(t, a.apply(started))
			assert.Empty(t, log.String())
		})
	}
}
