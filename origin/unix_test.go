//go:build unix

package origin

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// overSocket serves on a Unix socket.
func overSocket(t *testing.T, fn func(*peer)) (*server, *Origin) {
	t.Helper()
	dir, err := os.MkdirTemp("", "origin") // that of the test may be too long
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	name := filepath.Join(dir, "socket")
	ln, err := net.Listen("unix", name)
	require.NoError(t, err)
	s := &server{t: t, fn: fn, base: "http://localhost", open: make(map[net.Conn]bool)}
	s.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			s.serve(nc)
		}
	})
	t.Cleanup(func() {
		ln.Close()
		s.close()
	})
	return s, open(t, "unix:"+name, Options{})
}

func TestUnixSocket(t *testing.T) {
	heads := make(chan []string, 1)
	s, o := overSocket(t, func(p *peer) {
		for n := 0; ; n++ {
			h := p.head()
			switch {
			case h == nil:
				return
			case p.n == 2 && n == 0:
				heads <- h
			case p.n == 2:
				return // the kept connection is lost
			}
			p.say(ok)
		}
	})
	assert.Equal(t, o.target, o.URL().Host)
	assert.NoError(t, o.Reachable(t.Context()))
	r := s.request("GET", "")
	r.URL.Host, r.Host = o.URL().Host, ""
	r.Header["A"] = []string{"b"}
	for range 3 {
		resp, body := ask(t, o, r)
		assert.Equal(t, "ok", body)
		assert.Equal(t, o.target, resp.Request.URL.Host)
	}
	assert.Equal(t, []string{"GET / HTTP/1.1", "Host: localhost", "A: b"}, <-heads)
	assert.Equal(t, 3, s.connections(), "one to look, one that was lost, one after it")
}

// A large body goes from socket to socket.
func TestUnixSocketSplices(t *testing.T) {
	content := noise(3 << 20)
	s, o := overSocket(t, func(p *peer) {
		p.head()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(content)) + "\r\n\r\n" + string(content))
	})
	resp, err := o.RoundTrip(s.request("GET", ""))
	require.NoError(t, err)
	defer resp.Body.Close()
	ours, theirs := tcpPair(t)
	got := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(theirs)
		got <- b
	}()
	n, err := resp.Body.(io.WriterTo).WriteTo(ours)
	assert.NoError(t, err)
	assert.EqualValues(t, len(content), n)
	ours.Close()
	assert.True(t, bytes.Equal(content, <-got))
}

func TestUnixSocketFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "none")
	o := open(t, "unix:"+name, Options{})
	err := fails(t, o, get(t, "http://localhost"), Refused)
	assert.ErrorContains(t, err, "no such file")

	s, o := overSocket(t, func(p *peer) { p.head() })
	fails(t, o, s.request("POST", ""), Terminated)

	_, err = New("unix:/"+strings.Repeat("x", 200), Options{})
	assert.ErrorContains(t, err, "use a shorter one")
	_, err = New("unix:/a?b", Options{})
	assert.ErrorContains(t, err, "absolute path")
}
