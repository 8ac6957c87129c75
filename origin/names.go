package origin

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// names knows the addresses of an origin's name, and looks them up again while
// the origin is in use.
type names struct {
	host   string
	every  time.Duration
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	kept   func() bool // reports whether there are kept connections
	gone   func()      // is called when an address has gone
	turn   atomic.Uint32
	used   atomic.Bool                  // since the last look
	armed  atomic.Bool                  // another look will come
	addrs  atomic.Pointer[[]netip.Addr] // of the last answer
	known  atomic.Pointer[[]netip.Addr] // of all answers within every

	mu     sync.Mutex
	seen   map[netip.Addr]time.Time // last, of known
	asked  time.Time
	timer  *time.Timer
	ctx    context.Context // ends with close
	cancel context.CancelFunc
	looks  sync.WaitGroup
}

func newNames(host string, every time.Duration, lookup func(context.Context, string) ([]netip.Addr, error)) *names {
	n := &names{host: host, every: every, lookup: lookup}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	return n
}

// resolve looks the name up for a new connection. When that fails, what was
// found last counts.
func (n *names) resolve(ctx context.Context) ([]netip.Addr, error) {
	addrs, err := n.lookup(ctx, n.host)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: n.host, IsNotFound: true}
	}
	if err == nil {
		addrs = slices.Clone(addrs)
		for i := range addrs {
			addrs[i] = addrs[i].Unmap()
		}
		n.set(addrs)
		return addrs, nil
	}
	if old := n.addrs.Load(); old != nil && ctx.Err() == nil {
		return *old, nil
	}
	f := DNS
	var dns *net.DNSError
	if ctx.Err() != nil || errors.As(err, &dns) && dns.IsTimeout {
		f = DNSTimeout
	}
	return nil, &Error{Failure: f, Err: err}
}

// set takes an answer. An address has gone when no answer has had it for a while: some
// names have many, and each answer another one of them.
func (n *names) set(addrs []netip.Addr) {
	n.mu.Lock()
	n.asked = time.Now()
	if n.seen == nil {
		n.seen = make(map[netip.Addr]time.Time)
	}
	for _, a := range addrs {
		n.seen[a] = n.asked
	}
	before := len(n.seen)
	maps.DeleteFunc(n.seen, func(_ netip.Addr, at time.Time) bool { return n.asked.Sub(at) >= n.every })
	left := len(n.seen) < before
	known := slices.Collect(maps.Keys(n.seen))
	n.known.Store(&known)
	n.addrs.Store(&addrs)
	n.mu.Unlock()
	if left {
		n.gone()
	}
}

// has reports whether an address is one of the name.
func (n *names) has(addr netip.Addr) bool {
	known := n.known.Load()
	return known == nil || slices.Contains(*known, addr)
}

// order returns the addresses in the order in which to try them, and begins with
// another one each time. The family that the system prefers (RFC 6724) comes first.
func (n *names) order(addrs []netip.Addr) []netip.Addr {
	preferred := addrs[0].Is4()
	var first, then []netip.Addr
	for _, a := range addrs {
		if a.Is4() == preferred {
			first = append(first, a)
		} else {
			then = append(then, a)
		}
	}
	turn := n.turn.Add(1) - 1
	return slices.Concat(rotated(first, turn), rotated(then, turn))
}

func rotated(addrs []netip.Addr, turn uint32) []netip.Addr {
	if len(addrs) == 0 {
		return nil
	}
	i := int(turn % uint32(len(addrs)))
	return slices.Concat(addrs[i:], addrs[:i])
}

// touch notes that the origin is in use, so that its name is looked up again.
func (n *names) touch() {
	if !n.used.Load() {
		n.used.Store(true)
	}
	if !n.armed.Load() {
		n.arm()
	}
}

func (n *names) arm() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.armed.Load() || n.ctx.Err() != nil {
		return
	}
	n.armed.Store(true)
	n.timer = time.AfterFunc(max(n.every-time.Since(n.asked), 0), n.look)
}

// look looks the name up in the background.
func (n *names) look() {
	n.mu.Lock()
	if n.ctx.Err() != nil {
		n.mu.Unlock()
		return
	}
	n.looks.Add(1)
	defer n.looks.Done()
	if fresh := n.every - time.Since(n.asked); fresh > 0 { // a new connection asked meanwhile
		n.timer.Reset(fresh)
		n.mu.Unlock()
		return
	}
	n.mu.Unlock()

	used := n.used.Swap(false)
	if !used && !n.kept() {
		n.mu.Lock()
		n.armed.Store(false)
		n.mu.Unlock()
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, n.every)
	_, _ = n.resolve(ctx)
	cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() == nil {
		n.timer.Reset(n.every)
	}
}

// close ends the look-ups in the background, and waits for them.
func (n *names) close() {
	n.mu.Lock()
	n.cancel()
	if n.timer != nil {
		n.timer.Stop()
	}
	n.mu.Unlock()
	n.looks.Wait()
}
