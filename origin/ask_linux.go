package origin

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// question is a request for a socket and the first that is read of the answer.
type question struct {
	head, into []byte
	sent, got  int // bytes of each
	err        error
}

var errStale = errors.New("the kept connection has ended")

// ask sends the head of a request and waits for the first bytes of the answer.
// sent is how much of the head went out, if that was not all of it.
//
// All is done in one turn of the runtime's poller, which notes what comes from
// its beginning on. So neither the end of a kept connection, which is looked for
// first, nor the answer can be missed, and it takes no read to find out that
// there is nothing yet.
func (c *conn) ask(head, into []byte) (n, sent int, err error) {
	q := &c.question
	*q = question{head: head, into: into}
	err = c.raw.Read(c.turn)
	if err == nil {
		err = q.err
	}
	n, sent = q.got, q.sent
	*q = question{}
	return n, sent, err
}

// asks reports whether ask can be used.
func (c *conn) asks() bool { return c.plain != nil && c.raw != nil }

// take is called with a socket that may be ready. It returns false to wait
// until it is.
func (c *conn) take(fd uintptr) bool {
	q := &c.question
	if q.sent < len(q.head) {
		if !c.send(fd) {
			return true
		}
		if c.used {
			return false
		}
		// What came on a new connection before this turn began makes no event any more.
	}
	n, errno := call(syscall.SYS_READ, fd, q.into)
	switch {
	case errno == syscall.EAGAIN:
		return false
	case errno != 0:
		q.err = c.failed("read", errno)
	case n == 0:
		q.err = io.EOF
	}
	q.got = n
	return true
}

// send sends the head. It returns false if that is not done at once.
func (c *conn) send(fd uintptr) bool {
	q := &c.question
	if c.used {
		if c.peek(fd); !c.quiet {
			q.err = c.failed("read", errStale)
			return false
		}
	}
	n, errno := call(syscall.SYS_WRITE, fd, q.head)
	if errno != 0 && errno != syscall.EAGAIN {
		q.err = c.failed("write", errno)
	}
	q.sent = n
	return n == len(q.head)
}

func (c *conn) failed(op string, err error) error {
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.RemoteAddr().Network(), Addr: c.RemoteAddr(), Err: err}
}

// call reads or writes without waiting, as the descriptor does not block. It is
// so short that the scheduler need not know of it.
func call(trap, fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
