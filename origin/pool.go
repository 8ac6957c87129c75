package origin

import (
	"sync"
	"time"
)

// pool keeps idle connections. The one that was used last is taken first, so
// that those beyond need grow old and are closed.
type pool struct {
	most  int
	age   time.Duration // how long one is kept
	names *names        // nil: addresses do not change

	mu     sync.Mutex
	conns  []*conn // the longest idle first
	timer  *time.Timer
	armed  bool
	closed bool
}

// take returns an idle connection on which nothing has come, or nil. Unless there
// is content to be sent, who asks looks for that.
func (p *pool) take(content bool) *conn {
	for {
		c := p.pop()
		if c == nil || !content && c.asks() || c.silent() {
			return c
		}
		c.Close()
	}
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.conns)
	if n == 0 {
		return nil
	}
	c := p.conns[n-1]
	if time.Since(c.since) >= p.age { // and so are all others; expire closes them
		return nil
	}
	p.conns[n-1] = nil
	p.conns = p.conns[:n-1]
	return c
}

// put keeps a connection, or closes it when there are enough.
func (p *pool) put(c *conn) {
	if p.names != nil {
		p.names.touch()
	}
	p.mu.Lock()
	keep := !p.closed && len(p.conns) < p.most && (p.names == nil || p.names.has(c.addr))
	if keep {
		c.since = time.Now()
		p.conns = append(p.conns, c)
		p.arm(p.age)
	}
	p.mu.Unlock()
	if !keep {
		c.Close()
	}
}

// kept reports whether there are connections.
func (p *pool) kept() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns) > 0
}

// leave closes the connections to addresses that are not those of the name any more.
func (p *pool) leave() {
	p.mu.Lock()
	all := p.cut(len(p.conns))
	var gone []*conn
	for _, c := range all {
		if p.names.has(c.addr) {
			p.conns = append(p.conns, c)
		} else {
			gone = append(gone, c)
		}
	}
	p.mu.Unlock()
	closeAll(gone)
}

// arm has expire called after d, unless it will be anyway. The caller holds mu.
func (p *pool) arm(d time.Duration) {
	switch {
	case p.armed:
		return
	case p.timer == nil:
		p.timer = time.AfterFunc(d, p.expire)
	default:
		p.timer.Reset(d)
	}
	p.armed = true
}

// expire closes the connections that are too old.
func (p *pool) expire() {
	p.mu.Lock()
	now, n := time.Now(), 0
	for n < len(p.conns) && now.Sub(p.conns[n].since) >= p.age {
		n++
	}
	old := p.cut(n)
	p.armed = false
	if len(p.conns) > 0 {
		p.arm(p.age - now.Sub(p.conns[0].since))
	}
	p.mu.Unlock()
	closeAll(old)
}

// cut takes the n oldest out. The caller holds mu.
func (p *pool) cut(n int) []*conn {
	old := append([]*conn(nil), p.conns[:n]...)
	left := copy(p.conns, p.conns[n:])
	clear(p.conns[left:])
	p.conns = p.conns[:left]
	return old
}

// close closes all connections, and those that come back later.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	old := p.cut(len(p.conns))
	if p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	closeAll(old)
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		c.Close()
	}
}
