package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
	"cacheproxy/server"
)

// serve serves a proxy on a port of this machine, with and without the lane.
func serve(t *testing.T, p *proxy.Proxy, noLane bool) string {
	t.Helper()
	s, err := server.Listen("127.0.0.1:0", server.Options{Handler: p, Hit: p.Hit, Refuse: p.Refuse, NoLane: noLane})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		_ = s.Close()
		require.NoError(t, <-served)
	})
	return s.Addr().String()
}

// TestEarlyErrorsReachWhoStillSends: a client that sends all of its content before
// it looks for an answer gets the answer, and not a reset.
func TestEarlyErrorsReachWhoStillSends(t *testing.T) {
	refuses := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "no")
	}
	const size = 8 << 20
	for _, noLane := range []bool{false, true} {
		for _, framing := range []string{fmt.Sprintf("Content-Length: %d", size), "Transfer-Encoding: chunked"} {
			for _, connection := range []string{"keep-alive", "close"} {
				for _, most := range []int64{0, 1 << 20} {
					name := fmt.Sprintf("lane %v/%s/%s/most %d", !noLane, framing, connection, most)
					t.Run(name, func(t *testing.T) {
						p := newProxyOf(t, refuses, func(c *proxy.Config) { c.MaxContent = most })
						addr := serve(t, p, noLane)
						conn, err := net.Dial("tcp", addr)
						require.NoError(t, err)
						defer conn.Close()
						require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
						_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nConnection: %s\r\n%s\r\n\r\n", connection, framing)
						require.NoError(t, err)
						content := bytes.Repeat([]byte("x"), size)
						if framing == "Transfer-Encoding: chunked" {
							content = fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", size, content)
						}
						_, err = conn.Write(content)
						require.NoError(t, err, "the rest of the content is taken")
						resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
						require.NoError(t, err)
						defer resp.Body.Close()
						_, err = io.ReadAll(resp.Body)
						require.NoError(t, err)
						assert.Contains(t, []int{http.StatusForbidden, http.StatusRequestEntityTooLarge}, resp.StatusCode)
					})
				}
			}
		}
	}
}
