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
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno != syscall.EINTR {
			return wrote(n, errno)
		}
	}
}

// mostParts is how many parts writevFD looks at.
const mostParts = 64

// writevFD writes as much of the parts as the socket takes now. It may take
// some time to copy, so that the scheduler shall know of it.
func writevFD(fd int, parts [][]byte) (int, error) {
	var vec [mostParts]syscall.Iovec
	count := 0
	for _, b := range parts[:min(len(parts), mostParts)] {
		if len(b) > 0 {
			vec[count].Base = unsafe.SliceData(b)
			vec[count].SetLen(len(b))
			count++
		}
	}
	for {
		n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&vec[0])), uintptr(count))
		if errno != syscall.EINTR {
			return wrote(n, errno)
		}
	}
}

// wrote reads the result of a write: nothing, where it has to wait.
func wrote(n uintptr, errno syscall.Errno) (int, error) {
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EAGAIN:
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

// outQueue returns how many bytes of a connection the peer has not confirmed,
// or -1 when that cannot be known.
func outQueue(t *net.TCPConn) int64 {
	raw, err := t.SyscallConn()
	if err != nil {
		return -1
	}
	n := int32(-1)
	_ = raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n)))
		if errno != 0 {
			n = -1
		}
	})
	return int64(n)
}

// shutDown ends a connection in both directions.
func shutDown(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
}
