package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echoOrigin switches to a protocol in which every line comes back, and which ends after the line "bye".
func echoOrigin(t *testing.T) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		for line := ""; line != "bye\n"; {
			if rw.Flush() != nil {
				return
			}
			if line, err = rw.ReadString('\n'); err != nil {
				return
			}
			_, _ = rw.WriteString(line)
		}
		_ = rw.Flush()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// upgraded is a connection through the proxy to an echoOrigin.
type upgraded struct {
	net.Conn
	in *bufio.Reader
}

func dialUpgraded(t *testing.T, p *proxy) upgraded {
	t.Helper()
	conn, err := net.Dial("tcp", p.addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: "+p.addr+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	require.NoError(t, err)
	u := upgraded{conn, bufio.NewReader(conn)}
	resp, err := http.ReadResponse(u.in, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	require.Equal(t, "hello\n", u.echo(t, "hello\n"))
	return u
}

func (u upgraded) echo(t *testing.T, line string) string {
	t.Helper()
	_, err := io.WriteString(u, line)
	require.NoError(t, err)
	back, err := u.in.ReadString('\n')
	require.NoError(t, err)
	return back
}

func TestTermLetsUpgradesEnd(t *testing.T) {
	p := startProxy(t, echoOrigin(t))
	u := dialUpgraded(t, p)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return refused(p.addr) }, patience, 10*time.Millisecond,
		"new connections are refused")

	// A proxy that forgets the connection would be gone long before this is over.
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
		require.Equal(t, "still here\n", u.echo(t, "still here\n"))
	}
	require.True(t, p.running())
	assert.Equal(t, "bye\n", u.echo(t, "bye\n"))
	_, err := u.in.ReadByte()
	assert.ErrorIs(t, err, io.EOF, "the origin has ended it")
	require.NoError(t, u.Close())
	select {
	case <-p.exited: // and not by a signal of ours: there is nothing left to wait for
	case <-time.After(patience):
		t.Error("the proxy still waits")
	}
	assert.NotContains(t, p.stderr.String(), "drain timeout")
}

func TestDrainTimeoutBoundsUpgrades(t *testing.T) {
	p := startProxy(t, echoOrigin(t), "--drain-timeout", "200ms")
	u := dialUpgraded(t, p)
	code, err := p.end(syscall.SIGTERM)
	require.NoError(t, err, "the process ends though the connection does not")
	assert.Zero(t, code)
	assert.Contains(t, p.stderr.String(), "drain timeout")
	_, err = u.in.ReadByte()
	assert.Error(t, err, "the connection is cut off")
}
