//go:build !linux

package server

import (
	"net"
	"syscall"
)

// Elsewhere connections are read and written through the net package.

func rawConn(net.Conn) syscall.RawConn { return nil }

func readFD(int, []byte) (n int, again bool) { return -1, false }

func writeFD(int, []byte) (int, error) { return 0, nil }

const mostParts = 64

func writevFD(int, [][]byte) (int, error) { return 0, nil }

func hungUp(syscall.RawConn) bool { return false }

func outQueue(*net.TCPConn) int64 { return -1 }

func shutDown(syscall.RawConn) {}

func (c *conn) splice(*net.TCPConn, int64) (taken, given int64, err error) {
	return 0, 0, errNoSplice
}
