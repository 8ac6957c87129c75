package e2e

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gatedOrigin sends the first half of body at once and the rest when open is closed.
func gatedOrigin(t *testing.T, body []byte) (url string, open chan struct{}) {
	open = make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-open:
		case <-r.Context().Done():
		}
		_, _ = w.Write(body[len(body)/2:])
	}))
	t.Cleanup(server.Close)
	return server.URL, open
}

func TestTermDrains(t *testing.T) {
	body := noise(3 << 20)
	url, open := gatedOrigin(t, body)
	p, client := startProxy(t, url), newClient(t)

	resp, err := client.Get(p.url("/download"))
	require.NoError(t, err)
	defer resp.Body.Close()
	got := make([]byte, len(body))
	_, err = io.ReadFull(resp.Body, got[:len(body)/2])
	require.NoError(t, err)

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return refused(p.addr) }, patience, 10*time.Millisecond,
		"new connections are refused")
	require.True(t, p.running(), "the download is still going on")

	close(open)
	_, err = io.ReadFull(resp.Body, got[len(body)/2:])
	require.NoError(t, err)
	assert.Empty(t, diffBody(answer{body: got}, answer{body: body}))
	code, err := p.end(syscall.SIGTERM)
	require.NoError(t, err)
	assert.Zero(t, code)
}

func TestDrainingIsNotReadyButHealthy(t *testing.T) {
	body := noise(1 << 10)
	url, open := gatedOrigin(t, body)
	p, client := startProxy(t, url), newClient(t)

	resp, err := client.Get(p.url("/download"))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, mustDo(t, client, p.adminURL(""), get("/readyz")).status)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))

	assert.Eventually(t, func() bool {
		got, err := do(client, p.adminURL(""), get("/readyz"))
		return err == nil && got.status == 503
	}, patience, 10*time.Millisecond, "not ready while draining")
	assert.Equal(t, 200, mustDo(t, client, p.adminURL(""), get("/healthz")).status)
	close(open)
	_, err = io.Copy(io.Discard, resp.Body)
	assert.NoError(t, err)
}

func TestDrainTimeoutBoundsTheWait(t *testing.T) {
	url, _ := gatedOrigin(t, noise(1<<10)) // never opened
	p := launch(t, url, "--drain-timeout", "100ms")
	client := newClient(t)
	resp, err := client.Get(p.url("/download"))
	require.NoError(t, err)
	defer resp.Body.Close()

	_, err = p.end(syscall.SIGTERM)
	require.NoError(t, err, "the process ends though the download does not")
	_, err = io.Copy(io.Discard, resp.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "the client sees a broken transfer")
}

func refused(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
