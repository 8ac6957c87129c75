package proxy_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
)

// Over HTTP/2 the limits on content are the same; they end a stream and not the
// connection.
func TestContentLimitsOverHTTP2(t *testing.T) {
	p := newProxyOf(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}, func(c *proxy.Config) { c.MaxContent, c.ContentTime = 1000, 200*time.Millisecond })
	addr := serve(t, p, false)
	dials := 0
	tr := &http.Transport{Protocols: new(http.Protocols), DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		dials++
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}}
	tr.Protocols.SetUnencryptedHTTP2(true)
	defer tr.CloseIdleConnections()
	post := func(body io.Reader, length int64) (status int, reason string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://example.com/", body)
		require.NoError(t, err)
		r.ContentLength = length
		resp, err := tr.RoundTrip(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	status, body := post(strings.NewReader("hello"), 5)
	assert.Equal(t, 200, status)
	assert.Equal(t, "hello", body)

	stalled, w := io.Pipe()
	defer w.Close()
	status, body = post(stalled, -1)
	assert.Equal(t, http.StatusRequestTimeout, status)
	assert.Contains(t, body, "request-timeout")

	status, body = post(strings.NewReader(strings.Repeat("x", 1001)), 1001)
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	assert.Contains(t, body, "content-too-large")
	status, _ = post(io.MultiReader(strings.NewReader(strings.Repeat("x", 1001))), -1)
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)

	status, _ = post(strings.NewReader("again"), 5)
	assert.Equal(t, 200, status)
	assert.Equal(t, 1, dials, "the connection goes on")
}
