package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const examples = "../../examples"

// replaceOnce fails when old is not there: then the example changed and the test must, too.
func replaceOnce(t *testing.T, s, old, next string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(s, old), "%q in the example", old)
	return strings.Replace(s, old, next, 1)
}

func TestComposeExample(t *testing.T) {
	type service struct {
		Build       string
		Environment map[string]string
		Volumes     []string
	}
	var compose struct{ Services map[string]service }
	text, err := os.ReadFile(filepath.Join(examples, "compose.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &compose))

	proxy, nginx := compose.Services["proxy"], compose.Services["origin"]
	assert.FileExists(t, filepath.Join(examples, proxy.Build, "Dockerfile"))
	require.Len(t, nginx.Volumes, 2)
	for _, v := range nginx.Volumes {
		file, _, _ := strings.Cut(v, ":")
		_, err := os.Stat(filepath.Join(examples, file))
		assert.NoError(t, err)
	}

	require.NotEmpty(t, proxy.Environment)
	for name := range proxy.Environment {
		t.Run(name, func(t *testing.T) { requireRead(t, name) })
	}
}

// requireRead fails unless a wrong value of the environment variable keeps the binary from starting.
func requireRead(t *testing.T, name string) {
	t.Helper()
	cmd := command("--listen", mustFreeAddr(t), "--admin", "off")
	cmd.Env = append(cmd.Env, "CACHEPROXY_ORIGIN="+origin.url(""), name+"=no:such:value")
	c, err := startChild(cmd)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = c.end(syscall.SIGKILL) })
	select {
	case <-c.exited:
		assert.Positive(t, cmd.ProcessState.ExitCode())
		assert.NotEmpty(t, c.stderr.String())
	case <-time.After(patience):
		t.Errorf("cacheproxy runs though %s is wrong", name)
	}
}

// TestEnvironmentConfigures starts the binary as the container image does: no arguments at all.
func TestEnvironmentConfigures(t *testing.T) {
	addr := mustFreeAddr(t)
	cmd := command()
	cmd.Env = append(cmd.Env, "CACHEPROXY_ORIGIN="+origin.url(""), "CACHEPROXY_LISTEN="+addr, "CACHEPROXY_ADMIN=off")
	c, err := startChild(cmd)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = c.end(syscall.SIGKILL) })
	require.NoError(t, c.waitListening(addr))
	got := mustDo(t, newClient(t), "http://"+addr, get("/static/small.txt"))
	assert.Equal(t, 200, got.status)
	assert.True(t, mustCacheStatus(t, got).stored)
}

func TestNginxExample(t *testing.T) {
	conf, err := os.ReadFile(filepath.Join(examples, "nginx/default.conf"))
	require.NoError(t, err)
	site, err := filepath.Abs(filepath.Join(examples, "nginx/site"))
	require.NoError(t, err)
	server := replaceOnce(t, string(conf), "listen 80;", "listen ADDR;")
	server = replaceOnce(t, server, "/usr/share/nginx/html", site)
	n, err := startNginx(t.TempDir(), server)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.stop()) })

	p, client := startProxy(t, n.url("")), newClient(t)
	for _, tc := range []struct {
		path string
		hit  bool
	}{
		{"/", true},
		{"/assets/style.css", true},
		{"/account.html", false},
	} {
		first := mustDo(t, client, p.url(""), get(tc.path))
		require.Equal(t, 200, first.status, tc.path)
		second := mustDo(t, client, p.url(""), get(tc.path))
		assert.Equal(t, tc.hit, mustCacheStatus(t, second).hit, tc.path)
		assert.Empty(t, mustDo(t, client, n.url(""), get(tc.path)).differs(second), tc.path)
	}
}
