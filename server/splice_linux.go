package server

import (
	"io"
	"net"
	"syscall"
)

// pipe is memory of the kernel through which content goes from one socket to
// another.
type pipe struct{ r, w int }

// pipeSize is what a pipe holds when nobody asks for more, in bytes.
const pipeSize = 64 << 10

func newPipe() (*pipe, error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, err
	}
	return &pipe{fds[0], fds[1]}, nil
}

func (p *pipe) close() {
	syscall.Close(p.r)
	syscall.Close(p.w)
}

// splice moves n bytes from a connection to the client without reading them. It
// returns how many it took from src, and how many the client got. The error is
// errNoSplice when it cannot be done that way; then nothing was taken.
func (c *conn) splice(src *net.TCPConn, n int64) (taken, given int64, err error) {
	from, err := src.SyscallConn()
	if err != nil {
		return 0, 0, errNoSplice
	}
	p, err := newPipe()
	if err != nil { // no descriptor is left, say
		return 0, 0, errNoSplice
	}
	defer p.close()
	for given < n {
		if taken == given {
			m, err := p.fill(from, min(n-taken, pipeSize))
			taken += m
			switch {
			case err == nil && m == 0:
				err = io.EOF
			case taken == 0 && (err == syscall.EINVAL || err == syscall.ENOSYS):
				err = errNoSplice
			}
			if err != nil {
				return taken, given, err
			}
		}
		m, err := p.empty(c, taken-given)
		given += m
		if err != nil {
			return taken, given, err
		}
	}
	return taken, given, nil
}

const (
	spliceMove     = 1
	spliceNonblock = 2
)

func spliceOnce(from, to int, n int64) (int64, error) {
	for {
		moved, err := syscall.Splice(from, nil, to, nil, int(n), spliceMove|spliceNonblock)
		if err != syscall.EINTR {
			return moved, err
		}
	}
}

// fill waits for content of the source.
func (p *pipe) fill(src syscall.RawConn, n int64) (moved int64, err error) {
	waited := src.Read(func(fd uintptr) bool {
		moved, err = spliceOnce(int(fd), p.w, n)
		return err != syscall.EAGAIN
	})
	if waited != nil {
		return 0, waited
	}
	return max(moved, 0), err
}

// empty waits until the client takes content.
func (p *pipe) empty(c *conn, n int64) (moved int64, err error) {
	c.arm()
	defer c.moves()
	waited := c.raw.Write(func(fd uintptr) bool {
		moved, err = spliceOnce(p.r, int(fd), n)
		return err != syscall.EAGAIN
	})
	if waited != nil {
		return 0, waited
	}
	return max(moved, 0), err
}
