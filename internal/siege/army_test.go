//go:build linux

package siege

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// army is all that attacks one proxy at once.
type army struct {
	*testing.T
	ctx   context.Context // ends the attack
	addr  string          // of the proxy
	wg    sync.WaitGroup
	units []*unit
}

// unit is a number of attackers who do the same.
type unit struct {
	*army
	name  string
	size  int // attackers
	net   int // the second byte of the addresses they come from
	http  *http.Client
	open  atomic.Int64
	most  atomic.Int64 // the most connections open at once
	bytes atomic.Int64 // of bodies, read and right

	mu    sync.Mutex
	ended map[string]int // how connections or requests ended
}

// attack starts a unit. Every attacker runs until the attack ends; do is called
// again as long as it returns, and gets the number of the attacker and of the call.
func (a *army) attack(name string, size int, do func(u *unit, attacker, call int)) *unit {
	u := &unit{army: a, name: name, size: size, net: 1 + len(a.units), ended: map[string]int{}}
	u.http = &http.Client{Transport: &http.Transport{DialContext: u.dialNext(), MaxIdleConnsPerHost: size, DisableCompression: true}}
	a.units = append(a.units, u)
	for attacker := range size {
		a.wg.Go(func() {
			for call := 0; a.ctx.Err() == nil; call++ {
				do(u, attacker, call)
			}
		})
	}
	return u
}

// rest waits, or until the attack ends.
func (a *army) rest(d time.Duration) {
	select {
	case <-a.ctx.Done():
	case <-time.After(d):
	}
}

// end notes how something ended.
func (u *unit) end(how string) {
	if u.ctx.Err() != nil {
		how = "under way at the end"
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended[how]++
}

// count is how often something ended so.
func (u *unit) count(how string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ended[how]
}

// dial opens a connection from an address of the attacker's own, as attackers
// have, and so that limits per client do not hold up the attack. It is closed
// when the attack ends. It is nil if there was none to be had.
func (u *unit) dial(attacker int) net.Conn {
	from := net.IPv4(127, byte(u.net), byte(1+attacker/250), byte(1+attacker%250))
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: 5 * time.Second}
	conn, err := d.DialContext(u.ctx, "tcp", u.addr)
	if err != nil {
		if u.ctx.Err() == nil {
			u.end("no connection")
			u.rest(100 * time.Millisecond)
		}
		return nil
	}
	raise(&u.most, u.open.Add(1))
	return &closing{Conn: conn, unit: u, stop: context.AfterFunc(u.ctx, func() { conn.Close() })}
}

// dialNext dials for the client, from one address after the other.
func (u *unit) dialNext() func(context.Context, string, string) (net.Conn, error) {
	var attacker atomic.Int64
	return func(context.Context, string, string) (net.Conn, error) {
		if conn := u.dial(int(attacker.Add(1)) % u.size); conn != nil {
			return conn, nil
		}
		return nil, errors.New("no connection")
	}
}

func raise(most *atomic.Int64, n int64) {
	for now := most.Load(); n > now && !most.CompareAndSwap(now, n); now = most.Load() {
	}
}

// closing is a connection of an attacker.
type closing struct {
	net.Conn
	unit *unit
	once sync.Once
	stop func() bool
}

func (c *closing) Close() error {
	c.once.Do(func() {
		c.stop()
		c.unit.open.Add(-1)
		c.Conn.Close()
	})
	return nil
}

// report says what became of every unit.
func (a *army) report() string {
	var out strings.Builder
	for _, u := range a.units {
		fmt.Fprintf(&out, "%-14s %5d attackers, %5d connections at once, %5d MiB read;", u.name, u.size, u.most.Load(), u.bytes.Load()>>20)
		u.mu.Lock()
		for _, how := range slices.SortedFunc(maps.Keys(u.ended), func(a, b string) int { return cmp.Compare(u.ended[b], u.ended[a]) }) {
			fmt.Fprintf(&out, " %s: %d;", how, u.ended[how])
		}
		u.mu.Unlock()
		out.WriteString("\n")
	}
	return out.String()
}
