package h2

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// TestOverTLS with a client that is as good as any, beside HEAD and uploads.
func TestOverTLS(t *testing.T) {
	s := cached(t, nil)
	upstream := httptest.NewUnstartedServer(nil) // for its certificate
	upstream.StartTLS()
	defer upstream.Close()
	config := &tls.Config{Certificates: upstream.TLS.Certificates, NextProtos: []string{"h2"}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		secure := tls.Server(conn, config)
		if secure.Handshake() == nil {
			s.ServeConn(context.Background(), secure)
		}
	}()
	tr := upstream.Client().Transport.(*http.Transport).Clone()
	tr.ForceAttemptHTTP2 = true
	client := &http.Client{Transport: tr}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			resp, err := client.Get("https://" + ln.Addr().String() + "/" + strconv.Itoa(i%3*300_000))
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.Len(t, b, i%3*300_000)
			assert.Equal(t, "HTTP/2.0", resp.Proto)
		})
	}
	wg.Wait()
	client.CloseIdleConnections()
	<-served
	ln.Close()
}

func TestStrong(t *testing.T) {
	for name, tc := range map[string]struct {
		state *tls.ConnectionState
		want  bool
	}{
		"in clear": {nil, true},
		"1.3":      {&tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256}, true},
		"1.2":      {&tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, true},
		"CBC":      {&tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}, false},
		"no ECDHE": {&tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, false},
		"1.1":      {&tls.ConnectionState{Version: tls.VersionTLS11, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}, false},
	} {
		assert.Equal(t, tc.want, strong(tc.state), name)
	}
}

// claims is a connection that says something of its TLS.
type claims struct {
	net.Conn
	state tls.ConnectionState
}

func (c claims) ConnectionState() tls.ConnectionState { return c.state }

// TestWeakTLS: the client is told why it is not served.
func TestWeakTLS(t *testing.T) {
	ours, theirs := net.Pipe()
	s := &Server{Handler: text("secret")}
	c := &client{t: t, conn: ours, frames: make(chan got, 100)}
	c.start()
	go c.read()
	served := make(chan struct{})
	go func() {
		s.ServeConn(context.Background(), claims{theirs, tls.ConnectionState{Version: tls.VersionTLS11}})
		close(served)
	}()
	_, err := io.WriteString(ours, http2.ClientPreface)
	require.NoError(t, err)
	assert.Equal(t, http2.ErrCodeInadequateSecurity, c.expect(http2.FrameGoAway).Code)
	ours.Close()
	<-served
}
