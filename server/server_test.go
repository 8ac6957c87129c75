package server

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// start serves a handler that answers "begun", and "ended" once it is let go.
func start(t *testing.T) (s *Server, letGo chan struct{}, served chan error) {
	t.Helper()
	letGo, served = make(chan struct{}), make(chan error, 1)
	s, err := Listen("127.0.0.1:0", Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun ")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-letGo:
			_, _ = io.WriteString(w, "ended")
		case <-r.Context().Done():
		}
	})})
	require.NoError(t, err)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() { s.Close() })
	return s, letGo, served
}

// get starts a request and returns once its head is there.
func get(t *testing.T, s *Server) *http.Response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestDrainLetsRequestsFinish(t *testing.T) {
	s, letGo, served := start(t)
	resp := get(t, s)
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(context.Background()) }()
	require.NoError(t, <-served, "it does not accept any more")
	_, err := http.Get("http://" + s.Addr().String())
	require.Error(t, err, "nobody listens")
	close(letGo)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "begun ended", string(body))
	assert.NoError(t, <-drained)
}

func TestDrainCutsWhatTakesTooLong(t *testing.T) {
	s, _, served := start(t)
	resp := get(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, s.Drain(ctx), context.Canceled)
	assert.NoError(t, <-served)
	_, err := io.ReadAll(resp.Body)
	assert.Error(t, err, "the client sees that it was cut")
}

func TestListenNamesTheAddress(t *testing.T) {
	s, _, _ := start(t)
	_, err := Listen(s.Addr().String(), Options{})
	assert.ErrorContains(t, err, s.Addr().String())
}
