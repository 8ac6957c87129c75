package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proxy is a running cacheproxy.
type proxy struct {
	*child
	addr, admin string
}

// startProxy runs cacheproxy before originURL. More arguments follow the usual ones. It is stopped when the test
// ends, and must then exit with 0.
func startProxy(t *testing.T, originURL string, more ...string) *proxy {
	t.Helper()
	p := launch(t, originURL, more...)
	t.Cleanup(func() {
		code, err := p.end(syscall.SIGTERM)
		assert.NoError(t, err)
		assert.Zero(t, code, "exit code of cacheproxy")
	})
	return p
}

// launch is startProxy for tests in which the proxy may end in another way.
func launch(t *testing.T, originURL string, more ...string) *proxy {
	t.Helper()
	addr, admin := mustFreeAddr(t), mustFreeAddr(t)
	args := append([]string{"--listen", addr, "--admin", admin, "--access-log", "off"}, more...)
	if originURL != "" {
		args = append(args, "--origin", originURL)
	}
	c, err := startChild(command(args...))
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = c.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("standard error of cacheproxy:\n%s", c.stderr)
		}
	})
	require.NoError(t, c.waitListening(addr))
	require.NoError(t, c.waitListening(admin))
	return &proxy{child: c, addr: addr, admin: admin}
}

// command is the binary with a clean environment, so that no setting of the caller's gets in.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CACHEPROXY_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	return cmd
}

func mustFreeAddr(t *testing.T) string {
	t.Helper()
	addr, err := freeAddr()
	require.NoError(t, err)
	return addr
}

func (p *proxy) url(path string) string      { return "http://" + p.addr + path }
func (p *proxy) adminURL(path string) string { return "http://" + p.admin + path }
func (n *nginx) url(path string) string      { return "http://" + n.addr + path }

// newClient follows no redirects, decodes nothing, and gives up on an answer that does not come.
func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
