package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loopConn is a client's end of a connection to the loop, and how the loop ended.
func loopConn(t *testing.T, a loopAnswers) (net.Conn, chan error) {
	client, server := net.Pipe()
	ended := make(chan error, 1)
	go func() {
		defer server.Close()
		ended <- a.answer(server)
	}()
	t.Cleanup(func() { client.Close() })
	return client, ended
}

func TestLoopAnswers(t *testing.T) {
	conn, ended := loopConn(t, newLoopAnswers())
	in := bufio.NewReader(conn)
	for _, tc := range []struct {
		path  string
		parts []string // in which the request arrives
	}{
		{"/small/1", []string{"GET /small/1 HTTP/1.1\r\nHost: a\r\n\r\n"}},
		{"/medium/77", []string{"GET /medium/77 HTTP/1.1\r\n", "Host: a\r\n", "\r\n"}},
		{"/large/1", []string{"GET /large/1 HTTP/1.1\r\nHost: a\r\n\r", "\n"}},
	} {
		for _, p := range tc.parts {
			_, err := io.WriteString(conn, p)
			require.NoError(t, err)
		}
		resp, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		kind, _, _ := strings.Cut(tc.path[1:], "/")
		assert.Equal(t, 200, resp.StatusCode)
		assert.Equal(t, content(objects[kind].size), got)
	}
	conn.Close()
	assert.ErrorIs(t, <-ended, io.EOF)
}

func TestLoopRefuses(t *testing.T) {
	answers := newLoopAnswers()
	for _, tc := range []struct{ name, request, want string }{
		{"another path", "GET /nocache/1 HTTP/1.1\r\n\r\n", "no scenario asks for"},
		{"hardly a request", "\r\n\r\n", "no scenario asks for"},
		{"a long head", strings.Repeat("x", 4096), "more than 4096 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, ended := loopConn(t, answers)
			_, err := io.WriteString(conn, tc.request)
			require.NoError(t, err)
			assert.ErrorContains(t, <-ended, tc.want)
		})
	}
}

func TestConstantHandler(t *testing.T) {
	h := constantHandler()
	for path, size := range map[string]int{"/small/9": 1 << 10, "/medium/9": 32 << 10, "/large/9": 10 << 20} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		assert.Equal(t, 200, w.Code)
		assert.Equal(t, content(size), w.Body.Bytes())
	}
}
