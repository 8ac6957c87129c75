package server

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// BenchmarkWays compares ways to send a stored body: from the heap with one writev,
// as the lane does, and from a file in memory with sendfile. What counts is the CPU
// time of the thread that sends.
//
//	go test -run '^$' -bench Ways -benchtime 0.3s -count 5 ./server
func BenchmarkWays(b *testing.B) {
	const stored = 256 << 20
	heap := make([]byte, stored)
	for i := range heap {
		heap[i] = byte(i)
	}
	memory, err := unix.MemfdCreate("bodies", unix.MFD_CLOEXEC)
	require.NoError(b, err)
	file := os.NewFile(uintptr(memory), "bodies")
	defer file.Close()
	_, err = file.Write(heap)
	require.NoError(b, err)
	head := make([]byte, 300)
	for _, size := range []int{4 << 10, 32 << 10, 256 << 10, 10 << 20} {
		at := func(i int) int { return i * 7919 % (stored / size) * size }
		b.Run(fmt.Sprint("writev/", size), func(b *testing.B) {
			sending(b, func(fd, i int) {
				parts := [][]byte{head, heap[at(i):][:size]}
				for len(parts) > 0 {
					n, err := unix.Writev(fd, parts)
					require.NoError(b, err)
					for len(parts) > 0 && n >= len(parts[0]) {
						n -= len(parts[0])
						parts = parts[1:]
					}
					if len(parts) > 0 {
						parts[0] = parts[0][n:]
					}
				}
			})
		})
		b.Run(fmt.Sprint("sendfile/", size), func(b *testing.B) {
			sending(b, func(fd, i int) {
				require.NoError(b, unix.Sendto(fd, head, unix.MSG_MORE, nil))
				from := int64(at(i))
				for left := size; left > 0; {
					n, err := unix.Sendfile(fd, memory, &from, left)
					require.NoError(b, err)
					left -= n
				}
			})
		})
	}
}

// sending runs send on a thread of its own, with a client that takes everything.
func sending(b *testing.B, send func(fd, i int)) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(b, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, client, make([]byte, 256<<10))
	}()
	conn, err := ln.Accept()
	require.NoError(b, err)
	f, err := conn.(*net.TCPConn).File()
	require.NoError(b, err)
	fd := int(f.Fd()) // blocking from now on
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, sent := threadTime(b), 0
	for b.Loop() {
		send(fd, sent)
		sent++
	}
	b.ReportMetric(float64(threadTime(b)-before)/float64(sent), "cpu-ns/op")
	f.Close()
	conn.Close()
	<-done
	client.Close()
}

func threadTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(unix.RUSAGE_THREAD, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
