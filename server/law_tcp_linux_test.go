package server

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLawOverTCP holds the law where the lane reads sockets itself.
func TestLawOverTCP(t *testing.T) {
	for _, lc := range lawConfigs {
		t.Run(lc.name, func(t *testing.T) {
			with := newSide(t, lc, true, newSockets(t), nil)
			without := newSide(t, lc, false, newSockets(t), nil)
			compareAll(t, with, without, overTCP, lc.name == lawConfigs[0].name)
		})
	}
}

// TestLawOfTheLastSegment cuts clients off whose end comes together with what
// they sent last.
func TestLawOfTheLastSegment(t *testing.T) {
	with := newSide(t, lawConfigs[0], true, newSockets(t), nil)
	without := newSide(t, lawConfigs[0], false, newSockets(t), nil)
	for _, input := range []string{"", "G", "GET /fresh HT", aHit, aHit + "G", aHit + "GET /fre", "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\nGET /"} {
		if !compare(t, with, without, overCork, true, []byte(input)) {
			return
		}
	}
}

// TestUpgradeThroughTheLane speaks another protocol over a connection that the
// lane has read from.
func TestUpgradeThroughTheLane(t *testing.T) {
	for _, lane := range []bool{true, false} {
		s := newSide(t, lawConfigs[0], lane, newSockets(t), nil)
		nc, err := net.Dial("tcp", s.server.Addr().String())
		require.NoError(t, err)
		defer nc.Close()
		require.NoError(t, nc.SetDeadline(time.Now().Add(tooLong)))
		_, err = io.WriteString(nc, aHit+"GET /switch HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		require.NoError(t, err)
		var got strings.Builder
		for !strings.Contains(got.String(), "101 Switching") || !strings.HasSuffix(got.String(), "\r\n\r\n") {
			_, err := io.CopyN(&got, nc, 1)
			require.NoError(t, err, "lane=%t: %q", lane, &got)
		}
		for i := range 3 {
			ping := fmt.Sprintf("GET /ping-%d HTTP/1.1\r\n\r\n", i)
			_, err = io.WriteString(nc, ping)
			require.NoError(t, err)
			pong := make([]byte, len(ping))
			_, err = io.ReadFull(nc, pong)
			require.NoError(t, err)
			assert.Equal(t, ping, string(pong), "lane=%t", lane)
		}
		require.NoError(t, nc.(*net.TCPConn).CloseWrite())
		rest, err := io.ReadAll(nc)
		require.NoError(t, err)
		assert.Empty(t, rest)
	}
}

// sockets is a listener that remembers the connections it accepted, so that a
// test can see whether what it sent was read.
type sockets struct {
	net.Listener
	mu    sync.Mutex
	conns map[string]*net.TCPConn
}

func newSockets(t testing.TB) *sockets {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return &sockets{Listener: ln, conns: make(map[string]*net.TCPConn)}
}

func (l *sockets) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.conns[nc.RemoteAddr().String()] = nc.(*net.TCPConn)
		l.mu.Unlock()
	}
	return nc, err
}

// forget returns a connection by the client's address, nil before it is accepted.
func (l *sockets) conn(client string, forget bool) *net.TCPConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	nc := l.conns[client]
	if forget {
		delete(l.conns, client)
	}
	return nc
}

// overTCP sends each segment after the one before was read, and says that no more
// will come when all were.
func overTCP(t testing.TB, s *side, segments ...[]byte) transcript {
	ln := s.server.listener.(*sockets)
	nc, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	client := nc.LocalAddr().String()
	defer ln.conn(client, true)
	return converse(t, s, nc.(*net.TCPConn), segments, func(ended chan struct{}) { ln.untilRead(nc.(*net.TCPConn), ended) })
}

// untilRead waits until the server has read all that was sent, or has ended.
func (l *sockets) untilRead(client *net.TCPConn, ended chan struct{}) {
	for {
		runtime.Gosched()
		select {
		case <-ended:
			return
		default:
		}
		if n, ok := queued(client, syscall.TIOCOUTQ); ok && n > 0 {
			continue
		}
		server := l.conn(client.LocalAddr().String(), false)
		if server == nil {
			continue
		}
		if n, ok := queued(server, syscall.TIOCINQ); !ok || n == 0 {
			return
		}
	}
}

// queued asks how many bytes wait in a socket; ok is false when it is closed.
func queued(nc *net.TCPConn, what uintptr) (n int32, ok bool) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return 0, false
	}
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, what, uintptr(unsafe.Pointer(&n)))
	})
	return n, err == nil && errno == 0
}

// overCork sends a segment in one packet with the end of the stream.
func overCork(t testing.TB, s *side, segments ...[]byte) transcript {
	nc, err := net.Dial("tcp", s.server.Addr().String())
	require.NoError(t, err)
	raw, err := nc.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1)
	}))
	require.NoError(t, err)
	return converse(t, s, nc.(*net.TCPConn), segments, func(chan struct{}) {})
}
