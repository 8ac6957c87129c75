package server

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// source returns a connection from which content comes, until it ends.
func source(t *testing.T, content []byte) *net.TCPConn {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	go func() {
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			return
		}
		_, _ = nc.Write(content)
		nc.Close()
	}()
	nc, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { nc.Close() })
	return nc.(*net.TCPConn)
}

// TestReadFrom: content that the kernel moves arrives as it is, and what is
// missing of it is not taken for the end.
func TestReadFrom(t *testing.T) {
	content := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	for _, tc := range []struct {
		name             string
		method           string
		said, come, want int  // bytes: Content-Length, what the source has, what is read of it
		direct           bool // without the handler's memory
		broken           bool
	}{
		{"all of it", "GET", 3 << 20, 3 << 20, 3 << 20, true, false},
		{"a part of the source", "GET", 1 << 20, 3 << 20, 1 << 20, true, false},
		{"the source breaks off", "GET", 3 << 20, 1 << 20, 3 << 20, true, true},
		{"the source is empty", "GET", 1 << 20, 0, 1 << 20, true, true},
		{"HEAD", "HEAD", 100, 100, 100, false, false},
		{"more than was said", "GET", 10, 100, 100, false, true},
		{"length not known", "GET", -1, 1 << 20, 1 << 20, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var direct atomic.Bool
			s, err := Listen("127.0.0.1:0", Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/next" {
					_, _ = io.WriteString(w, "next")
					return
				}
				if tc.said >= 0 {
					w.Header().Set("Content-Length", strconv.Itoa(tc.said))
				}
				w.WriteHeader(http.StatusOK)
				src := &io.LimitedReader{R: source(t, content[:tc.come]), N: int64(tc.want)}
				resp := w.(*response)
				direct.Store(resp.takes(src.N) && resp.CanSplice())
				n, err := resp.ReadFrom(src)
				if err == nil && src.N > 0 && tc.want == tc.said {
					assert.EqualValues(t, tc.come, n)
					panic(http.ErrAbortHandler)
				}
			})})
			require.NoError(t, err)
			go s.Serve()
			defer s.Close()
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			r, err := http.NewRequest(tc.method, "http://"+s.Addr().String()+"/", nil)
			require.NoError(t, err)
			resp, err := client.Do(r)
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			assert.Equal(t, tc.direct, direct.Load())
			assert.Equal(t, tc.broken, err != nil, "%v", err)
			assert.True(t, bytes.HasPrefix(content, got))
			if !tc.broken && tc.method == "GET" {
				assert.Len(t, got, tc.want)
			}
			resp, err = client.Get("http://" + s.Addr().String() + "/next") // the server goes on
			require.NoError(t, err)
			got, err = io.ReadAll(resp.Body)
			resp.Body.Close()
			require.NoError(t, err)
			assert.Equal(t, "next", string(got))
		})
	}
}
