package faults

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// paths that an origin answers with its fault while it is armed.
const (
	missPath  = "/miss"  // nothing is stored for it
	stalePath = "/stale" // something is stored that may stand in
	postPath  = "/post"
	nextPath  = "/next" // always answered well
)

// origin is a scripted origin on a socket of 127.0.0.1. Until it is armed, and
// again once it is disarmed, it answers well, and closes the connection after
// each answer, so that its fault always meets a new one.
type origin struct {
	*testing.T
	fault fault
	tcp   *net.TCPListener
	wg    sync.WaitGroup

	mu       sync.Mutex
	armed    *trial         // nil: answer well
	answer   string         // that is good
	accepted int            // connections so far
	next     int            // which of them asked for nextPath last
	open     map[*peer]bool // connections
	fillers  []io.Closer    // connections that nobody accepts
}

// trial is one request to an armed origin.
type trial struct {
	head, body  chan struct{} // closed when the client has the head, and when it has all it gets
	played      chan struct{} // closed when the fault has been played
	connections int
}

// peer is the origin's end of a connection.
type peer struct {
	*net.TCPConn
	br    *bufio.Reader
	n     int // which connection this is, from 1
	trial *trial
}

func listen(t *testing.T, f fault) *origin {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln.Close()
	ln, err = net.Listen("tcp", ln.Addr().String()) // a port that was asked for is still ours after refuse
	require.NoError(t, err)
	o := &origin{T: t, fault: f, tcp: ln.(*net.TCPListener), open: make(map[*peer]bool), answer: oldAnswer}
	o.wg.Go(o.accept)
	return o
}

func (o *origin) accept() {
	for {
		nc, err := o.tcp.AcceptTCP()
		if err != nil {
			return
		}
		o.mu.Lock()
		o.accepted++
		p := &peer{TCPConn: nc, br: bufio.NewReader(nc), n: o.accepted}
		if o.armed != nil {
			if o.armed.connections++; o.armed.connections == 1 {
				p.trial = o.armed
			}
		}
		o.open[p] = true
		o.mu.Unlock()
		o.wg.Go(func() {
			o.serve(p)
			p.Close()
			o.mu.Lock()
			delete(o.open, p)
			o.mu.Unlock()
		})
	}
}

// serve answers the requests on a connection.
func (o *origin) serve(p *peer) {
	if p.trial != nil && o.fault.accepted != nil {
		o.fault.accepted(p)
		close(p.trial.played)
		return
	}
	for {
		r, err := http.ReadRequest(p.br)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if p.trial != nil && r.URL.Path != nextPath {
			stays := o.fault.asked(p)
			close(p.trial.played)
			p.trial = nil
			if !stays {
				return
			}
			continue
		}
		o.mu.Lock()
		answer := o.answer
		if r.URL.Path == nextPath {
			o.next, answer = p.n, nextAnswer
		}
		o.mu.Unlock()
		p.say(answer)
		return
	}
}

// arm has the next request meet the fault.
func (o *origin) arm() *trial {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.armed = &trial{head: make(chan struct{}), body: make(chan struct{}), played: make(chan struct{})}
	if o.fault.deaf != nil {
		o.fault.deaf(o)
	}
	return o.armed
}

// disarm makes the origin well again.
func (o *origin) disarm() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.armed, o.answer = nil, goodAnswer
	if o.fault.deaf == nil {
		return
	}
	for _, c := range o.fillers {
		c.Close()
	}
	o.fillers = nil
	o.listen(syscall.SOMAXCONN)
	require.NoError(o, o.tcp.SetDeadline(time.Time{}))
	o.wg.Go(o.accept)
}

// refuse takes no connection any more; the port stays ours.
func (o *origin) refuse() {
	o.control(func(fd int) error { return syscall.Shutdown(fd, syscall.SHUT_RD) })
}

// ignore leaves it to the kernel to take connections until its queue is full, and
// fills that. Whoever comes then gets no answer at all.
func (o *origin) ignore() {
	require.NoError(o, o.tcp.SetDeadline(time.Unix(1, 0)))
	o.listen(0)
	for range 10 {
		nc, err := net.DialTimeout("tcp", o.tcp.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return
		}
		o.fillers = append(o.fillers, nc)
	}
	assert.Fail(o, "the queue of the listener does not get full")
}

func (o *origin) listen(queue int) {
	o.control(func(fd int) error { return syscall.Listen(fd, queue) })
}

func (o *origin) control(f func(fd int) error) {
	raw, err := o.tcp.SyscallConn()
	require.NoError(o, err)
	var failed error
	require.NoError(o, raw.Control(func(fd uintptr) { failed = f(int(fd)) }))
	require.NoError(o, failed)
}

// close ends the origin and its connections.
func (o *origin) close() {
	o.tcp.Close()
	o.mu.Lock()
	for p := range o.open {
		p.Close()
	}
	o.mu.Unlock()
	o.wg.Wait()
}

func (p *peer) say(s string) error {
	_, err := io.WriteString(p, s)
	return err
}

// silence waits until the proxy closes the connection.
func (p *peer) silence() { _, _ = io.Copy(io.Discard, p.br) }

// takeSome reads the head of a request and the beginning of its content.
func (p *peer) takeSome() {
	if r, err := http.ReadRequest(p.br); err == nil {
		_, _ = io.CopyN(io.Discard, r.Body, 1000)
	}
}

// reset has the connection end with a reset when it is closed.
func (p *peer) reset() { _ = p.SetLinger(0) }
