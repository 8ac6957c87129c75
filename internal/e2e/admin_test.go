package e2e

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthEndpoints(t *testing.T) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	assert.Equal(t, 200, mustDo(t, client, p.adminURL(""), get("/healthz")).status)
	assert.Equal(t, 200, mustDo(t, client, p.adminURL(""), get("/readyz")).status)
}

func TestAdminIsNotReachableThroughTheProxy(t *testing.T) {
	p, client := startProxy(t, origin.url("")), newClient(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		assert.Equal(t, 404, mustDo(t, client, p.url(""), get(path)).status, "%s belongs to the origin's site", path)
	}
}

func TestHealthCommand(t *testing.T) {
	p := startProxy(t, origin.url(""))
	health := func() (int, string) {
		cmd := command("health")
		cmd.Env = append(cmd.Env, "CACHEPROXY_ADMIN="+p.admin)
		out, _ := cmd.CombinedOutput() // the exit code is what counts
		return cmd.ProcessState.ExitCode(), string(out)
	}
	code, out := health()
	assert.Zero(t, code, out)

	_, err := p.end(syscall.SIGTERM)
	require.NoError(t, err)
	code, out = health()
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, p.admin, "the message tells where nobody answered")
}
