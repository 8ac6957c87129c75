package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// As logrotate does it: the file is moved away, and SIGHUP asks for a new one.
func TestHangUpReopensTheAccessLog(t *testing.T) {
	dir := t.TempDir()
	file, log, rotated := filepath.Join(dir, "cacheproxy.yaml"), filepath.Join(dir, "access.log"), filepath.Join(dir, "access.log.1")
	write := func(more string) {
		text := fmt.Sprintf("origin: %s\naccess_log: {output: %q}\n%s", origin.url(""), log, more)
		require.NoError(t, os.WriteFile(file+".next", []byte(text), 0o644))
		require.NoError(t, os.Rename(file+".next", file))
	}
	write("")
	p, client := startProxy(t, "", "--config", file, "--access-log", "full"), newClient(t)
	for round, more := range []string{"", "bypas: true\n"} { // with a configuration that stays, and with one that is refused
		path := fmt.Sprintf("/static/n/%d.txt", round)
		mustDo(t, client, p.url(""), get(path+"?old"))
		require.Eventually(t, func() bool { return strings.Contains(content(log), path+"?old") }, patience, 10*time.Millisecond)
		require.NoError(t, os.Rename(log, rotated))
		if more != "" {
			write(more)
		}
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGHUP))
		require.Eventually(t, func() bool {
			mustDo(t, client, p.url(""), get(path+"?new"))
			return strings.Contains(content(log), path+"?new")
		}, patience, 50*time.Millisecond, "the file is made anew")
		assert.NotContains(t, content(log), path+"?old")
		assert.Contains(t, content(rotated), path+"?old")
	}
}

func content(file string) string {
	text, _ := os.ReadFile(file) // none is as good as an empty one
	return string(text)
}

// An origin must not be able to write into the log of the proxy.
func TestWhatAnOriginSendsUnaskedIsNotPrinted(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	p, client := startProxy(t, "http://"+ln.Addr().String()), newClient(t)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		conn, err := ln.Accept()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		buf := make([]byte, 64<<10)
		_, _ = conn.Read(buf)
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokforged line"))
		for err == nil {
			_, err = conn.Read(buf) // until the proxy has seen it and closes
		}
	}()
	require.Equal(t, 200, mustDo(t, client, p.url(""), get("/")).status)
	<-closed
	_, err = p.end(syscall.SIGTERM)
	require.NoError(t, err)
	assert.NotContains(t, p.stderr.String(), "forged")
	assert.NotContains(t, p.stderr.String(), "nsolicited")
}
