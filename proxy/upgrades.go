package proxy

import (
	"context"
	"sync"
)

// upgrades counts connections that speak another protocol by now.
type upgrades struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0 again
}

func (u *upgrades) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n == 0 {
		u.none = make(chan struct{})
	}
	u.n++
}

func (u *upgrades) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 {
		close(u.none)
	}
}

// WaitUpgrades returns when all connections that were upgraded to another
// protocol have ended, or when the context ends. The server does not know of
// them any more.
func (p *Proxy) WaitUpgrades(ctx context.Context) {
	p.upgrades.mu.Lock()
	n, none := p.upgrades.n, p.upgrades.none
	p.upgrades.mu.Unlock()
	if n == 0 {
		return
	}
	select {
	case <-none:
	case <-ctx.Done():
	}
}
