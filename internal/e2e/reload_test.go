package e2e

import (
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// reloadable starts a proxy with a configuration file, and gives a function that replaces it and sends SIGHUP.
func reloadable(t *testing.T) (p *proxy, reload func(rules string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cacheproxy.yaml")
	write := func(rules string) {
		// By renaming, as editors and orchestrators do: nobody may see half a file.
		next := file + ".next"
		require.NoError(t, os.WriteFile(next, []byte("origin: "+origin.url("")+"\n"+rules), 0o644))
		require.NoError(t, os.Rename(next, file))
	}
	write("")
	p = startProxy(t, "", "--config", file)
	return p, func(rules string) {
		write(rules)
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
	}
}

func TestReloadOfABadFileKeepsTheOldConfiguration(t *testing.T) {
	p, reload := reloadable(t)
	client := newClient(t)
	first := mustDo(t, client, p.url(""), get("/static/small.txt"))
	before := len(p.stderr.String())

	reload("rules:\n  - match: {path: \"*\"}\n    bypas: true\n")
	require.Eventually(t, func() bool {
		said := p.stderr.String()[before:]
		return strings.Contains(said, "cacheproxy.yaml:4") && strings.Contains(said, "bypas")
	}, patience, 20*time.Millisecond, "standard error names file, line and key")

	after := mustDo(t, client, p.url(""), get("/static/small.txt"))
	assert.True(t, mustCacheStatus(t, after).hit)
	assert.Equal(t, first.originRequest(), after.originRequest())
	assert.Equal(t, 200, mustDo(t, client, p.adminURL(""), get("/readyz")).status)
}

func TestReloadOfAGoodFileDropsNothing(t *testing.T) {
	p, reload := reloadable(t)
	client := newClient(t)
	first := mustDo(t, client, p.url(""), get("/static/small.txt"))
	require.True(t, mustCacheStatus(t, first).stored)
	require.True(t, mustCacheStatus(t, mustDo(t, client, p.url(""), get("/static/page.html"))).stored)

	reload("rules:\n  - match: {path: /static/page.html}\n    bypass: true\n")
	require.Eventually(t, func() bool {
		probe := newClient(t) // leaves the connection of the other client alone
		return !mustCacheStatus(t, mustDo(t, probe, p.url(""), get("/static/page.html"))).hit
	}, patience, 20*time.Millisecond, "the new rule applies")

	req, err := http.NewRequest(http.MethodGet, p.url("/static/small.txt"), nil)
	require.NoError(t, err)
	var conn httptrace.GotConnInfo
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info }}
	resp, err := client.Do(req.WithContext(httptrace.WithClientTrace(t.Context(), trace)))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.True(t, conn.Reused, "the connection from before the reload still serves")
	after := answer{resp.StatusCode, resp.Header, nil}
	assert.True(t, mustCacheStatus(t, after).hit)
	assert.Equal(t, first.originRequest(), after.originRequest(), "what was stored before the reload")
}
