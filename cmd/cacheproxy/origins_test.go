package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/admin"
	"cacheproxy/config"
)

// running starts a proxy with a configuration, on ports of its own, and returns it and
// the URLs of both sides.
func running(t *testing.T, text string) (a *app, clients, operators string) {
	t.Helper()
	a, err := start(parse(t, text), slog.New(slog.DiscardHandler), io.Discard, io.Discard)
	require.NoError(t, err)
	done := make(chan error, 2)
	go func() { done <- a.admin.Serve(a.adminLn) }()
	go func() { done <- a.server.Serve() }()
	t.Cleanup(func() {
		a.close()
		<-done
		<-done
	})
	return a, "http://" + a.server.Addr().String(), "http://" + a.adminLn.Addr().String()
}

func parse(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Parse("test.yaml", []byte("listen: 127.0.0.1:0\nadmin: {listen: \"127.0.0.1:0\"}\naccess_log: {mode: off}\n"+text))
	require.NoError(t, err)
	require.NoError(t, c.Validate())
	return c
}

func get(t *testing.T, url string, header ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, string(body)
}

// named is an origin that answers with its name, and counts.
func named(t *testing.T, name string) (*httptest.Server, *atomic.Int64) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			asked.Add(1)
		}
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, name)
	}))
	t.Cleanup(s.Close)
	return s, &asked
}

func targetsOf(t *testing.T, operators string) (states map[string]admin.TargetState) {
	t.Helper()
	_, _, body := get(t, operators+"/api/upstreams")
	var list struct{ Targets []admin.TargetState }
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	states = make(map[string]admin.TargetState)
	for _, s := range list.Targets {
		states[s.URL] = s
	}
	return states
}

// Targets share the requests by weight; when one goes, the other answers; a backup
// only when both are gone; and when all are, the answer comes at once and says so.
func TestTargetsStandInForEachOther(t *testing.T) {
	first, a := named(t, "first")
	second, b := named(t, "second")
	spare, c := named(t, "spare")
	_, clients, operators := running(t, fmt.Sprintf(`
origin: app
breaker: {failures: 1, time: 1h, max_time: 1h}
upstreams:
  - name: app
    targets: [{url: %s, weight: 3}, {url: %s}, {url: %s, backup: true}]
`, first.URL, second.URL, spare.URL))
	for range 8 {
		status, _, _ := get(t, clients+"/x")
		require.Equal(t, 200, status)
	}
	assert.EqualValues(t, 6, a.Load())
	assert.EqualValues(t, 2, b.Load())
	first.Close()
	for range 4 {
		status, _, body := get(t, clients+"/x")
		require.Equal(t, 200, status)
		assert.Equal(t, "second", body)
	}
	states := targetsOf(t, operators)
	assert.Equal(t, "open", states[first.URL].State)
	assert.EqualValues(t, 1, states[first.URL].Ejections)
	assert.True(t, states[second.URL].Up)
	assert.EqualValues(t, 0, c.Load())
	second.Close()
	status, _, body := get(t, clients+"/x")
	assert.Equal(t, 200, status)
	assert.Equal(t, "spare", body)
	spare.Close()
	status, _, _ = get(t, clients+"/x")
	assert.Equal(t, 502, status, "it was there a moment ago")
	status, header, body := get(t, clients+"/x")
	assert.Equal(t, 503, status)
	assert.NotEmpty(t, header.Get("Retry-After"))
	assert.Contains(t, header.Get("Proxy-Status"), "error=destination_unavailable")
	assert.Contains(t, body, header.Get("X-Request-Id"))
	_, _, metrics := get(t, operators+"/metrics")
	assert.Contains(t, metrics, fmt.Sprintf("cacheproxy_target_up{target=%q,upstream=\"app\"} 0", first.URL))
}

// A reload keeps the upstreams that stay as they are, with their state, and closes
// those that go; one that is refused changes nothing.
func TestReloadOfUpstreams(t *testing.T) {
	first, _ := named(t, "first")
	second, _ := named(t, "second")
	text := func(one, two string) string {
		return fmt.Sprintf("upstreams:\n  - {name: one, targets: [{url: %s}]}\n  - {name: two, targets: [{url: %s}]}\nroutes:\n"+
			"  - {path: /one, origin: one}\n  - {path: /also, origin: one}\n  - {path: /two, origin: two}\n", one, two)
	}
	a, clients, operators := running(t, text(first.URL, second.URL))
	get(t, clients+"/one")
	get(t, clients+"/also")
	before := a.wired.Load()
	require.Len(t, before.origins, 2)
	assert.EqualValues(t, 2, targetsOf(t, operators)[first.URL].Requests, "two routes, one upstream")

	require.NoError(t, a.apply(parse(t, text(first.URL, first.URL))))
	after := a.wired.Load()
	assert.Same(t, before.named["one"], after.named["one"])
	assert.NotSame(t, before.named["two"], after.named["two"])
	_, _, body := get(t, clients+"/two")
	assert.Equal(t, "first", body)

	bad := parse(t, text(first.URL, second.URL))
	bad.Upstreams[1].Targets[0].URL = "https://127.0.0.1:1"
	bad.Upstreams[1].TLS.CA = filepath.Join(t.TempDir(), "missing.pem")
	assert.ErrorContains(t, a.apply(bad), `upstream "two": CA: `)
	assert.Same(t, after, a.wired.Load())
}

// The certificate of an origin is checked, unless the configuration says otherwise, and
// read again when its file changes.
func TestOriginTLS(t *testing.T) {
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	origin.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	origin.StartTLS()
	defer origin.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := func(tls string) string {
		return fmt.Sprintf("origin: web\nretry: {attempts: 1}\nbreaker: {failures: 0}\nupstreams:\n  - name: web\n    targets: [{url: %s}]\n%s", origin.URL, tls)
	}
	a, clients, _ := running(t, text(""))
	status, header, _ := get(t, clients+"/x")
	assert.Equal(t, 502, status)
	assert.Contains(t, header.Get("Proxy-Status"), "error=tls_certificate_error")

	require.NoError(t, a.apply(parse(t, text("    tls: {verify: false}\n"))))
	status, _, _ = get(t, clients+"/x")
	assert.Equal(t, 200, status)

	require.NoError(t, writeCertificate(ca, ca+".key", "other.example"))
	with := parse(t, text("    tls: {ca: "+ca+"}\n"))
	require.NoError(t, a.apply(with))
	status, _, _ = get(t, clients+"/x")
	assert.Equal(t, 502, status, "of another CA")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: origin.Certificate().Raw}), 0o600))
	require.NoError(t, a.apply(with))
	status, _, _ = get(t, clients+"/x")
	assert.Equal(t, 200, status, "the file has changed")
}

// Limits of the configuration hold for clients.
func TestLimitsAreWired(t *testing.T) {
	origin, _ := named(t, "origin")
	_, clients, _ := running(t, "origin: "+origin.URL+"\n"+`
limits: {uri_size: 1KiB, header_fields: 20, header_size: 4KiB, request_body: 10}
rate_limit: {rate: 0.001, burst: 2, by: X-Client}
`)
	status, _, _ := get(t, clients+"/"+strings.Repeat("a", 2000))
	assert.Equal(t, http.StatusRequestURITooLong, status)
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprint("X-", i), "x")
	}
	status, _, _ = get(t, clients+"/x", many...)
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status)
	status, _, _ = get(t, clients+"/x", "X-Large", strings.Repeat("a", 5000))
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, status)
	resp, err := http.Post(clients+"/x", "text/plain", strings.NewReader("more than ten"))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	for range 2 {
		status, _, _ = get(t, clients+"/x", "X-Client", "a")
		assert.Equal(t, 200, status)
	}
	status, header, _ := get(t, clients+"/x", "X-Client", "a")
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.NotEmpty(t, header.Get("Retry-After"))
	status, _, _ = get(t, clients+"/x", "X-Client", "b")
	assert.Equal(t, 200, status)
}
