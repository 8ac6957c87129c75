package server

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipes is a listener whose clients are in this process.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv6loopback, Port: 80} }

// lawPipe is a connection of which the server has one end; the test holds the
// other. What the client sends arrives as it was cut; what the server sends
// waits in out.
type lawPipe struct {
	mu      sync.Mutex
	changed *sync.Cond
	in      [][]byte
	eof     bool // the client sends no more
	out     bytes.Buffer
	ended   bool // the server sends no more
	closed  bool
	until   time.Time // the read deadline
	timer   *time.Timer
}

func newLawPipe() *lawPipe {
	p := new(lawPipe)
	p.changed = sync.NewCond(&p.mu)
	return p
}

func (p *lawPipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.closed:
			return 0, net.ErrClosed
		case !p.until.IsZero() && !time.Now().Before(p.until):
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(p.in) > 0:
			n := copy(b, p.in[0])
			if p.in[0] = p.in[0][n:]; len(p.in[0]) == 0 {
				p.in = p.in[1:]
			}
			return n, nil
		case p.eof:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *lawPipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.ended {
		return 0, net.ErrClosed
	}
	return p.out.Write(b)
}

func (p *lawPipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.ended = true, true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.changed.Broadcast()
	return nil
}

func (p *lawPipe) CloseWrite() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.changed.Broadcast()
	return nil
}

func (p *lawPipe) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = t
	if p.timer != nil {
		p.timer.Stop()
	}
	if !t.IsZero() {
		p.timer = time.AfterFunc(time.Until(t), p.changed.Broadcast)
	}
	p.changed.Broadcast()
	return nil
}

func (p *lawPipe) SetDeadline(t time.Time) error    { return p.SetReadDeadline(t) }
func (p *lawPipe) SetWriteDeadline(time.Time) error { return nil }
func (p *lawPipe) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv6loopback, Port: 80} }
func (p *lawPipe) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.ParseIP("2001:db8::7"), Port: 4711}
}

// say is called by the client: to send, and to send no more.
func (p *lawPipe) say(eof bool, segments ...[]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range segments {
		if len(s) > 0 {
			p.in = append(p.in, s)
		}
	}
	p.eof = eof
	p.changed.Broadcast()
}

// heard returns what the server has sent, and whether it sends no more. With
// all set it waits for that.
func (p *lawPipe) heard(all bool) (got []byte, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for all && !p.ended {
		p.changed.Wait()
	}
	return bytes.Clone(p.out.Bytes()), p.ended
}
