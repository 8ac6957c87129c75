package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cacheproxy/cache"
	"cacheproxy/proxy"
	"cacheproxy/revalidate"
)

// wide is an origin whose answers are 8 MiB each, and may be stored but below /own.
type wide struct{}

const wideSize = 8 << 20

func (wide) URL() *url.URL { return &url.URL{Scheme: "http", Host: "origin.test"} }

func (wide) RoundTrip(r *http.Request) (*http.Response, error) {
	control := "max-age=60"
	if r.URL.Path == "/own" {
		control = "no-store"
	}
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, ContentLength: wideSize, Request: r,
		Header: http.Header{"Cache-Control": {control}},
		Body:   io.NopCloser(io.LimitReader(zeros{}, wideSize)),
	}, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// drips asks for a path and reads no more than the head.
func drips(t *testing.T, s *Server, path string) net.Conn {
	nc := dial(t, s)
	require.NoError(t, nc.(*net.TCPConn).SetReadBuffer(4<<10))
	_, err := fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: a.example\r\n\r\n", path)
	require.NoError(t, err)
	_, err = io.ReadFull(nc, make([]byte, 64))
	require.NoError(t, err)
	return nc
}

// TestRelieve: of the clients that do not read, those are ended that have waited for
// longest, and no more than are needed. What is not held in memory is left alone.
func TestRelieve(t *testing.T) {
	for _, lane := range []bool{true, false} {
		t.Run(fmt.Sprintf("lane %t", lane), func(t *testing.T) {
			store, err := cache.New[revalidate.Kept](cache.Options{MaxCost: 256 << 20})
			require.NoError(t, err)
			fetcher := revalidate.New(revalidate.Options{Store: store, MaxObject: 16 << 20, MaxVariants: 1})
			p := proxy.New(fetcher, plainConfig(wide{}), nil)
			s := front(t, Options{Handler: p, Hit: p.Hit, NoLane: !lane})
			defer func() {
				s.Close()
				fetcher.Close()
				store.Close()
			}()
			assert.Zero(t, Relieve(1, s), "nobody is slow")
			passed := dial(t, s)
			_, err = io.WriteString(passed, "GET /own HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
			require.NoError(t, err)
			first := drips(t, s, "/miss")
			time.Sleep(patience)
			second := drips(t, s, "/miss") // a hit by now
			time.Sleep(2 * patience)
			third := drips(t, s, "/third")
			assert.Zero(t, Relieve(0, s), "nothing is needed")

			assert.Equal(t, 1, Relieve(wideSize, s))
			wantReset(t, first)
			assert.Equal(t, 1, Relieve(wideSize, s))
			wantReset(t, second)
			time.Sleep(2 * patience)
			assert.Equal(t, 1, Relieve(1<<40, s))
			wantReset(t, third)
			assert.Zero(t, Relieve(1<<40, s), "what is not held")

			n, err := io.Copy(io.Discard, passed)
			assert.NoError(t, err)
			assert.Greater(t, n, int64(wideSize), "it gets all of it")
		})
	}
}

// wantReset wants a connection to be reset before its answer is whole.
func wantReset(t *testing.T, nc net.Conn) {
	t.Helper()
	n, err := io.Copy(io.Discard, nc)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Less(t, n, int64(wideSize))
}

// TestRelieveSparesWhoReads: a client that reads at a fair pace is left alone, however
// large the buffers of its socket are.
func TestRelieveSparesWhoReads(t *testing.T) {
	s := front(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.(proxy.Holder).Holds(func() int64 { return wideSize })
		_, _ = w.Write(make([]byte, 3*wideSize))
	})})
	nc := dial(t, s)
	_, err := io.WriteString(nc, aGet)
	require.NoError(t, err)
	for asked := 0; asked < 40; { // 2 MiB in a second
		_, err := io.ReadFull(nc, make([]byte, 100<<10))
		require.NoError(t, err)
		began := time.Now()
		time.Sleep(patience / 5)
		if time.Since(began) < patience/2 { // otherwise the machine is busy, and this client slow
			assert.Zero(t, Relieve(1<<40, s))
			asked++
		}
	}
	assert.Eventually(t, func() bool { return Relieve(1<<40, s) == 1 }, tooLong, patience, "now it does not read")
}
