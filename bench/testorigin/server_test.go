package testorigin

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func listen(t *testing.T, o Options) *Server {
	s, err := Listen("127.0.0.1:0", o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// client speaks one version of HTTP.
func client(t *testing.T, version int) *http.Client {
	p := new(http.Protocols)
	p.SetHTTP1(version == 1)
	p.SetUnencryptedHTTP2(version == 2)
	transport := &http.Transport{Protocols: p, MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestServerCountsExactly: who has read an answer finds it counted, whatever
// others are doing.
func TestServerCountsExactly(t *testing.T) {
	const clients, each = 8, 50
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("HTTP/%d", version), func(t *testing.T) {
			s := listen(t, Options{})
			c := client(t, version)
			var wait sync.WaitGroup
			for k := range clients {
				wait.Go(func() {
					for i := range each {
						size := int64(i * 3001)
						target := fmt.Sprintf("/o/%d-%d", k, size)
						res, err := c.Get(s.URL() + target)
						if !assert.NoError(t, err) {
							return
						}
						body, err := io.ReadAll(res.Body)
						assert.NoError(t, err)
						assert.NoError(t, res.Body.Close())
						assert.Equal(t, version, res.ProtoMajor)
						assert.Equal(t, size, res.ContentLength)
						assert.Len(t, body, int(size))
						assert.NoError(t, Identify("", target, "").Check(0, body))
						assert.GreaterOrEqual(t, s.Counters().Requests, int64(i+1))
					}
				})
			}
			wait.Wait()
			got := s.Counters()
			assert.Equal(t, int64(clients*each), got.Requests)
			assert.Equal(t, int64(clients*3001*each*(each-1)/2), got.BodyBytes)
			assert.Equal(t, map[int]int64{200: clients * each}, got.Statuses)
		})
	}
}

func TestRemoteCounters(t *testing.T) {
	s := listen(t, Options{})
	c := client(t, 1)
	for range 3 {
		res, err := c.Get(s.URL() + "/o/1-10")
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	want := s.Counters()
	require.Equal(t, int64(3), want.Requests)
	got, err := RemoteCounters(t.Context(), s.URL()+"/")
	require.NoError(t, err)
	assert.Equal(t, want, got, "and the question is not counted")
	got, err = RemoteReset(t.Context(), s.URL())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	got, err = RemoteCounters(t.Context(), s.URL())
	require.NoError(t, err)
	assert.Equal(t, newCounters(), got)
}

func TestRemoteRefuses(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer other.Close()
	_, err := RemoteCounters(t.Context(), other.URL)
	assert.ErrorContains(t, err, "is this the built-in origin?")
	_, err = RemoteReset(t.Context(), other.URL)
	assert.ErrorContains(t, err, "status 403; is this the built-in origin?")
	_, err = RemoteCounters(t.Context(), "http://\x00")
	assert.ErrorContains(t, err, "counters of the origin: ")
	other.Close()
	_, err = RemoteCounters(t.Context(), other.URL)
	assert.ErrorContains(t, err, "counters of the origin: ")
}

func TestListenRefuses(t *testing.T) {
	s := listen(t, Options{})
	_, err := Listen(s.Addr(), Options{})
	assert.ErrorContains(t, err, "give a free address, such as 127.0.0.1:0")
	_, err = Listen("127.0.0.1:0", Options{Latency: -1})
	assert.ErrorContains(t, err, "Latency is -1ns")
}

func TestCloseEndsConnections(t *testing.T) {
	s := listen(t, Options{})
	res, err := client(t, 1).Get(s.URL() + "/o/1-1000000000000")
	require.NoError(t, err)
	defer res.Body.Close()
	require.NoError(t, s.Close())
	_, err = io.Copy(io.Discard, res.Body)
	assert.Error(t, err, "an answer under way is cut short")
	_, err = client(t, 1).Get(s.URL() + "/o/1-1")
	assert.Error(t, err)
	assert.NoError(t, s.Close(), "again")
}
