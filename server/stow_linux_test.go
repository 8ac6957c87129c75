package server

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A head that comes in pieces is put away in between, and served once it is whole.
func TestAHeadInPiecesIsServed(t *testing.T) {
	s := front(t, Options{Handler: echoed})
	nc := dial(t, s)
	head := "GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\nHost: a.example\r\nX: " + strings.Repeat("b", 20_000) + "\r\nConnection: close\r\n\r\n"
	for at := 0; at < len(head); at += 7001 {
		_, err := io.WriteString(nc, head[at:min(at+7001, len(head))])
		require.NoError(t, err)
		if at+7001 < len(head) {
			require.Eventually(t, func() bool { return s.heads.Load() == int64(at+7001) }, tooLong, time.Millisecond)
		}
	}
	assert.Equal(t, []string{"GET 29001 "}, talkTo(t, nc, ""))
	require.Eventually(t, func() bool { return s.heads.Load() == 0 }, tooLong, time.Millisecond)
}

// Heads that are not whole take so much memory and no more, and none of it is kept
// when their connections end. Usual ones of other clients are held all the same.
func TestHeadsThatAreNotWholeAreBounded(t *testing.T) {
	s := front(t, Options{Handler: echoed})
	head := "GET / HTTP/1.1\r\nHost: a.example\r\nX: " + strings.Repeat("b", 60_000)
	const fit = mostHeads / 60_036
	var conns []net.Conn
	for range fit {
		nc := dial(t, s)
		_, err := io.WriteString(nc, head)
		require.NoError(t, err)
		conns = append(conns, nc)
	}
	require.Eventually(t, func() bool { return s.heads.Load() == int64(fit*len(head)) }, tooLong, time.Millisecond)
	assert.Equal(t, []string{"overloaded"}, talkTo(t, dial(t, s), head))
	assert.Equal(t, []string{"GET 1 "}, talkTo(t, dial(t, s), "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"), "others are served")
	usual := "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nX: " + strings.Repeat("b", 3000)
	var others []net.Conn
	for range 20 { // more than there is room for
		nc := dial(t, s)
		_, err := io.WriteString(nc, usual)
		require.NoError(t, err)
		others = append(others, nc)
	}
	require.Eventually(t, func() bool { return s.heads.Load() == int64(fit*len(head)+20*len(usual)) }, tooLong, time.Millisecond)
	for _, nc := range others {
		assert.Equal(t, []string{"GET 3001 "}, talkTo(t, nc, "\r\n\r\n"), "usual heads may come in pieces")
	}
	for _, nc := range conns {
		nc.Close()
	}
	require.Eventually(t, func() bool { return s.heads.Load() == 0 }, tooLong, time.Millisecond)
}

// TestHeadsOfRequestsUnderWayAreBounded, whoever answers them; a request with a usual
// head is taken all the same.
func TestHeadsOfRequestsUnderWayAreBounded(t *testing.T) {
	for _, way := range []string{"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nContent-Length: 5\r\n"} {
		arrived, release := make(chan bool), make(chan bool)
		s := front(t, Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(r.Header.Get("X")) == 60_000 {
				arrived <- true
				<-release
			}
			echoed(w, r)
		})})
		head := way + "Host: a.example\r\nConnection: close\r\nX: " + strings.Repeat("b", 60_000) + "\r\n\r\n"
		var conns []net.Conn
		for range mostHeads / len(head) {
			nc := dial(t, s)
			_, err := io.WriteString(nc, head)
			require.NoError(t, err)
			<-arrived
			conns = append(conns, nc)
		}
		assert.Equal(t, []string{"overloaded"}, talkTo(t, dial(t, s), head))
		assert.Equal(t, []string{"GET 5 "}, talkTo(t, dial(t, s), last))
		close(release)
		for _, nc := range conns {
			content := map[byte]string{'G': "", 'P': "hello"}[way[0]]
			assert.Equal(t, []string{strings.Fields(way)[0] + " 60001 " + content}, talkTo(t, nc, content))
		}
		require.Eventually(t, func() bool { return s.heads.Load() == 0 }, tooLong, time.Millisecond)
	}
}
