package server

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// TestASlowReaderIsDropped: a client that takes a byte now and then of what is in
// the store does not hold its connection.
func TestASlowReaderIsDropped(t *testing.T) {
	config := func(o revalidate.Origin) *proxy.Config {
		c := plainConfig(o)
		c.WriteTimeout = time.Second
		return c
	}
	s := newSide(t, lawConfig{"slow", config}, true, newSockets(t), nil)
	nc := dial(t, s.server)
	const asks = "GET /large HTTP/1.1\r\nHost: a.example\r\n\r\n"
	_, err := io.WriteString(nc, strings.Repeat(asks, 300)) // 30 MiB, more than sockets hold
	require.NoError(t, err)
	ended := func() bool {
		_, _ = nc.Read(make([]byte, 1))
		n, _ := s.server.Stats()
		return n == 0
	}
	began := time.Now()
	require.Eventually(t, ended, tooLong, 50*time.Millisecond)
	assert.GreaterOrEqual(t, time.Since(began), time.Second-100*time.Millisecond)
	assert.LessOrEqual(t, time.Since(began), 3*time.Second+4*tick, "its socket may take slices at first, each of which gives it time")
}
