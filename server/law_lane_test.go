package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhoAnswers tells who answers what, since the law would also hold if the
// lane gave everything away.
func TestWhoAnswers(t *testing.T) {
	for _, tc := range []struct {
		config          lawConfig
		head            string
		hits, own, lent int64
	}{
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: a.example\r\n", 1, 0, 0},
		{lawConfigs[0], "HEAD /fresh HTTP/1.1\r\nHost: a.example\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /large HTTP/1.1\r\nHost: a.example\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /missing HTTP/1.1\r\nHost: A.example.:80\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: a.example\r\nIf-None-Match: \"f\"\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /gz HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /cookie HTTP/1.1\r\nHost: a.example\r\nCookie: a=1\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: https\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /old HTTP/1.1\r\nHost: a.example\r\nCache-Control: max-stale\r\n", 1, 0, 0},
		{lawConfigs[1], "GET /fresh?utm_source=x&b=2&a=1 HTTP/1.1\r\nHost: a.example\r\n", 1, 0, 0},
		{lawConfigs[1], "GET /missing?x HTTP/1.1\r\nHost: a.example\r\nCache-Control: no-cache\r\n", 1, 0, 0},
		{lawConfigs[2], "GET /fresh HTTP/1.1\r\nHost: a.example\r\n", 1, 0, 0},
		{lawConfigs[0], "GET /unknown HTTP/1.1\r\nHost: a.example\r\n", 0, 1, 0},
		{lawConfigs[0], "HEAD /headonly HTTP/1.1\r\nHost: a.example\r\n", 0, 1, 0},
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: a.example\r\nRange: bytes=0-9\r\n", 0, 1, 0},
		{lawConfigs[0], "GET /a%20b HTTP/1.1\r\nHost: a.example\r\n", 0, 1, 0},
		{lawConfigs[0], "GET /swr HTTP/1.1\r\nHost: a.example\r\n", 0, 1, 0},
		{lawConfigs[2], "GET /fresh HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: https\r\n", 0, 1, 0},
		{lawConfigs[0], "OPTIONS /fresh HTTP/1.1\r\nHost: a.example\r\n", 0, 0, 1},
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: [::1]\r\n", 0, 0, 1},
		{lawConfigs[0], "GET /fresh HTTP/1.0\r\nHost: a.example\r\n", 0, 0, 1},
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n", 0, 0, 1},
		{lawConfigs[0], "GET /fresh HTTP/1.1\r\nHost: a.example\r\nBroken\r\n", 0, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSide(t, tc.config, true, newPipes(), nil)
			overPipe(synctest.Wait)(t, s, []byte(tc.head+"\r\n"))
			assert.Equal(t, [3]int64{tc.hits, tc.own, tc.lent}, [3]int64{s.hits.Load(), s.own.Load(), s.lent.Load()},
				"%s: from the store, by the lane's exchange, by net/http: %q", tc.config.name, tc.head)
		})
	}
}

// TestMostOfTheCorpusIsTheLanes bounds from below what the lane answers of all
// the odd inputs.
func TestMostOfTheCorpusIsTheLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(t, lawConfigs[0], true, newPipes(), nil)
		for _, c := range corpus(t) {
			s.reset(true)
			overPipe(synctest.Wait)(t, s, c.input)
		}
		time.Sleep(time.Second) // what net/http lets linger
		assert.Greater(t, s.hits.Load(), int64(100), "answered from the store")
		assert.Greater(t, s.own.Load(), int64(80), "answered by the lane's exchange")
		assert.Greater(t, s.lent.Load(), int64(70), "answered through net/http")
	})
}

// TestHeadsAreNotMixed has many clients at once tell who they are.
func TestHeadsAreNotMixed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	newSide(t, lawConfigs[0], true, ln, nil)
	var wg sync.WaitGroup
	for client := range 16 {
		wg.Go(func() {
			nc, err := net.Dial("tcp", ln.Addr().String())
			if !assert.NoError(t, err) {
				return
			}
			defer nc.Close()
			br := bufio.NewReader(nc)
			for i := range 100 {
				me := fmt.Sprintf("client %d, request %d", client, i)
				_, err := fmt.Fprintf(nc, "GET /whoami?%d HTTP/1.1\r\nHost: a.example\r\nX-Me: %s\r\n\r\n", client, me)
				if !assert.NoError(t, err) {
					return
				}
				resp, err := http.ReadResponse(br, nil)
				if !assert.NoError(t, err) {
					return
				}
				got, err := io.ReadAll(resp.Body)
				if !assert.NoError(t, err) || !assert.Equal(t, me, string(got)) {
					return
				}
			}
		})
	}
	wg.Wait()
}
