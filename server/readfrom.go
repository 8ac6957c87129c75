package server

import (
	"errors"
	"io"
	"net"
)

var errNoSplice = errors.New("the kernel cannot move it")

// CanSplice reports whether content of known length that comes from another
// connection goes to the client without being read here.
func (w *response) CanSplice() bool { return w.c.raw != nil }

// ReadFrom sends content. What is to be read from a TCP connection is moved by
// the kernel.
func (w *response) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if ok && w.CanSplice() {
		if src, ok := limited.R.(*net.TCPConn); ok && w.takes(limited.N) {
			return w.spliceFrom(src, limited)
		}
	}
	return io.Copy(struct{ io.Writer }{w}, r)
}

// takes reports whether the content to come is part of a body of known length.
func (w *response) takes(n int64) bool {
	return w.length >= w.sent+n && allowsBody(w.status) && w.r.Method != "HEAD"
}

func (w *response) spliceFrom(src *net.TCPConn, limited *io.LimitedReader) (int64, error) {
	w.commit(false)
	w.flush()
	if w.err != nil {
		return 0, w.err
	}
	taken, given, err := w.c.splice(src, limited.N)
	if err == errNoSplice {
		return io.Copy(struct{ io.Writer }{w}, limited)
	}
	limited.N -= taken
	w.sent += given
	if taken > given { // what is left in between is lost
		w.err = err
	}
	if err == io.EOF {
		err = nil
	}
	return given, err
}
