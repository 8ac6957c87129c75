package server

import (
	"net"
	"syscall"
	"unsafe"
)

// rawConn returns the socket of a TCP connection, or nil.
func rawConn(nc net.Conn) syscall.RawConn {
	t, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// The calls below never block, so the scheduler need not know of them.

// readFD reads from a socket; again: there is nothing yet. n is 0 at the end of
// the stream, and negative after an error.
func readFD(fd int, b []byte) (n int, again bool) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), false
		case syscall.EAGAIN:
			return 0, true
		case syscall.EINTR:
		default:
			return -1, false
		}
	}
}

// writeFD writes as much as the socket takes now.
func writeFD(fd int, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return wrote(syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))))
}

// writevFD writes as much of the parts as the socket takes now.
func writevFD(fd int, parts [][]byte) (int, error) {
	var vec [64]syscall.Iovec
	n := 0
	for _, b := range parts {
		if len(b) == 0 {
			continue
		}
		if n == len(vec) {
			break
		}
		vec[n].Base = unsafe.SliceData(b)
		vec[n].SetLen(len(b))
		n++
	}
	return wrote(syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&vec[0])), uintptr(n)))
}

// wrote reads the result of a write: none where it has to wait, or was interrupted.
func wrote(n, _ uintptr, errno syscall.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EAGAIN, syscall.EINTR:
		return 0, nil
	}
	return 0, errno
}

// hungUp reports whether the peer has closed its side, with nothing left to read.
func hungUp(raw syscall.RawConn) (gone bool) {
	err := raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = n == 0 && err == nil || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return gone || err != nil
}

// shutDown ends a connection in both directions.
func shutDown(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
}
