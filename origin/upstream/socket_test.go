//go:build unix

package upstream

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSockets: of several sockets the answer tells from which it is, and each is checked.
func TestSockets(t *testing.T) {
	dir, err := os.MkdirTemp("", "sockets") // that of the test may be too long
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	for _, name := range []string{first, second} {
		ln, err := net.Listen("unix", name)
		require.NoError(t, err)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/healthz" && name == second {
				w.WriteHeader(http.StatusInternalServerError)
			}
			fmt.Fprint(w, name, " ", r.Host)
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		defer func() { server.Close(); <-served }()
	}
	ask := func(o Options) (targets []string, u *Upstream) {
		o.Targets = []Target{{URL: "unix:" + first}, {URL: "unix:" + second}}
		u, err := New(o)
		require.NoError(t, err)
		t.Cleanup(u.Close)
		w := &world{T: t}
		for range 4 {
			target := *u.URL()
			target.Path = "/"
			g := w.send(u, (&http.Request{Method: http.MethodGet, URL: &target}).WithContext(t.Context()))
			assert.Equal(t, g.target+" localhost", g.body)
			targets = append(targets, g.target)
		}
		return targets, u
	}
	targets, _ := ask(Options{})
	assert.Equal(t, []string{first, second, first, second}, targets)
	_, u := ask(Options{Health: &Health{Path: "/healthz", Interval: time.Millisecond, Fall: 1, Rise: 1}})
	assert.Eventually(t, func() bool { return condition(u, 1) == Down }, 10*time.Second, time.Millisecond)
	assert.Equal(t, Up, condition(u, 0))
}
