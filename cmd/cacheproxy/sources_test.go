package main

import (
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"cacheproxy/config"
)

// What only shows when an upstream is made, such as a file that is not there, ends the
// start with an error that names it.
func TestStartNamesTheFileOfAnUpstream(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "ca.pem")
	c := parse(t, "origin: api\nupstreams:\n  - name: api\n    targets: [{url: \"https://127.0.0.1:1\"}]\n    tls: {ca: "+missing+"}\n")
	_, err := start(c, slog.New(slog.DiscardHandler), io.Discard, io.Discard)
	require.ErrorContains(t, err, `upstream "api"`)
	assert.ErrorContains(t, err, missing)
	err = checkCertificates(c)
	require.ErrorContains(t, err, "upstreams[0].tls: CA: ", "check finds it, too")
	assert.ErrorContains(t, err, missing)
}

// Every metric of docs/metrics.md is reported, once there is something to report.
func TestEveryMetricIsReported(t *testing.T) {
	origin, _ := named(t, "origin")
	_, clients, operators := running(t, "origin: "+origin.URL+"\nroutes: [{path: /gone/, origin: \"http://127.0.0.1:1\"}]\n")
	for path, want := range map[string]int{"/": http.StatusOK, "/gone/": http.StatusBadGateway} {
		status, _, _ := get(t, clients+path)
		require.Equal(t, want, status)
	}
	_, _, report := get(t, operators+"/metrics")
	names := regexp.MustCompile("(?m)^\\| `(cacheproxy_[a-z_]+)`").FindAllStringSubmatch(document(t, "docs/metrics.md"), -1)
	require.NotEmpty(t, names)
	for _, name := range names {
		assert.Contains(t, report, "# TYPE "+name[1]+" ")
	}
}

// A reload that does not touch the rate limit forgets no client.
func TestReloadForgetsNoClient(t *testing.T) {
	origin, _ := named(t, "origin")
	text := "origin: " + origin.URL + "\nrate_limit: {rate: 0.001, burst: 1, by: x-client}\n"
	a, clients, _ := running(t, text)
	status, _, _ := get(t, clients+"/x", "X-Client", "a")
	assert.Equal(t, http.StatusOK, status)
	require.NoError(t, a.apply(parse(t, text+"retry: {attempts: 2}\n")))
	status, _, _ = get(t, clients+"/x", "X-Client", "a")
	assert.Equal(t, http.StatusTooManyRequests, status)
}

// What check accepts can be started, and what cannot be started check refuses.
func TestCheckKnowsWhatStarts(t *testing.T) {
	socket := func(path string) func(*config.Config) {
		return func(c *config.Config) { c.Origin = "unix:" + path }
	}
	for name, tc := range map[string]struct {
		change func(*config.Config)
		good   bool
	}{
		"socket":                   {socket("/run/app.sock"), true},
		"socket with an @":         {socket("/run/app@1.sock"), true},
		"longest path":             {socket("/" + strings.Repeat("a", 102)), true},
		"path too long":            {socket("/" + strings.Repeat("a", 103)), false},
		"socket with a ?":          {socket("/run/app?1"), false},
		"socket with a #":          {socket("/run/app#1"), false},
		"socket with a broken %":   {socket("/run/app%zz"), false},
		"rate limit by Host":       {func(c *config.Config) { c.RateLimit.Rate, c.RateLimit.By = 1, "host" }, false},
		"rate limit by a field":    {func(c *config.Config) { c.RateLimit.Rate, c.RateLimit.By = 1, "x-client" }, true},
		"no retries, and no waits": {func(c *config.Config) { c.Retry = config.Retry{Attempts: 1} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := parse(t, "origin: http://127.0.0.1:1\n")
			tc.change(&c)
			assert.Equal(t, tc.good, c.Validate() == nil)
			w, err := wire(c, "edge", nil)
			assert.Equal(t, tc.good, err == nil)
			if err == nil {
				w.origins.closeOthers(nil)
			}
		})
	}
}

// What is for clients only leaves the origins, their connections and their state alone.
func TestReloadForClientsKeepsTheOrigins(t *testing.T) {
	const text = "origin: http://127.0.0.1:1\n"
	a, _, _ := running(t, text)
	for change, kept := range map[string]bool{
		"limits: {request_body: 1KiB, requests: 7}\n": true, "timeouts: {write: 1s, read_body: 1s}\n": true,
		"limits: {target_requests: 7}\n": false, "timeouts: {connect: 1s}\n": false,
	} {
		require.NoError(t, a.apply(parse(t, text)))
		before := a.wired.Load().named["http://127.0.0.1:1"]
		require.NoError(t, a.apply(parse(t, text+change)))
		assert.Equal(t, kept, before == a.wired.Load().named["http://127.0.0.1:1"], change)
	}
}

// A stop ends the checks of origins.
func TestCloseEndsHealthChecks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	c := parse(t, "origin: app\nupstreams: [{name: app, targets: [{url: \"http://127.0.0.1:1\"}], health: {path: /healthz}}]\n")
	a, err := start(c, slog.New(slog.DiscardHandler), io.Discard, io.Discard)
	require.NoError(t, err)
	a.close()
	goleak.VerifyNone(t, before)
}
